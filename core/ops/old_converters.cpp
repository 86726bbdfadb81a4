#include "core/ops/clothes.h"
#include "core/ops/common.h"

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
                           .attrs = {{.name = "alpha", .type = AttrType::Real, .fallback = 1.0, .doc = "Factor"}, {.name = "beta", .type = AttrType::Real, .fallback = 0.0, .doc = "Offset"}},
                           .torch = {TorchOp::Affine, {"alpha", "beta"}},
                           .onnx = {.types = {"Affine", "Scale"}, .read = readAffine, .write = writeAffine}};
    return def;
}

const OpDef& imageScalerOp()
{
    static const OpDef def{.kind = "ImageScaler",
                           .opClass = OpClass::Math,
                           .doc = "A factor for all channels and an offset for each, as settings.",
                           .onnx = {.types = {"ImageScaler"}, .read = readVerbatim, .write = writeInClothes}};
    return def;
}

// By the statistics of each channel of the whole map; counted as instance normalisation is.
const OpDef& meanVarianceNormOp()
{
    static const OpDef def{.kind = "MeanVarianceNorm",
                           .opClass = OpClass::Normalization,
                           .memory = keepsInputs,
                           .doc = "Normalises by the mean and variance over given dimensions.",
                           .onnx = {.types = {"MeanVarianceNormalization"}, .read = readVerbatim, .write = writeInClothes}};
    return def;
}

// Noise in the shape of a map: it carries no path.
const OpDef& randomLikeOp()
{
    static const OpDef def{.kind = "RandomLike",
                           .opClass = OpClass::Math,
                           .doc = "Random numbers in the shape of a map.",
                           .pathInputs = 0,
                           .onnx = {.types = {"RandomNormalLike", "RandomUniformLike"}, .read = readVerbatim, .write = writeInClothes}};
    return def;
}

}  // namespace fovea
