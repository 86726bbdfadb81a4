#include "core/ops/onnx_form.h"

#include <algorithm>
#include "core/ops/common.h"

#include <cmath>

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

Tensor ofType(Tensor tensor, DType type)
{
    if (tensor.dtype == type) return tensor;
    const std::int64_t count = tensor.elements();
    if (type == DType::Int64) {
        Ints values;
        for (std::int64_t i = 0; i < count; ++i) values.push_back(std::llround(tensor.real(i)));
        return Tensor::fromIntegers(tensor.dims, std::move(values));
    }
    auto bytes = std::make_shared<std::vector<std::byte>>(static_cast<std::size_t>(count) * byteSize(type));
    for (std::int64_t i = 0; i < count; ++i)
        storeReal(tensor.real(i), type, bytes->data() + static_cast<std::size_t>(i) * byteSize(type));
    return {type, tensor.dims, *bytes, bytes};
}

std::int64_t onnxType(DType type)
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
    return 0;
}

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

std::optional<std::vector<SizeExpr>> OnnxCall::numbers(std::size_t arg) const
{
    const Tensor* tensor = constant(arg);
    if (!tensor || tensor->elements() > 64) return std::nullopt;
    std::vector<SizeExpr> out = args[arg].sizes;
    for (std::size_t i = 0; i < out.size(); ++i)
        if (!out[i].known() && !isFloating(tensor->dtype)) out[i] = onlyHere(tensor->integer(static_cast<std::int64_t>(i)));
    if (!out.empty()) return out;
    for (std::int64_t i = 0; i < tensor->elements(); ++i) {
        out.push_back(isFloating(tensor->dtype) ? SizeExpr(SizeNumber::of(tensor->real(i), numberType(tensor->dtype))) : SizeExpr(tensor->integer(i)));
    }
    return out;
}

// A division by a comparison: by 1 here, by 0 elsewhere.
SizeExpr OnnxCall::onlyHere(std::int64_t now) const
{
    if (image.node == kNoNode) return {};
    SizeExpr out(now);
    for (const int dim : {static_cast<int>(imageValue.layout.h), static_cast<int>(imageValue.layout.w)}) {
        if (dim < 0 || dim >= imageValue.shape.rank()) continue;
        const SizeExpr here = SizeExpr::apply(SizeOp::Equal, {SizeExpr::dimension(image, dim), SizeExpr(imageValue.shape[dim])});
        out = SizeExpr::apply(SizeOp::Div, {out, here});
    }
    return out;
}

std::optional<std::string> OnnxCall::sizesText(std::span<const SizeExpr> numbers)
{
    const auto inputOf = [&](const Port& port) {
        for (std::size_t i = 0; i < dataInputs.size(); ++i)
            if (dataInputs[i] < args.size() && args[dataInputs[i]].port == port) return i;
        auto at = std::find(extraInputs.begin(), extraInputs.end(), port);
        if (at == extraInputs.end()) at = extraInputs.insert(at, port);
        return dataInputs.size() + static_cast<std::size_t>(at - extraInputs.begin());
    };
    std::string out;
    for (const SizeExpr& number : numbers) {
        if (!number.known()) return std::nullopt;
        if (!out.empty()) out += ';';
        out += number.text([&](const MapDim& from) {
            return "in" + std::to_string(inputOf(from.port)) + "." + std::to_string(from.dim);
        });
    }
    return out;
}

std::string OnnxWriter::ints(Ints values)
{
    const auto count = static_cast<std::int64_t>(values.size());
    return constant(Tensor::fromIntegers({count}, std::move(values)));
}

// A node rather than an initializer, which reads as something learned.
std::string OnnxWriter::real(double value)
{
    return emit("Constant", {}, {{"value", ofType(Tensor::fromFloats({}, {static_cast<float>(value)}), element())}});
}

std::string OnnxWriter::reals(Ints dims, const std::vector<float>& values)
{
    return constant(ofType(Tensor::fromFloats(std::move(dims), values), element()));
}

std::int64_t OnnxWriter::axis(std::int64_t dim, std::size_t input) const
{
    const int front = normalAxis(dim, inputValue(input).shape.rank());
    return front < 0 ? dim : front;
}

Ints OnnxWriter::axes(Ints dims) const
{
    for (std::int64_t& dim : dims) dim = axis(dim);
    return dims;
}

void OnnxWriter::refuse(const std::string& why) const
{
    throw Error(ErrorCode::Usage, "The layer '" + node().name + "' (" + node().kind + ") cannot be written at opset " +
                                      std::to_string(opset()) + ": " + why);
}

std::int64_t OnnxWriter::known(std::int64_t size, const char* what) const
{
    if (size < 0)
        throw Error(ErrorCode::Usage, "The layer '" + node().name + "' (" + node().kind + ") cannot be written: " + what +
                                          " is not known. Mend the findings in front of it, or state the reach of the "
                                          "unknown layer there.");
    return size;
}

void OnnxWriter::needOpset(std::int64_t since, const std::string& what) const
{
    if (opset() < since) refuse("ONNX has " + what + " from opset " + std::to_string(since) + " on.");
}

void OnnxWriter::needFixedSides(const char* what, std::int64_t since) const
{
    const OpenSizes sizes = open();
    if (!sizes.sides()) return;
    const std::string later = since > opset() ? ", or choose opset " + std::to_string(since) + " or later" : "";
    refuse(std::string(what) + " at the present input size only, and the network leaves " +
           (!sizes.width ? "the height open. State it" : !sizes.height ? "the width open. State it" : "height and width open. State them") +
           " (convert --size)" + later + ".");
}

}  // namespace fovea
