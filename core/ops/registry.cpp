#include "core/ops/registry.h"

#include "core/ops/activations.h"
#include "core/ops/elementwise.h"
#include "core/ops/reduce.h"

#include <map>
#include <unordered_map>

namespace fovea {

#define FOVEA_KINDS(row)                                                                                               \
    row(inputOp) row(conv2dOp) row(conv1dOp) row(conv3dOp) row(convTranspose2dOp) row(maxPool2dOp) row(maxPool1dOp)    \
        row(maxUnpool2dOp) row(avgPool2dOp) row(avgPool1dOp) row(avgPool3dOp) row(adaptiveAvgPool2dOp) row(adaptiveMaxPool2dOp) row(batchNorm2dOp) row(groupNormOp)         \
            row(instanceNorm2dOp) row(layerNormOp) row(localResponseNormOp) row(geluOp) row(hardsigmoidOp)             \
                row(scaledHardSigmoidOp) row(hardswishOp) row(siluOp) row(mishOp) row(relu6Op) row(hardtanhOp)         \
                    row(preluOp) row(softmaxOp) row(logSoftmaxOp) row(dropoutOp) row(linearOp) row(matMulOp)           \
                        row(concatOp) row(splitOp) row(flattenOp) row(reshapeOp) row(squeezeOp) row(unsqueezeOp)       \
                            row(permuteOp) row(sliceOp) row(selectOp) row(zeroPad2dOp) row(reflectionPad2dOp)          \
                                row(replicationPad2dOp) row(upsampleOp) row(pixelShuffleOp) row(depthToSpaceOp)        \
                                    row(pixelUnshuffleOp) row(channelShuffleOp) row(expandOp) row(tileOp) row(constantOp) row(castOp) row(whereOp) row(bitwiseOp)  \
                                            row(quantizeLinearOp) row(dequantizeLinearOp) row(dynamicQuantizeLinearOp)         \
                                                row(lstmOp) row(gruOp) row(rnnOp) row(multiheadAttentionOp)                    \
                                                    row(skipLayerNormOp) row(biasGeluOp) row(fusedMatMulOp) row(argMaxOp)      \
                                                        row(argMinOp) row(topKOp) row(hardmaxOp) row(cumSumOp)                 \
                                                            row(normalizeOp) row(triluOp) row(einsumOp) row(indexSelectOp)     \
                                                                row(embeddingOp) row(lpPool2dOp) row(affineOp)                 \
                                                                    row(imageScalerOp) row(meanVarianceNormOp)                 \
                                                                        row(randomLikeOp) row(sizeOfOp) row(opaqueOp)

#define FOVEA_DECLARE(name) const OpDef& name();
FOVEA_KINDS(FOVEA_DECLARE)
#undef FOVEA_DECLARE

namespace {

// Explicit, because static libraries drop objects that only register themselves.
const std::vector<const OpDef*>& table()
{
    static const std::vector<const OpDef*> ops = [] {
        std::vector<const OpDef*> out;
#define FOVEA_ADD(name) out.push_back(&name());
        FOVEA_KINDS(FOVEA_ADD)
#undef FOVEA_ADD
        for (const auto* family : {&activationOps(), &elementwiseOps(), &reduceOps()})
            for (const OpDef& def : *family) out.push_back(&def);
        return out;
    }();
    return ops;
}

const OpDef& opaque() { return opaqueOp(); }

}  // namespace

std::span<const OpDef* const> allOps() { return table(); }

const OpDef* findOp(std::string_view kind)
{
    static const std::unordered_map<std::string_view, const OpDef*> byKind = [] {
        std::unordered_map<std::string_view, const OpDef*> out;
        for (const OpDef* op : table()) out.emplace(op->kind, op);
        return out;
    }();
    const auto it = byKind.find(kind);
    return it == byKind.end() ? nullptr : it->second;
}

const OpDef& opFor(std::string_view kind)
{
    const OpDef* op = findOp(kind);
    return op ? *op : opaque();
}

std::span<const OpDef* const> opsForOnnx(std::string_view type)
{
    static const std::map<std::string_view, std::vector<const OpDef*>> byType = [] {
        std::map<std::string_view, std::vector<const OpDef*>> out;
        for (const OpDef* op : table())
            if (op->onnx.read)
                for (const char* name : op->onnx.types) out[name].push_back(op);
        return out;
    }();
    const auto it = byType.find(type);
    return it == byType.end() ? std::span<const OpDef* const>{} : std::span<const OpDef* const>(it->second);
}

Node makeNode(std::string_view kind, std::string name, std::vector<Port> inputs)
{
    Node node;
    node.kind = kind;
    node.name = std::move(name);
    node.inputs = std::move(inputs);
    for (const AttrDef& def : opFor(kind).attrs)
        if (def.shown) node.attrs.set(def.name, def.fallback);
    return node;
}

namespace {

// The "init" attribute of a layer, see initAttr().
void startAs(const std::string& init, ParamSpec& spec)
{
    if (!spec.trainable) return;
    if (init == "zeros") spec.init = Init::Zeros;
    else if (spec.init == Init::KaimingUniform) spec.init = Init::Identity;
    else if (spec.init == Init::BiasUniform) spec.init = Init::Zeros;
}

}  // namespace

std::vector<ParamSpec> specsOf(const NodeView& view)
{
    const OpDef& op = opFor(view.node.kind);
    if (!op.params) return {};
    std::vector<ParamSpec> specs = op.params(view);
    if (const std::string init = view.node.attrs.getText("init", "default"); init != "default")
        for (ParamSpec& spec : specs) startAs(init, spec);
    return specs;
}

std::vector<NamedParam> paramsOf(const Node& node, std::span<const Value> in, std::span<const Value> out)
{
    std::vector<NamedParam> named;
    for (ParamSpec& spec : specsOf({node, in, out})) {
        std::string tensor = node.tensorName(spec.role);
        named.push_back({std::move(spec), std::move(tensor)});
    }
    return named;
}

}  // namespace fovea
