// What the pooling kinds share.
#pragma once

#include "core/ops/common.h"

namespace fovea {

// A pooling without padding whose kernel covers its whole map at the declared size and leaves 1x1 is a
// global one that an exporter wrote with a fixed kernel: it becomes `globalKind`, with a note.
inline void readAsGlobalWhereItCoversItsMap(OnnxCall& call, const char* globalKind)
{
    const Value& in = call.value(0);
    const Node& node = call.node;
    const std::int64_t kh = attrAt(node, "kernel_size", 0, 1), kw = attrAt(node, "kernel_size", 1, 1);
    for (std::size_t side = 0; side < 4; ++side)
        if (attrAt(node, "padding", side, 0) != 0) return;
    if (attrAt(node, "dilation", 0, 1) != 1 || attrAt(node, "dilation", 1, 1) != 1) return;
    if (kh * kw <= 1 || kh != in.height() || kw != in.width()) return;
    call.node.kind = globalKind;
    call.node.attrs = {};
    call.node.attrs.set("output_size", Ints{1, 1});
    call.sizesBaked = true;
    call.notes.push_back({"global-pooling-assumed", Severity::Info, node.name, "",
                          "The pooling's " + std::to_string(kh) + "x" + std::to_string(kw) +
                              " kernel covers its whole map at the model's own size, so it is read as a global pooling.",
                          "If it should slide at larger inputs, replace it by a pooling with that kernel."});
}

inline AttrDef ceilModeAttr()
{
    return {.name = "ceil_mode", .type = AttrType::Bool, .fallback = false, .doc = "A last, partial window gives a unit too"};
}

}  // namespace fovea
