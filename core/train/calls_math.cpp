#include "core/train/calls.h"

#include "core/base/error.h"

#include <algorithm>
#include <map>

namespace fovea {

namespace {

at::Tensor pair(TorchOp op, const at::Tensor& a, const at::Tensor& b)
{
    switch (op) {
    case TorchOp::Add: return a + b;
    case TorchOp::Sub: return a - b;
    case TorchOp::Mul: return a * b;
    case TorchOp::Div: return a / b;
    case TorchOp::Pow: return at::pow(a, b);
    case TorchOp::Maximum: return at::maximum(a, b);
    case TorchOp::Minimum: return at::minimum(a, b);
    case TorchOp::Equal: return at::eq(a, b).to(a.scalar_type());
    case TorchOp::Greater: return at::gt(a, b).to(a.scalar_type());
    case TorchOp::GreaterOrEqual: return at::ge(a, b).to(a.scalar_type());
    case TorchOp::Less: return at::lt(a, b).to(a.scalar_type());
    case TorchOp::LessOrEqual: return at::le(a, b).to(a.scalar_type());
    case TorchOp::And: return at::logical_and(a, b).to(a.scalar_type());
    case TorchOp::Or: return at::logical_or(a, b).to(a.scalar_type());
    case TorchOp::Xor: return at::logical_xor(a, b).to(a.scalar_type());
    default: throw Error(ErrorCode::Internal, "Not an operation of two maps.");
    }
}

// A mean over `size` neighbouring channels, as PyTorch pads them.
at::Tensor localResponse(const TorchCall& call, const at::Tensor& x)
{
    const std::int64_t size = call.args.getInt("size", 5), channels = x.size(1);
    const at::Tensor squares = (x * x).reshape({x.size(0), 1, channels, -1});
    const at::Tensor padded = at::constant_pad_nd(squares, {0, 0, size / 2, (size - 1) / 2});
    const at::Tensor energy = at::avg_pool2d(padded, {size, 1}, {1, 1}).reshape(x.sizes());
    return x / at::pow(call.args.getDouble("k", 1) + call.args.getDouble("alpha", 1e-4) * energy,
                       call.args.getDouble("beta", 0.75));
}

}  // namespace

at::Tensor combine(const TorchCall& call, const CallInputs& inputs)
{
    std::vector<at::Tensor> parts = inputs.in;
    at::Tensor constant = inputs.tensor("other");
    if (!constant.defined() && call.args.has("scalar"))
        constant = at::full({}, call.args.getDouble("scalar", 0), parts.at(0).options());
    if (constant.defined())
        parts.insert(call.args.getBool("scalar_first", false) ? parts.begin() : parts.end(), constant);
    if (call.op == TorchOp::Mod && parts.size() == 2)
        return call.args.getBool("fmod", true) ? at::fmod(parts[0], parts[1]) : at::remainder(parts[0], parts[1]);
    const bool average = call.op == TorchOp::Average;
    at::Tensor out = parts.at(0);
    for (std::size_t i = 1; i < parts.size(); ++i) out = pair(average ? TorchOp::Add : call.op, out, parts[i]);
    return average ? out / static_cast<double>(parts.size()) : out;
}

at::Tensor chosen(const CallInputs& inputs)
{
    std::vector<at::Tensor> terms;
    std::size_t next = 0;
    for (const char* role : {"condition", "then", "else"}) {
        const at::Tensor own = inputs.tensor(role);
        terms.push_back(own.defined() ? own : inputs.in.at(next++));
    }
    return at::where(terms[0] != 0, terms[1], terms[2]);
}

at::Tensor functionOf(const std::string& name, const at::Tensor& x)
{
    using Function = at::Tensor (*)(const at::Tensor&);
    static const std::map<std::string, Function> functions{
        {"tan", at::tan},     {"asin", at::asin},   {"acos", at::acos},   {"atan", at::atan},   {"sinh", at::sinh},
        {"cosh", at::cosh},   {"asinh", at::asinh}, {"acosh", at::acosh}, {"atanh", at::atanh}, {"logical_not", at::logical_not},
        {"isnan", at::isnan}, {"isinf", at::isinf}};
    const auto it = functions.find(name);
    if (it == functions.end()) throw Error(ErrorCode::Internal, "No function is called '" + name + "'.");
    return it->second(x).to(x.scalar_type());
}

at::Tensor castTo(std::int64_t onnxType, const at::Tensor& x)
{
    constexpr std::int64_t kFloat = 1, kBool = 9, kHalf = 10, kDouble = 11, kBfloat = 16;
    if (onnxType == kFloat || onnxType == kHalf || onnxType == kDouble || onnxType == kBfloat) return x;
    return onnxType == kBool ? (x != 0).to(x.scalar_type()) : at::trunc(x);
}

std::vector<at::Tensor> alongAxis(const TorchCall& call, const at::Tensor& x)
{
    const Attributes& args = call.args;
    const std::int64_t dim = args.getInt("dim", -1);
    const bool keep = args.getBool("keepdim", true);
    switch (call.op) {
    case TorchOp::ArgMax: return {at::argmax(x, dim, keep).to(x.scalar_type())};
    case TorchOp::ArgMin: return {at::argmin(x, dim, keep).to(x.scalar_type())};
    case TorchOp::TopK: {
        const auto [values, places] = at::topk(x, args.getInt("k", 1), dim, args.getBool("largest", true), args.getBool("sorted", true));
        return {values, places.to(x.scalar_type())};
    }
    case TorchOp::Hardmax: return {at::zeros_like(x).scatter(dim, at::argmax(x, dim, true), 1)};
    case TorchOp::CumSum: {
        const bool reverse = args.getBool("reverse", false);
        const at::Tensor sum = reverse ? at::cumsum(x.flip(dim), dim).flip(dim) : at::cumsum(x, dim);
        return {args.getBool("exclusive", false) ? sum - x : sum};
    }
    case TorchOp::Normalize: return {x / at::clamp_min(at::norm(x, args.getInt("p", 2), {dim}, true), 1e-12)};
    default: throw Error(ErrorCode::Internal, "Not a function along one dimension.");
    }
}

at::Tensor einsum(const TorchCall& call, const CallInputs& inputs)
{
    std::vector<at::Tensor> parts = inputs.in;
    if (const at::Tensor weight = inputs.tensor("weight"); weight.defined())
        parts.insert(parts.begin() + std::min<std::ptrdiff_t>(call.args.getInt("weight_at", 1), static_cast<std::ptrdiff_t>(parts.size())), weight);
    return at::einsum(call.args.getText("equation"), parts);
}

at::Tensor reduce(const TorchCall& call, const at::Tensor& x)
{
    const Ints* listed = call.args.getInts("dim");
    const Ints dims = listed ? *listed : Ints{};
    const bool keep = call.args.getBool("keepdim", true);
    if (dims.empty()) return x;
    switch (call.op) {
    case TorchOp::Mean: return at::mean(x, dims, keep);
    case TorchOp::Sum: return at::sum(x, dims, keep);
    case TorchOp::Amax: return at::amax(x, dims, keep);
    case TorchOp::Amin: return at::amin(x, dims, keep);
    case TorchOp::Norm: return at::norm(x, 2, dims, keep);
    case TorchOp::L1Norm: return at::sum(at::abs(x), dims, keep);
    case TorchOp::LogSum: return at::log(at::sum(x, dims, keep));
    case TorchOp::LogSumExp: return at::logsumexp(x, dims, keep);
    case TorchOp::SumSquare: return at::sum(x * x, dims, keep);
    case TorchOp::Prod: {
        Ints last = dims;  // one dimension at a time, the last first
        for (std::int64_t& dim : last) dim = dim < 0 ? dim + x.dim() : dim;
        std::sort(last.rbegin(), last.rend());
        at::Tensor out = x;
        for (const std::int64_t dim : last) out = at::prod(out, dim, keep);
        return out;
    }
    default: throw Error(ErrorCode::Internal, "Not a reduction.");
    }
}

std::vector<std::int64_t> dimsFrom(const TorchCall& call, const at::Tensor& x)
{
    std::int64_t axis = call.args.getInt("axis", -1);
    if (axis < 0) axis += x.dim();
    std::vector<std::int64_t> dims;
    for (; axis < x.dim(); ++axis) dims.push_back(axis);
    return dims;
}

at::Tensor normalise(const TorchCall& call, const CallInputs& inputs)
{
    const at::Tensor& x = inputs.x();
    const at::Tensor weight = inputs.tensor("weight"), bias = inputs.tensor("bias");
    const double eps = call.args.getDouble("eps", 1e-5);
    switch (call.op) {
    case TorchOp::BatchNorm2d:
        return at::batch_norm(x, weight, bias, inputs.tensor("running_mean"), inputs.tensor("running_var"),
                              inputs.training, call.args.getDouble("momentum", 0.1), eps,
                              at::globalContext().userEnabledCuDNN());
    case TorchOp::GroupNorm: {
        const std::int64_t groups = call.args.getInt("num_groups", 1);
        if (!call.args.getBool("per_group", false)) return at::group_norm(x, groups, weight, bias, eps, false);
        const std::int64_t each = x.size(1) / groups;
        return at::group_norm(x, groups, weight.repeat_interleave(each), bias.repeat_interleave(each), eps, false);
    }
    case TorchOp::InstanceNorm2d: return at::instance_norm(x, weight, bias, {}, {}, true, 0, eps, false);
    case TorchOp::LayerNorm: {
        std::vector<std::int64_t> shape;
        for (const std::int64_t dim : dimsFrom(call, x)) shape.push_back(x.size(dim));
        const bool plain = !weight.defined() || weight.dim() == static_cast<std::int64_t>(shape.size());
        return plain ? at::layer_norm(x, shape, weight, bias, eps, false)
                     : at::layer_norm(x, shape, weight.reshape(shape), bias.reshape(shape), eps, false);
    }
    case TorchOp::LocalResponseNorm: return localResponse(call, x);
    default: throw Error(ErrorCode::Internal, "Not a normalisation.");
    }
}

}  // namespace fovea
