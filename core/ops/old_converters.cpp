#include "core/ops/clothes.h"
#include "core/ops/common.h"

#include <sstream>

// Operators that ONNX dropped and ONNX Runtime still runs, as the converters of Caffe2, CNTK and CoreML wrote them.
namespace fovea {

namespace {

bool readAffine(OnnxCall& call)
{
    const bool scale = call.type == "Scale";
    call.node.attrs.set("alpha", call.getReal(scale ? "scale" : "alpha", 1));
    call.node.attrs.set("beta", scale ? 0.0 : call.getReal("beta", 0));
    return true;
}

void writeAffine(OnnxWriter& writer)
{
    const Attributes& attrs = writer.node().attrs;
    const std::string scaled = writer.emit("Mul", {writer.input(), writer.real(attrs.getDouble("alpha", 1))});
    writer.finish("Add", {scaled, writer.real(attrs.getDouble("beta", 0))});
}

bool readScaler(OnnxCall& call)
{
    call.node.attrs.set("scale", call.getReal("scale", 1));
    std::ostringstream bias;
    bias.precision(9);
    if (const auto it = call.attrs.find("bias"); it != call.attrs.end())
        if (const auto* values = std::get_if<std::vector<double>>(&it->second))
            for (const double value : *values) bias << value << " ";
    call.node.attrs.set("bias", bias.str());
    return true;
}

// As nodes that every runtime has; their constants are nodes too, for they are settings.
void writeScaler(OnnxWriter& writer)
{
    const Attributes& attrs = writer.node().attrs;
    std::vector<float> bias;
    std::istringstream text(attrs.getText("bias"));
    for (float value; text >> value;) bias.push_back(value);
    const std::string scaled = writer.emit("Mul", {writer.input(), writer.real(attrs.getDouble("scale", 1))});
    if (bias.empty()) bias.push_back(0);
    const auto channels = static_cast<std::int64_t>(bias.size());
    writer.finish("Add", {scaled, writer.emit("Constant", {},
                                              {{"value", Tensor::fromFloats({channels, 1, 1}, std::move(bias))}})});
}

bool readVerbatim(OnnxCall& call)
{
    keepClothes(call, call.type, false);
    return true;
}

}  // namespace

const OpDef& affineOp()
{
    static const OpDef def{.kind = "Affine",
                           .opClass = OpClass::Math,
                           .doc = "alpha x + beta.",
                           .attrs = {{.name = "alpha", .type = AttrType::Real, .fallback = 1.0, .doc = "Factor"},
                                     {.name = "beta", .type = AttrType::Real, .fallback = 0.0, .doc = "Offset"}},
                           .torch = {TorchOp::Affine, {"alpha", "beta"}},
                           .onnx = {.types = {"Affine", "Scale"}, .read = readAffine, .write = writeAffine}};
    return def;
}

const OpDef& imageScalerOp()
{
    static const OpDef def{.kind = "ImageScaler",
                           .opClass = OpClass::Math,
                           .doc = "A factor for all channels and an offset for each, as settings.",
                           .attrs = {{.name = "scale", .type = AttrType::Real, .fallback = 1.0, .doc = "Factor"},
                                     {.name = "bias",
                                      .type = AttrType::Text,
                                      .fallback = std::string(),
                                      .doc = "Offsets, one a channel, with spaces between"}},
                           .onnx = {.types = {"ImageScaler"}, .read = readScaler, .write = writeScaler}};
    return def;
}

// By the statistics of each channel of the whole map; counted as instance normalisation is.
const OpDef& meanVarianceNormOp()
{
    static const OpDef def{
        .kind = "MeanVarianceNorm",
        .opClass = OpClass::Normalization,
        .memory = keepsInputs,
        .doc = "Normalises by the mean and variance over given dimensions.",
        .onnx = {.types = {"MeanVarianceNormalization"}, .read = readVerbatim, .write = writeInClothes}};
    return def;
}

// A shape as numbers, where it could not be worked out: it carries no path, nor does anything computed from it.
const OpDef& sizeOfOp()
{
    static const OpDef def{.kind = "SizeOf",
                           .opClass = OpClass::Math,
                           .doc = "The sizes of a map as numbers.",
                           .pathOutputs = 0,
                           .infer =
                               [](InferContext& context) {
                                   const int rank = context.in(0).shape.rank();
                                   const bool one = context.node().attrs.getText("onnx_op") == "Size";
                                   context.out().shape = one ? Shape::ofRank(0) : Shape{rank < 0 ? kUnknown : rank};
                               },
                           .onnx = {.types = {"Shape", "Size"}, .read = readVerbatim, .write = writeInClothes}};
    return def;
}

// Noise in the shape of a map: it carries no path.
const OpDef& randomLikeOp()
{
    static const OpDef def{
        .kind = "RandomLike",
        .opClass = OpClass::Math,
        .doc = "Random numbers in the shape of a map.",
        .pathInputs = 0,
        .onnx = {.types = {"RandomNormalLike", "RandomUniformLike"}, .read = readVerbatim, .write = writeInClothes}};
    return def;
}

}  // namespace fovea
