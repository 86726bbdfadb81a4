#include "core/ops/clothes.h"
#include "core/ops/common.h"

// Rounding to whole numbers and back, point by point. Scales and zero points are settings.
namespace fovea {

namespace {

// An axis says something only beside scales for each of its units; without a word it is the second.
bool read(OnnxCall& call)
{
    const Tensor* scale = call.constant(1);
    if (scale && scale->elements() == 1) call.attrs.erase("axis");
    else if (scale) call.attrs.try_emplace("axis", std::int64_t{1});
    keepClothes(call, call.type, true);
    return true;
}

OpDef define(const char* kind, const char* doc, std::vector<const char*> types)
{
    return OpDef{.kind = kind,
                 .opClass = OpClass::Math,
                 .doc = doc,
                 .maxInputs = -1,
                 .pathInputs = 1,
                 .onnx = {.types = std::move(types), .read = read, .write = writeInClothes}};
}

}  // namespace

const OpDef& quantizeLinearOp()
{
    static const OpDef def = define("QuantizeLinear", "Rounds to whole numbers of a scale.",
                                    {"QuantizeLinear", "com.microsoft::QuantizeLinear"});
    return def;
}

const OpDef& dequantizeLinearOp()
{
    static const OpDef def = define("DequantizeLinear", "Whole numbers of a scale back to reals.",
                                    {"DequantizeLinear", "com.microsoft::DequantizeLinear"});
    return def;
}

// Its scale and zero point follow from the smallest and largest value of the whole map. They are numbers, not maps.
const OpDef& dynamicQuantizeLinearOp()
{
    static const OpDef def = [] {
        OpDef out = define("DynamicQuantizeLinear", "Rounds to whole numbers of a scale that follows from the map.",
                           {"DynamicQuantizeLinear"});
        out.outputs = [](const Node&) { return 3; };
        out.pathOutputs = 1;
        out.infer = [](InferContext& context) {
            context.out(0) = context.in(0);
            context.out(1).shape = context.out(2).shape = Shape::ofRank(0);
        };
        return out;
    }();
    return def;
}

}  // namespace fovea
