#include "core/ops/clothes.h"
#include "core/ops/common.h"

namespace fovea {

namespace {

// TensorProto.DataType of onnx.proto.
std::int64_t onnxTypeOf(DType type)
{
    switch (type) {
    case DType::Float32: return 1;
    case DType::UInt8: return 2;
    case DType::Int8: return 3;
    case DType::UInt16: return 4;
    case DType::Int16: return 5;
    case DType::Int32: return 6;
    case DType::Int64: return 7;
    case DType::Bool: return 9;
    case DType::Float16: return 10;
    case DType::Float64: return 11;
    case DType::UInt32: return 12;
    case DType::UInt64: return 13;
    case DType::BFloat16: return 16;
    }
    return 1;
}

bool read(OnnxCall& call)
{
    if (call.type == "Cast") {
        call.node.attrs.set("to", call.getInt("to", 1));  // opset 1 spelt the type; those were floats
        return true;
    }
    if (const Tensor* like = call.constant(1)) call.node.attrs.set("to", onnxTypeOf(like->dtype));
    else keepClothes(call, call.type, false);  // to the type of another map
    return true;
}

}  // namespace

// Types of numbers never matter to a field.
const OpDef& castOp()
{
    static const OpDef def{
        .kind = "Cast",
        .opClass = OpClass::Math,
        .doc = "The same numbers in another type.",
        .attrs = {{.name = "to",
                   .type = AttrType::Int,
                   .fallback = std::int64_t{1},
                   .doc = "ONNX's number of the type; 1 is float32",
                   .min = 1,
                   .max = 100}},
        .maxInputs = 2,
        .pathInputs = 1,
        .torch = {TorchOp::Cast, {"to"}},
        .onnx = {.types = {"Cast", "CastLike"},
                 .read = read,
                 .write =
                     [](OnnxWriter& writer) {
                         writer.finish("Cast", {writer.input()}, {{"to", attrInt(writer.node(), "to", 1)}});
                     }},
    };
    return def;
}

}  // namespace fovea
