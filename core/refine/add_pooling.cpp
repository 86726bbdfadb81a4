// Growing a field that is smaller than the side: a pooling where there is none, so that every layer behind it sees a
// coarser map, or a further stage at the end (arXiv 2211.14487 treats fields that are too small, too).
#include "core/refine/blocks.h"

#include <algorithm>

namespace fovea::refine {

namespace {

constexpr std::int64_t kSmallestMap = 4;  // units; a smaller one is not worth halving

bool isPooling(const Scene& scene, std::size_t entry)
{
    const OpClass opClass = scene.op(entry).opClass;
    return opClass == OpClass::Pooling || opClass == OpClass::GlobalPooling;
}

bool isLargeEnough(const Value& map) { return map.height() >= kSmallestMap && map.width() >= kSmallestMap; }

std::size_t lastWindow(const Scene& scene)
{
    std::size_t last = 0;
    for (std::size_t entry = 0; entry < scene.size(); ++entry)
        if (const LayerReport* layer = scene.layer(entry); layer && layer->window && layer->finite) last = entry;
    return last;
}

// A convolution that starts as the identity, with a norm and an activation as the network has them.
NodeId addUnit(Additions& additions, const Style& style, const std::string& group, const std::string& name,
               NodeId behind, Node conv)
{
    conv.attrs.set("bias", !style.norm);
    conv.attrs.set("init", std::string("identity"));
    NodeId at = additions.add(std::move(conv), name + ".0", group, {behind}, behind);
    int index = 1;
    const auto next = [&](Node node) {
        at = additions.add(std::move(node), name + "." + std::to_string(index++), group, {at}, at);
    };
    if (style.norm) {
        Node norm = makeNode("BatchNorm2d");
        norm.attrs.set("init", std::string("identity"));
        next(std::move(norm));
    }
    if (style.activation) next(*style.activation);
    return at;
}

Node convolution(std::int64_t channels, std::int64_t kernel, std::int64_t stride, bool depthwise)
{
    Node conv = makeNode("Conv2d");
    const std::int64_t padding = kernel / 2;
    conv.attrs.set("out_channels", channels);
    conv.attrs.set("kernel_size", Ints{kernel, kernel});
    conv.attrs.set("stride", Ints{stride, stride});
    conv.attrs.set("padding", Ints{padding, padding, padding, padding});
    conv.attrs.set("groups", depthwise ? channels : std::int64_t{1});
    return conv;
}

}  // namespace

std::vector<Candidate> addPoolings(const Scene& scene)
{
    std::vector<Candidate> out;
    if (!scene.isSmallField()) return out;
    const std::size_t last = lastWindow(scene);
    for (const std::size_t place : waists(scene)) {
        if (place >= last) break;
        if (isPooling(scene, place) || isPooling(scene, place + 1) || !isLargeEnough(scene.layer(place)->out[0]))
            continue;
        const Node& before = scene.node(place);
        Node pooling = makeNode("MaxPool2d");
        pooling.attrs.set("kernel_size", Ints{2, 2});
        pooling.attrs.set("stride", Ints{2, 2});
        Additions additions(scene);
        additions.add(std::move(pooling), "pool", before.group, {before.id}, before.id);
        out.push_back({additions.changes()});
    }
    return out;
}

std::vector<Candidate> addStage(const Scene& scene)
{
    if (!scene.isSmallField()) return {};
    const std::size_t window = lastWindow(scene);
    const std::vector<std::size_t> ends = waists(scene);
    const auto end = std::lower_bound(ends.begin(), ends.end(), window);
    if (end == ends.end() || scene.op(window).opClass != OpClass::Convolution) return {};
    const Value& map = scene.layer(ends.back())->out[0];
    const std::int64_t channels = map.channels();
    if (channels < 1 || !isLargeEnough(map)) return {};
    const Style style = styleOf(scene, window);
    const bool depthwise = attrInt(scene.node(window), "groups", 1) > 1;
    const Node& last = scene.node(ends.back());
    Additions additions(scene);
    NodeId at = last.id;
    for (std::int64_t block = 0; block < 2; ++block) {
        const std::string name = "stage." + std::to_string(block);
        at = addUnit(additions, style, last.group, depthwise ? name + ".depthwise" : name, at,
                     convolution(channels, 3, block == 0 ? 2 : 1, depthwise));
        if (depthwise)
            at = addUnit(additions, style, last.group, name + ".pointwise", at, convolution(channels, 1, 1, false));
    }
    return {{additions.changes()}};
}

}  // namespace fovea::refine
