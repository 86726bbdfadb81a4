#include "tests/engine/thinned.h"

#include "core/analysis/report.h"
#include "core/ops/registry.h"

#include <algorithm>
#include <numeric>

namespace fovea::test {

namespace {

// A multiple of four, so that shuffles and splits in two still divide it.
std::int64_t fewer(std::int64_t channels, std::int64_t divisor) { return std::max<std::int64_t>(1, (channels + divisor * 4 - 1) / (divisor * 4)) * 4; }

std::vector<Value> valuesOf(const Prepared& prepared)
{
    std::vector<Issue> issues;
    return inferShapes(prepared, issues);
}

std::int64_t inputChannels(const Prepared& prepared, const std::vector<Value>& values, NodeId id)
{
    const auto& entry = prepared.entries[static_cast<std::size_t>(prepared.entryOf(id))];
    const std::int32_t source = prepared.sources[entry.firstInput];
    const Shape shape = source < 0 ? Shape{} : values[static_cast<std::size_t>(source)].shape;
    return shape.rank() > 1 ? shape[1] : kUnknown;
}

void thinConvolution(Node& node, std::int64_t oldIn, std::int64_t newIn, std::int64_t divisor)
{
    const std::int64_t out = node.attrs.getInt("out_channels", 1), groups = node.attrs.getInt("groups", 1);
    node.attrs.set("in_channels", std::int64_t{0});
    if (groups > 1 && groups == oldIn) {  // depthwise, with its multiplier
        node.attrs.set("out_channels", newIn * (out / oldIn));
        node.attrs.set("groups", newIn);
        return;
    }
    node.attrs.set("out_channels", fewer(out, divisor));
    node.attrs.set("groups", std::gcd(groups, std::gcd(newIn, fewer(out, divisor))));
}

// Channels added before and behind, as a shortcut without weights has them.
void thinPadding(Node& node, std::int64_t oldIn, std::int64_t newIn, std::int64_t divisor)
{
    const std::int64_t added = node.attrs.at("channel_padding", 0, 0) + node.attrs.at("channel_padding", 1, 0);
    if (added == 0) return;
    const std::int64_t wanted = fewer(oldIn + added, divisor) - newIn;
    node.attrs.set("channel_padding", Ints{wanted / 2, wanted - wanted / 2});
}

}  // namespace

Graph thinned(const Graph& graph, std::int64_t divisor, std::int64_t height, std::int64_t width)
{
    Graph out = withSide(graph, height, width);
    const Prepared before = prepare(graph);
    const std::vector<Value> old = valuesOf(before);
    for (const NodeId id : executionOrder(graph)) {
        const Node& node = graph.at(id);
        const bool convolution = node.kind == "Conv2d" || node.kind == "ConvTranspose2d", linear = node.kind == "Linear";
        const bool padding = node.kind == "ZeroPad2d" && node.attrs.has("channel_padding");
        if (!convolution && !linear && !padding) continue;
        // Shapes change as layers do, so each layer asks again: quadratic, but these networks are small.
        const Prepared now = prepare(out);
        const std::int64_t oldIn = inputChannels(before, old, id), newIn = inputChannels(now, valuesOf(now), id);
        out.update(id, [&](Node& edited) {
            if (convolution) thinConvolution(edited, oldIn, newIn, divisor);
            else if (padding) thinPadding(edited, oldIn, newIn, divisor);
            else edited.attrs.set("in_features", std::int64_t{0});
        });
    }
    return out;
}

}  // namespace fovea::test
