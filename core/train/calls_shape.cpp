#include "core/train/calls.h"

#include "core/base/error.h"

#include <algorithm>

namespace fovea {

namespace {

Ints listOf(const TorchCall& call, const char* name)
{
    const Ints* values = call.args.getInts(name);
    return values ? *values : Ints{};
}

at::Tensor flattened(const TorchCall& call, const at::Tensor& x)
{
    const std::int64_t from = call.args.getInt("start_dim", 1);
    std::int64_t head = 1;
    for (std::int64_t i = 0; i < from; ++i) head *= x.size(i);
    return x.reshape({head, x.numel() / std::max<std::int64_t>(head, 1)});
}

at::Tensor viewed(const TorchCall& call, const at::Tensor& x)
{
    Ints shape = listOf(call, "shape");
    for (std::size_t i = 0; i < shape.size(); ++i)
        if (shape[i] == 0) shape[i] = x.size(static_cast<std::int64_t>(i));
    return x.reshape(shape);
}

at::Tensor squeezed(const TorchCall& call, const at::Tensor& x)
{
    const Ints dims = listOf(call, "dim");
    std::vector<std::int64_t> shape;
    for (std::int64_t i = 0; i < x.dim(); ++i)
        if (std::find(dims.begin(), dims.end(), i) == dims.end()) shape.push_back(x.size(i));
    return x.reshape(shape);
}

at::Tensor unsqueezed(const TorchCall& call, at::Tensor x)
{
    for (const std::int64_t dim : listOf(call, "dim")) x = x.unsqueeze(dim);
    return x;
}

at::Tensor sliced(const TorchCall& call, at::Tensor x)
{
    const Ints dims = listOf(call, "dim"), starts = listOf(call, "start"), ends = listOf(call, "end"),
               steps = listOf(call, "step");
    for (std::size_t i = 0; i < dims.size(); ++i) {
        // PyTorch has no steps backward; counted from the other end, place p is -1 - p.
        if (steps[i] < 0) x = at::slice(x.flip({dims[i]}), dims[i], -1 - starts[i], -1 - ends[i], -steps[i]);
        else x = at::slice(x, dims[i], starts[i], ends[i], steps[i]);
    }
    return x;
}

// Reshape [n, a, b, c, h, w], reorder, reshape back: depth to space and its opposite.
at::Tensor depthToSpace(const at::Tensor& x, std::int64_t r)
{
    const std::int64_t n = x.size(0), c = x.size(1) / (r * r), h = x.size(2), w = x.size(3);
    return x.reshape({n, r, r, c, h, w}).permute({0, 3, 4, 1, 5, 2}).reshape({n, c, h * r, w * r});
}

at::Tensor spaceToDepth(const at::Tensor& x, std::int64_t r)
{
    const std::int64_t n = x.size(0), c = x.size(1), h = x.size(2) / r, w = x.size(3) / r;
    return x.reshape({n, c, h, r, w, r}).permute({0, 3, 5, 1, 2, 4}).reshape({n, c * r * r, h, w});
}

// The batch is that of the tensor, whatever size the network was analysed at.
at::Tensor expanded(const TorchCall& call, const at::Tensor& x)
{
    Ints size = listOf(call, "size");
    const std::size_t more = size.size() - std::min(size.size(), static_cast<std::size_t>(x.dim()));
    for (std::size_t i = more; i < size.size(); ++i)
        if (const std::int64_t has = x.size(static_cast<std::int64_t>(i - more)); has != 1) size[i] = has;
    return x.expand(size);
}

at::Tensor shuffled(const at::Tensor& x, std::int64_t groups)
{
    std::vector<std::int64_t> apart = x.sizes().vec();
    apart[1] /= groups;
    apart.insert(apart.begin() + 1, groups);
    return x.reshape(apart).transpose(1, 2).reshape(x.sizes());
}

}  // namespace

at::Tensor reshaped(const TorchCall& call, const at::Tensor& x)
{
    switch (call.op) {
    case TorchOp::Flatten: return flattened(call, x);
    case TorchOp::Reshape: return viewed(call, x);
    case TorchOp::Squeeze: return squeezed(call, x);
    case TorchOp::Unsqueeze: return unsqueezed(call, x);
    case TorchOp::Permute: return x.permute(listOf(call, "dims"));
    case TorchOp::Slice: return sliced(call, x);
    case TorchOp::IndexSelect: {
        const std::int64_t dim = call.args.getInt("dim", 1);
        const Ints places = listOf(call, "index");
        const at::Tensor index = at::tensor(at::IntArrayRef(places), at::TensorOptions().dtype(at::kLong)).to(x.device());
        return at::index_select(x, dim, at::remainder(index, x.size(dim)));
    }
    case TorchOp::Select: return x.select(call.args.getInt("dim", 1), call.args.getInt("index", 0));
    case TorchOp::PixelShuffle: return at::pixel_shuffle(x, call.args.getInt("upscale_factor", 2));
    case TorchOp::PixelUnshuffle: return at::pixel_unshuffle(x, call.args.getInt("downscale_factor", 2));
    case TorchOp::DepthToSpace: return depthToSpace(x, call.args.getInt("upscale_factor", 2));
    case TorchOp::SpaceToDepth: return spaceToDepth(x, call.args.getInt("downscale_factor", 2));
    case TorchOp::ChannelShuffle: return shuffled(x, call.args.getInt("groups", 2));
    case TorchOp::Expand: return expanded(call, x);
    case TorchOp::Tile: return x.repeat(listOf(call, "repeats"));
    default: throw Error(ErrorCode::Internal, "Not a change of shape.");
    }
}

at::Tensor padded(const TorchCall& call, const at::Tensor& x)
{
    // Pairs from the first dimension on; PyTorch wants them from the last.
    const Ints pads = listOf(call, "pads");
    std::vector<std::int64_t> backwards;
    for (std::size_t i = pads.size(); i >= 2; i -= 2) backwards.insert(backwards.end(), {pads[i - 2], pads[i - 1]});
    if (call.op == TorchOp::ConstantPad) return at::constant_pad_nd(x, backwards, call.args.getDouble("value", 0));
    if (x.dim() != 4 || pads.size() != 8 || pads[0] != 0 || pads[1] != 0 || pads[2] != 0 || pads[3] != 0)
        throw Error(ErrorCode::Usage,
                    "Mirrored and repeated padding run on the height and width of images (NxCxHxW) only.");
    backwards.resize(4);
    return call.op == TorchOp::ReflectionPad ? at::reflection_pad2d(x, backwards) : at::replication_pad2d(x, backwards);
}

std::vector<at::Tensor> splitUp(const TorchCall& call, const at::Tensor& x)
{
    return at::split_with_sizes(x, listOf(call, "split_sizes"), call.args.getInt("dim", 1));
}

}  // namespace fovea
