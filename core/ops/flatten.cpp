#include "core/graph/dimensions.h"
#include "core/ops/common.h"

namespace fovea {

const OpDef& flattenOp()
{
    static const OpDef def{
        .kind = "Flatten",
        .opClass = OpClass::Shape,
        .memory = isView,
        .doc = "Makes one vector of all dimensions from one on.",
        .attrs = {{.name = "start_dim", .type = AttrType::Int, .fallback = std::int64_t{1}, .doc = "First dimension that is flattened", .max = 8}},
        .infer =
            [](InferContext& context) {
                const Value& in = context.in(0);
                const int from = static_cast<int>(attrInt(context.node(), "start_dim", 1));
                Value out{Shape::ofRank(2), {1, -1, -1}};
                if (in.shape.hasRank() && from >= 0 && from <= in.shape.rank()) {
                    std::int64_t product = 1, head = 1;
                    for (int i = 0; i < in.shape.rank(); ++i) {
                        std::int64_t& side = i < from ? head : product;
                        side = side < 0 || in.shape[i] < 0 ? kUnknown : saturatingMul(side, in.shape[i]);
                    }
                    out.shape = {head, product};
                    if (const auto folded = in.shape.isComplete() ? reshaped(dimensionsOf(in), out.shape.dims()) : std::nullopt) out = valueOf(*folded);
                }
                context.out() = out;
            },
        .torch = {TorchOp::Flatten, {"start_dim"}},
        .onnx = {.types = {"Flatten"},
                 .read =
                     [](OnnxCall& call) {
                         std::int64_t axis = call.getInt("axis", 1);
                         if (axis < 0) axis += std::max(call.value(0).shape.rank(), 0);
                         call.node.attrs.set("start_dim", axis);
                         return axis >= 0 && axis <= 8;
                     },
                 .write = [](OnnxWriter& writer) { writer.finish("Flatten", {writer.input()}, {{"axis", writer.axis(attrInt(writer.node(), "start_dim", 1))}}); }},
    };
    return def;
}

}  // namespace fovea
