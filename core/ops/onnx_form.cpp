#include "core/ops/onnx_form.h"

namespace fovea {

const Value& OnnxCall::value(std::size_t arg) const
{
    static const Value unknown;
    return arg < args.size() ? args[arg].value : unknown;
}

namespace {

template <typename T>
const T* attrAs(const OnnxAttrs& attrs, std::string_view name)
{
    const auto it = attrs.find(name);
    return it == attrs.end() ? nullptr : std::get_if<T>(&it->second);
}

}  // namespace

std::int64_t OnnxCall::getInt(std::string_view name, std::int64_t fallback) const
{
    const auto* value = attrAs<std::int64_t>(attrs, name);
    return value ? *value : fallback;
}

double OnnxCall::getReal(std::string_view name, double fallback) const
{
    const auto* value = attrAs<double>(attrs, name);
    return value ? *value : fallback;
}

std::string OnnxCall::getText(std::string_view name, std::string_view fallback) const
{
    const auto* value = attrAs<std::string>(attrs, name);
    return value ? *value : std::string(fallback);
}

std::optional<Ints> OnnxCall::getInts(std::string_view name) const
{
    const auto* value = attrAs<Ints>(attrs, name);
    return value ? std::optional(*value) : std::nullopt;
}

const Tensor* OnnxCall::getTensor(std::string_view name) const { return attrAs<Tensor>(attrs, name); }

std::optional<Ints> OnnxCall::listFrom(std::string_view attr, std::size_t arg, bool* dynamic) const
{
    if (auto list = getInts(attr)) return list;
    if (!has(arg)) return std::nullopt;
    const Tensor* tensor = constant(arg);
    if (!tensor || tensor->elements() > 64) {
        if (dynamic) *dynamic = true;
        return std::nullopt;
    }
    return tensor->integers();
}

bool OnnxCall::bind(const char* role, std::size_t arg)
{
    if (!has(arg)) return true;
    if (!isConstant(arg)) return false;
    bindings.emplace_back(role, arg);
    return true;
}

bool isReal(DType type)
{
    return type == DType::Float32 || type == DType::Float64 || type == DType::Float16 || type == DType::BFloat16;
}

std::string OnnxWriter::ints(Ints values)
{
    const auto count = static_cast<std::int64_t>(values.size());
    return constant(Tensor::fromIntegers({count}, std::move(values)));
}

// A node rather than an initializer, which reads as something learned.
std::string OnnxWriter::real(double value)
{
    return emit("Constant", {}, {{"value", Tensor::fromFloats({}, {static_cast<float>(value)})}});
}

}  // namespace fovea
