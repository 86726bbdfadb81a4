#include "core/ops/common.h"
#include "core/ops/older_forms.h"

#include <limits>

namespace fovea {

namespace {

constexpr double kNone = std::numeric_limits<float>::max();

bool bound(const OnnxCall& call, const char* attr, std::size_t arg, double& value)
{
    value = call.getReal(attr, value);
    if (!call.has(arg)) return true;
    const Tensor* tensor = call.constant(arg);
    if (!tensor || tensor->elements() != 1) return false;
    value = tensor->real(0);
    return true;
}

bool read(OnnxCall& call)
{
    double low = -kNone, high = kNone;
    if (!bound(call, "min", 1, low) || !bound(call, "max", 2, high)) return false;
    if (low == 0 && high == 6) {
        call.node.kind = "ReLU6";
        call.node.attrs = {};
        return true;
    }
    call.node.attrs.set("min_val", low);
    call.node.attrs.set("max_val", high);
    return true;
}

void writeClip(OnnxWriter& writer, double low, double high) { emitClip(writer, writer.input(), low, high, {writer.output()}); }

}  // namespace

const OpDef& relu6Op()
{
    static const OpDef def{.kind = "ReLU6", .opClass = OpClass::Activation, .memory = keepsInputs, .doc = "min(max(0, x), 6).",
                           .torch = {TorchOp::ReLU6},
                           .onnx = {.write = [](OnnxWriter& writer) { writeClip(writer, 0, 6); }}};
    return def;
}

const OpDef& hardtanhOp()
{
    static const OpDef def{
        .kind = "Hardtanh",
        .opClass = OpClass::Activation,
        .memory = keepsInputs,
        .doc = "Clips to a range.",
        .attrs = {{.name = "min_val", .type = AttrType::Real, .fallback = -1.0, .doc = "Lowest value"},
                  {.name = "max_val", .type = AttrType::Real, .fallback = 1.0, .doc = "Highest value"}},
        .torch = {TorchOp::Hardtanh, {"min_val", "max_val"}},
        .onnx = {.types = {"Clip"},
                 .read = read,
                 .write = [](OnnxWriter& writer) { writeClip(writer, writer.node().attrs.getDouble("min_val", -1), writer.node().attrs.getDouble("max_val", 1)); }},
    };
    return def;
}

}  // namespace fovea
