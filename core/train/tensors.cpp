#include "core/train/tensors.h"

#include "core/base/error.h"

#include <cstring>

namespace fovea {

namespace {

at::ScalarType torchType(DType type, const std::string& name)
{
    switch (type) {
    case DType::Float32: return at::kFloat;
    case DType::Float64: return at::kDouble;
    case DType::Float16: return at::kHalf;
    case DType::BFloat16: return at::kBFloat16;
    case DType::Int8: return at::kChar;
    case DType::UInt8: return at::kByte;
    case DType::Int16: return at::kShort;
    case DType::Int32: return at::kInt;
    case DType::Int64: return at::kLong;
    case DType::Bool: return at::kBool;
    case DType::UInt16:
    case DType::UInt32:
    case DType::UInt64: break;
    }
    throw Error(ErrorCode::Usage, "Tensor '" + name + "' has type " + std::string(toString(type)) +
                                      ", which LibTorch does not compute with.");
}

DType coreType(at::ScalarType type)
{
    return type == at::kDouble ? DType::Float64 : type == at::kLong ? DType::Int64 : DType::Float32;
}

}  // namespace

at::Tensor toTorch(const Tensor& tensor, at::ScalarType type, const at::Device& device, const std::string& name)
{
    const at::ScalarType own = torchType(tensor.dtype, name);
    at::Tensor copy = at::empty(tensor.dims, at::TensorOptions(own));
    if (!tensor.bytes.empty()) std::memcpy(copy.data_ptr(), tensor.bytes.data(), tensor.bytes.size());
    return copy.to(device, at::isFloatingType(own) ? type : own);
}

Tensor fromTorch(const at::Tensor& tensor)
{
    Tensor out;
    out.dtype = coreType(tensor.scalar_type());
    const at::ScalarType type = out.dtype == DType::Float64 ? at::kDouble
                                : out.dtype == DType::Int64 ? at::kLong
                                                            : at::kFloat;
    const at::Tensor plain = tensor.detach().to(at::kCPU, type).contiguous();
    out.dims = plain.sizes().vec();
    const auto* data = static_cast<const std::byte*>(plain.data_ptr());
    auto bytes = std::make_shared<std::vector<std::byte>>(data, data + plain.nbytes());
    out.bytes = *bytes;
    out.owner = std::move(bytes);
    return out;
}

}  // namespace fovea
