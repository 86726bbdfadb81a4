#include "core/ops/common.h"

namespace fovea {

namespace {

Ints shapeOf(const NodeView& view)
{
    const Ints* dims = view.node.attrs.getInts("shape");
    Ints out = dims ? *dims : Ints{};
    const std::string sizes = view.node.attrs.getText("sizes");
    if (sizes.empty()) return out;
    const auto now = evaluateSizes(sizes, view.in);
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = i < now.size() && now[i] && *now[i] >= 0 ? *now[i] : kUnknown;
    return out;
}

// Numbers that follow sizes are computed anew; what else is of another length than the tensor has cannot be made of it.
void write(OnnxWriter& writer)
{
    const Attributes& attrs = writer.node().attrs;
    const Ints* dims = attrs.getInts("shape");
    const Shape& shape = writer.outputValue().shape;
    if (const std::string numbers = attrs.getText("numbers"); !numbers.empty() && dims) {
        const DType type = dtypeFromText(attrs.getText("dtype")).value_or(DType::Int64);
        writer.finish("Reshape", {writer.numbers(numbers, type), writer.ints(*dims)});
        return;
    }
    if (dims && shape.hasRank() && shape != Shape(std::span(*dims)))
        throw Error(ErrorCode::Usage, "'" + writer.node().name + "' is a table of " + Shape(std::span(*dims)).text() + " that the original file computes; at this size it is " +
                                          shape.text() + ", and Fovea's own record cannot compute it. Keep the file's own nodes, or go back to the model's own size.");
    writer.finish("Identity", {writer.tensor("value")});
}

}  // namespace

// A tensor of the file that enters the network beside the image. It carries no receptive field.
const OpDef& constantOp()
{
    static const OpDef def{
        .kind = "Constant",
        .opClass = OpClass::Shape,
        .doc = "A fixed tensor.",
        .attrs = {{.name = "shape", .type = AttrType::IntList, .fallback = Ints{}, .doc = "Its shape", .shown = false},
                  {.name = "learned", .type = AttrType::Bool, .fallback = false, .doc = "It is a parameter", .shown = false},
                  {.name = "sizes", .type = AttrType::Text, .fallback = std::string(), .doc = "Its shape where that follows sizes of its inputs", .shown = false},
                  {.name = "numbers", .type = AttrType::Text, .fallback = std::string(), .doc = "Its elements where they follow sizes of its inputs", .shown = false},
                  {.name = "dtype", .type = AttrType::Text, .fallback = std::string(), .doc = "The type of these", .shown = false}},
        .minInputs = 0,
        .maxInputs = -1,
        .pathInputs = 0,
        .infer =
            [](InferContext& context) {
                context.out().shape = Shape(shapeOf({context.node(), context.in(), {}}));
            },
        .params =
            [](const NodeView& view) {
                return std::vector<ParamSpec>{{.role = "value", .dims = shapeOf(view), .trainable = view.node.attrs.getBool("learned", false), .init = Init::Zeros}};
            },
        .torch = {TorchOp::Constant, {}, {"value"}},
        .onnx = {.write = write},
    };
    return def;
}

}  // namespace fovea
