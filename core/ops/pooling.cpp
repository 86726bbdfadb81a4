#include "core/ops/pooling.h"

#include <algorithm>

namespace fovea {

namespace {

void becomeGlobal(OnnxCall& call, const char* kind, const Ints& kernel)
{
    call.node.kind = kind;
    call.node.attrs = {};
    call.node.attrs.set("output_size", Ints{1, 1});
    call.sizesBaked = true;
    call.notes.push_back({"global-pooling-assumed", Severity::Info, call.node.name, "",
                          "The pooling's " + std::to_string(kernel[0]) + "x" + std::to_string(kernel[1]) +
                              " kernel covers its whole map at the model's own size, so it is read as a global pooling.",
                          "If it should slide at larger inputs, replace it by a pooling with that kernel."});
}

void becomeGlobalAlong(OnnxCall& call, const Ints& axes, std::int64_t kernel, bool height)
{
    call.node.attrs.set("global_axes", axes);
    call.sizesBaked = true;
    const std::string side = height ? "height" : "width";
    call.notes.push_back({"global-pooling-assumed", Severity::Info, call.node.name, "",
                          "The pooling's kernel covers the whole " + side + " of its map at the model's own size (" + std::to_string(kernel) +
                              " units), so it is read as global along it: at another size its kernel is the map's " + side + ".",
                          "If it should slide at larger inputs, set its kernel_size."});
}

}  // namespace

bool coversSide(const AxisReach& window, std::int64_t side)
{
    return window.kernel == side && window.dilation == 1 && window.padBegin == 0 && window.padEnd == 0;
}

void readAsGlobalWhereItCoversItsMap(OnnxCall& call, const char* globalKind)
{
    const Value in = call.value(0);
    const DimWindows windows = dimWindows({call.node, {&in, 1}, {}});
    const Layout layout = windowLayout(in, 2);
    if (in.shape.rank() != 4 || windows.count != 2) return;
    Ints covers{0, 0}, kernel{0, 0};
    for (std::size_t i = 0; i < 2; ++i) {
        const AxisReach& r = windows.dims[i];
        const int dim = static_cast<int>(i) + 2;
        const bool open = dim == layout.h ? call.heightOpen : call.widthOpen;
        const bool isAxis = dim == layout.h || dim == layout.w;
        kernel[i] = r.kernel;
        covers[i] = isAxis && !open && coversSide(r, in.shape[dim]);
    }
    if (covers == Ints{1, 1} && kernel[0] * kernel[1] > 1) {
        becomeGlobal(call, globalKind, kernel);
        return;
    }
    for (std::size_t i = 0; i < 2; ++i)
        if (covers[i] && kernel[i] > 1 && !covers[1 - i]) becomeGlobalAlong(call, covers, kernel[i], static_cast<int>(i) + 2 == layout.h);
}

AttrDef ceilModeAttr()
{
    return {.name = "ceil_mode", .type = AttrType::Bool, .fallback = false, .doc = "A last, partial window gives a unit too"};
}

AttrDef globalAxesAttr()
{
    return {.name = "global_axes",
            .type = AttrType::Pair,
            .fallback = Ints{0, 0},
            .doc = "1 along an axis over which the window is as large as its map, whatever the map's size",
            .max = 1,
            .shown = false};
}

const Node* padBefore(Rewriter& rewriter, const Node& pooling)
{
    const Node* pad = rewriter.producer(pooling, 0);
    if (!pad || pad->kind != "ZeroPad2d" || pad->attrs.getDouble("value", 0) != 0 || pad->attrs.has("channel_padding")) return nullptr;
    if (pooling.attrs.has("auto_pad") || pooling.attrs.has("global_axes")) return nullptr;
    for (std::size_t side = 0; side < 4; ++side)
        if (attrAt(*pad, "padding", side, 0) < 0) return nullptr;
    return pad;
}

}  // namespace fovea
