#include "core/io/pytorch/calls.h"

#include "core/ops/size_expr.h"
#include "core/base/error.h"
#include "core/io/pytorch/python_text.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace fovea {

namespace {

struct Windows : TorchWindows {
    bool symmetric() const
    {
        return begin == end && std::all_of(begin.begin(), begin.end(), [](std::int64_t pad) { return pad >= 0; });
    }
    // PyTorch's poolings pad by at most half a kernel.
    bool poolsAsPyTorch() const
    {
        for (std::size_t i = 0; i < kernel.size(); ++i)
            if (begin[i] * 2 > kernel[i]) return false;
        return symmetric();
    }
};

Windows windowsOf(const TorchCall& call, const Ints& kernel) { return {torchWindows(call, kernel)}; }

// F.pad lists pairs from the last dimension on.
Ints backwards(const Ints& begin, const Ints& end, std::int64_t sign = 1)
{
    Ints out;
    for (std::size_t i = begin.size(); i-- > 0;) out.insert(out.end(), {sign * begin[i], sign * end[i]});
    return out;
}

std::string padded(const std::string& x, const Ints& pairs) { return "F.pad(" + x + ", " + pythonTuple(pairs) + ")"; }

std::string quoted(bool value) { return value ? "True" : "False"; }

std::string trainingOf(const TorchLayer& layer) { return layer.frozen ? "False" : "self.training"; }

int rankOf(const TorchLayer& layer) { return layer.in.empty() ? -1 : layer.in[0].shape.rank(); }

// Dimensions counted from the first, where the rank is known.
std::int64_t counted(std::int64_t dim, int rank) { return dim < 0 && rank > 0 ? dim + rank : dim; }

Ints listOf(const TorchCall& call, const char* name)
{
    const Ints* values = call.args.getInts(name);
    return values ? *values : Ints{};
}

bool has(const TorchLayer& layer, const char* role) { return layer.keys.contains(role); }

std::size_t axesOf(TorchOp op) { return op == TorchOp::Conv1d ? 1 : op == TorchOp::Conv3d ? 3 : 2; }

Ints kernelOfWeight(const TorchLayer& layer)
{
    const Ints& dims = layer.dims.at("weight");
    return dims.size() > 2 ? Ints(dims.begin() + 2, dims.end()) : Ints{};
}

// Modules

void append(std::vector<std::string>& out, const char* name, const std::string& value, const std::string& usual)
{
    if (value != usual) out.push_back(std::string(name) + "=" + value);
}

std::string moduleText(const std::string& type, const std::vector<std::string>& arguments)
{
    return "nn." + type + "(" + pythonArguments(arguments) + ")";
}

std::string convolutionModule(const TorchLayer& layer, bool transposed)
{
    const Ints& dims = layer.dims.at("weight");
    const Windows windows = windowsOf(layer.call, kernelOfWeight(layer));
    const std::size_t axes = transposed ? 2 : axesOf(layer.call.op);
    if (dims.size() != axes + 2) return {};
    const std::int64_t groups = layer.call.args.getInt("groups", 1);
    const std::int64_t in = transposed ? dims[0] : dims[1] * groups, out = transposed ? dims[1] * groups : dims[0];
    std::vector<std::string> arguments{std::to_string(in), std::to_string(out),
                                       "kernel_size=" + pythonPair(windows.kernel)};
    append(arguments, "stride", pythonPair(windows.stride), "1");
    if (windows.symmetric()) append(arguments, "padding", pythonPair(windows.begin), "0");
    if (transposed)
        append(arguments, "output_padding",
               pythonPair({layer.call.args.at("output_padding", 0, 0), layer.call.args.at("output_padding", 1, 0)}),
               "0");
    append(arguments, "dilation", pythonPair(windows.dilation), "1");
    append(arguments, "groups", std::to_string(groups), "1");
    append(arguments, "bias", quoted(has(layer, "bias")), "True");
    return moduleText((transposed ? "ConvTranspose" : "Conv") + std::to_string(axes) + "d", arguments);
}

std::string linearModule(const TorchLayer& layer)
{
    const Ints& dims = layer.dims.at("weight");
    if (dims.size() != 2 || layer.call.args.getBool("weight_transposed", false)) return {};
    std::vector<std::string> arguments{std::to_string(dims[1]), std::to_string(dims[0])};
    append(arguments, "bias", quoted(has(layer, "bias")), "True");
    return moduleText("Linear", arguments);
}

// What PyTorch calls a norm over channels depends on the rank of the map.
std::string byRank(const char* family, int rank)
{
    return rank < 2 || rank > 5 ? std::string() : family + std::to_string(rank == 5 ? 3 : rank == 4 ? 2 : 1) + "d";
}

std::string batchNormModule(const TorchLayer& layer)
{
    const std::string type = byRank("BatchNorm", rankOf(layer));
    if (type.empty()) return {};
    std::vector<std::string> arguments{std::to_string(layer.dims.at("weight")[0])};
    append(arguments, "eps", pythonReal(layer.call.args.getDouble("eps", 1e-5)), "1e-05");
    append(arguments, "momentum", pythonReal(layer.call.args.getDouble("momentum", 0.1)), "0.1");
    return moduleText(type, arguments);
}

std::string layerNormModule(const TorchLayer& layer)
{
    const Shape& in = layer.in.empty() ? Shape{} : layer.in[0].shape;
    const std::int64_t axis = counted(layer.call.args.getInt("axis", -1), in.rank());
    if (axis != in.rank() - 1 || in.rank() < 1 || layer.dims.at("weight").size() != 1) return {};
    std::vector<std::string> arguments{std::to_string(layer.dims.at("weight")[0])};
    append(arguments, "eps", pythonReal(layer.call.args.getDouble("eps", 1e-5)), "1e-05");
    return moduleText("LayerNorm", arguments);
}

// Functions

// Names of a layer's tensors in the source.
std::string tensorOf(const TorchLayer& layer, const char* role, const char* none = "None")
{
    const auto it = layer.keys.find(role);
    return it == layer.keys.end() ? none : pythonAccess(it->second);
}

std::string convolution(const TorchLayer& layer, const std::string& x)
{
    const Windows windows = windowsOf(layer.call, kernelOfWeight(layer));
    const std::string source = windows.symmetric() ? x : padded(x, backwards(windows.begin, windows.end));
    if (!layer.module.empty()) return pythonAccess(layer.module) + "(" + source + ")";
    std::vector<std::string> arguments{source, tensorOf(layer, "weight"), tensorOf(layer, "bias")};
    append(arguments, "stride", pythonPair(windows.stride), "1");
    if (windows.symmetric()) append(arguments, "padding", pythonPair(windows.begin), "0");
    append(arguments, "dilation", pythonPair(windows.dilation), "1");
    append(arguments, "groups", std::to_string(layer.call.args.getInt("groups", 1)), "1");
    return "F.conv" + std::to_string(axesOf(layer.call.op)) + "d(" + pythonArguments(arguments) + ")";
}

std::string transposedConvolution(const TorchLayer& layer, const std::string& x)
{
    const Windows windows = windowsOf(layer.call, kernelOfWeight(layer));
    std::string out;
    if (!layer.module.empty()) {
        out = pythonAccess(layer.module) + "(" + x + ")";
    } else {
        std::vector<std::string> arguments{x, tensorOf(layer, "weight"), tensorOf(layer, "bias")};
        append(arguments, "stride", pythonPair(windows.stride), "1");
        if (windows.symmetric()) append(arguments, "padding", pythonPair(windows.begin), "0");
        append(arguments, "output_padding",
               pythonPair({layer.call.args.at("output_padding", 0, 0), layer.call.args.at("output_padding", 1, 0)}),
               "0");
        append(arguments, "groups", std::to_string(layer.call.args.getInt("groups", 1)), "1");
        append(arguments, "dilation", pythonPair(windows.dilation), "1");
        out = "F.conv_transpose2d(" + pythonArguments(arguments) + ")";
    }
    return windows.symmetric() ? out : padded(out, backwards(windows.begin, windows.end, -1));
}

std::string linear(const TorchLayer& layer, const std::string& x)
{
    if (!layer.module.empty()) return pythonAccess(layer.module) + "(" + x + ")";
    const bool transposed = layer.call.args.getBool("weight_transposed", false);
    std::vector<std::string> arguments{x, tensorOf(layer, "weight") + (transposed ? ".t()" : "")};
    if (has(layer, "bias")) arguments.push_back(tensorOf(layer, "bias"));
    return "F.linear(" + pythonArguments(arguments) + ")";
}

// One slope, one a channel, or a shape that broadcasts.
std::string prelu(const TorchLayer& layer, const std::string& x)
{
    if (!layer.module.empty()) return pythonAccess(layer.module) + "(" + x + ")";
    std::string slope = tensorOf(layer, "weight");
    const Ints& dims = layer.dims.at("weight");
    if (std::all_of(dims.begin(), dims.end(), [](std::int64_t dim) { return dim == 1; })) slope += ".reshape(())";
    else if (dims.size() == 1 && rankOf(layer) > 2) {
        Ints shape(static_cast<std::size_t>(rankOf(layer) - 1), 1);
        shape[0] = dims[0];
        slope += ".reshape" + pythonTuple(shape);
    }
    return "torch.where(" + x + " > 0, " + x + ", " + x + " * " + slope + ")";
}

std::string maxPoolWithIndices(const TorchLayer& layer, const std::string& x, PythonCall& out)
{
    const Windows windows = windowsOf(layer.call, torchKernel(layer.call, 2));
    out.helpers.insert(TorchHelper::FitToWindows);
    out.helpers.insert(TorchHelper::MaxPoolWithIndices);
    return "max_pool_with_indices(" +
           pythonArguments({x, pythonTuple(windows.kernel), pythonTuple(windows.stride), pythonTuple(windows.dilation),
                            pythonTuple(windows.begin), pythonTuple(windows.end), quoted(windows.ceilMode)}) +
           ")";
}

std::string maxUnpool(const TorchLayer& layer, const std::vector<std::string>& inputs, PythonCall& out)
{
    out.helpers.insert(TorchHelper::MaxUnpool);
    const Ints size{layer.call.args.at("output_size", 0, 0), layer.call.args.at("output_size", 1, 0)};
    if (inputs.size() < 3 && (size[0] < 1 || size[1] < 1))
        throw Error(ErrorCode::Usage, "The size of the map that it restores does not follow from the network.");
    return "max_unpool(" + pythonArguments({inputs.at(0), inputs.at(1), inputs.size() > 2 ? inputs[2] + ".shape[2:]" : pythonTuple(size)}) + ")";
}

std::string maxPool(const TorchLayer& layer, const std::string& x, std::size_t axes, PythonCall& out)
{
    const Windows windows = windowsOf(layer.call, torchKernel(layer.call, axes));
    const bool plain = windows.poolsAsPyTorch();
    std::string source = x;
    if (!plain) {
        out.helpers.insert(TorchHelper::FitToWindows);
        source = "fit_to_windows(" +
                 pythonArguments({x, pythonTuple(windows.kernel), pythonTuple(windows.stride),
                                  pythonTuple(windows.dilation), pythonTuple(windows.begin), pythonTuple(windows.end),
                                  quoted(windows.ceilMode), "float(\"-inf\")"}) +
                 ")";
    }
    std::vector<std::string> arguments{source, pythonPair(windows.kernel), "stride=" + pythonPair(windows.stride)};
    if (plain) append(arguments, "padding", pythonPair(windows.begin), "0");
    append(arguments, "dilation", pythonPair(windows.dilation), "1");
    if (plain) append(arguments, "ceil_mode", quoted(windows.ceilMode), "False");
    return "F.max_pool" + std::to_string(axes) + "d(" + pythonArguments(arguments) + ")";
}

std::string averagePool(const TorchLayer& layer, const std::string& x, std::size_t axes, PythonCall& out)
{
    const Windows windows = windowsOf(layer.call, torchKernel(layer.call, axes));
    const bool countPadding = layer.call.args.getBool("count_include_pad", true);
    if (!windows.poolsAsPyTorch()) {
        out.helpers.insert(TorchHelper::FitToWindows);
        out.helpers.insert(TorchHelper::AveragePool);
        return "average_pool(" +
               pythonArguments({x, pythonTuple(windows.kernel), pythonTuple(windows.stride), pythonTuple(windows.begin),
                                pythonTuple(windows.end), quoted(windows.ceilMode), quoted(countPadding)}) +
               ")";
    }
    std::vector<std::string> arguments{x, pythonPair(windows.kernel), "stride=" + pythonPair(windows.stride)};
    append(arguments, "padding", pythonPair(windows.begin), "0");
    append(arguments, "ceil_mode", quoted(windows.ceilMode), "False");
    append(arguments, "count_include_pad", quoted(countPadding), "True");
    return "F.avg_pool" + std::to_string(axes) + "d(" + pythonArguments(arguments) + ")";
}

std::string adaptivePool(const TorchLayer& layer, const std::string& x, const char* name)
{
    const Ints size{layer.call.args.at("output_size", 0, 1), layer.call.args.at("output_size", 1, 1)};
    const std::string out = std::string("F.") + name + "(" + x + ", " + pythonPair(size) + ")";
    return layer.call.args.getBool("keepdim", true) ? out : "torch.flatten(" + out + ", 1)";
}

std::string normalisation(const TorchLayer& layer, const std::string& x)
{
    if (!layer.module.empty()) return pythonAccess(layer.module) + "(" + x + ")";
    const Attributes& args = layer.call.args;
    const std::string eps = "eps=" + pythonReal(args.getDouble("eps", 1e-5));
    const std::string weight = tensorOf(layer, "weight"), bias = tensorOf(layer, "bias");
    if (layer.call.op == TorchOp::BatchNorm2d)
        return "F.batch_norm(" +
               pythonArguments({x, tensorOf(layer, "running_mean"), tensorOf(layer, "running_var"), weight, bias,
                                trainingOf(layer), pythonReal(args.getDouble("momentum", 0.1)), eps}) +
               ")";
    if (layer.call.op == TorchOp::GroupNorm) {
        const std::int64_t groups = args.getInt("num_groups", 1), channels = layer.in.empty() ? groups : layer.in[0].channels();
        const bool perGroup = args.getBool("per_group", false) && groups > 0;
        const std::string spread = perGroup ? ".repeat_interleave(" + std::to_string(channels / groups) + ")" : "";
        return "F.group_norm(" + pythonArguments({x, std::to_string(groups), weight + spread, bias + spread, eps}) + ")";
    }
    if (layer.call.op == TorchOp::InstanceNorm2d)
        return "F.instance_norm(" + pythonArguments({x, "weight=" + weight, "bias=" + bias, eps}) + ")";
    if (layer.call.op == TorchOp::LocalResponseNorm)
        return "F.local_response_norm(" +
               pythonArguments(
                   {x, std::to_string(args.getInt("size", 5)), "alpha=" + pythonReal(args.getDouble("alpha", 1e-4)),
                    "beta=" + pythonReal(args.getDouble("beta", 0.75)), "k=" + pythonReal(args.getDouble("k", 1))}) +
               ")";
    const std::string shape = x + ".shape[" + std::to_string(counted(args.getInt("axis", -1), rankOf(layer))) + ":]";
    std::vector<std::string> arguments{x, shape};
    // The tensors may hold the normalised dimensions as one.
    if (has(layer, "weight")) arguments.push_back(weight + ".reshape(" + shape + ")");
    if (has(layer, "bias"))
        arguments.push_back(std::string(has(layer, "weight") ? "" : "bias=") + bias + ".reshape(" + shape + ")");
    arguments.push_back(eps);
    return "F.layer_norm(" + pythonArguments(arguments) + ")";
}

bool isNumber(const std::string& text)
{
    return text.find_first_not_of("-0123456789.e+") == std::string::npos || text.starts_with("float(");
}

std::string ofTwo(TorchOp op, const std::string& a, const std::string& b)
{
    const auto bounded = [&](const char* function, const char* bound) {
        if (isNumber(a)) return "torch.clamp(" + b + ", " + bound + "=" + a + ")";
        if (isNumber(b)) return "torch.clamp(" + a + ", " + bound + "=" + b + ")";
        return std::string("torch.") + function + "(" + a + ", " + b + ")";
    };
    switch (op) {
    case TorchOp::Add: return a + " + " + b;
    case TorchOp::Sub: return a + " - " + b;
    case TorchOp::Mul: return a + " * " + b;
    case TorchOp::Div: return a + " / " + b;
    case TorchOp::Pow: return "torch.pow(" + a + ", " + b + ")";
    case TorchOp::Maximum: return bounded("maximum", "min");
    case TorchOp::Minimum: return bounded("minimum", "max");
    default: throw Error(ErrorCode::Internal, "Not an operation of two maps.");
    }
}

std::string combined(const TorchLayer& layer, const std::vector<std::string>& inputs)
{
    std::vector<std::string> parts = inputs;
    std::string constant = tensorOf(layer, "other", "");
    if (constant.empty() && layer.call.args.has("scalar")) {
        constant = pythonReal(layer.call.args.getDouble("scalar", 0));
        if (constant.starts_with('-')) constant = "(" + constant + ")";
    }
    if (constant.starts_with('(') && (layer.call.op == TorchOp::Maximum || layer.call.op == TorchOp::Minimum))
        constant = constant.substr(1, constant.size() - 2);
    if (!constant.empty())
        parts.insert(layer.call.args.getBool("scalar_first", false) ? parts.begin() : parts.end(), constant);
    std::string out = parts.at(0);
    for (std::size_t i = 1; i < parts.size(); ++i) out = ofTwo(layer.call.op, out, parts[i]);
    return out;
}

std::string reduced(const TorchLayer& layer, const std::string& x, const char* name)
{
    const Ints dims = listOf(layer.call, "dim");
    if (dims.empty()) return x;
    std::vector<std::string> arguments{x};
    if (layer.call.op == TorchOp::Norm) arguments.push_back("p=2");
    arguments.push_back("dim=" + pythonTuple(dims));
    arguments.push_back("keepdim=" + quoted(layer.call.args.getBool("keepdim", true)));
    return std::string("torch.") + name + "(" + pythonArguments(arguments) + ")";
}

std::string flattened(const TorchLayer& layer, const std::string& x)
{
    const std::int64_t from = layer.call.args.getInt("start_dim", 1);
    if (from == 1 && rankOf(layer) > 1) return "torch.flatten(" + x + ", 1)";
    const std::string head = from == 0 ? "1" : x + ".shape[:" + std::to_string(from) + "].numel()";
    return x + ".reshape(" + head + ", -1)";
}

Error unknownSizes()
{
    return {ErrorCode::Usage, "The shape that it makes is not known, so it cannot be written as PyTorch source. Mend the "
                              "findings in front of it, or state the reach of the unknown layer there."};
}

// Sizes that have to be numbers in the source.
Ints knownList(const TorchCall& call, const char* name)
{
    Ints sizes = listOf(call, name);
    if (std::find(sizes.begin(), sizes.end(), kUnknown) != sizes.end()) throw unknownSizes();
    return sizes;
}

std::string viewed(const TorchLayer& layer, const std::string& x)
{
    std::vector<std::string> sizes;
    const Ints shape = listOf(layer.call, "shape");
    if (std::count(shape.begin(), shape.end(), kUnknown) > 1) throw unknownSizes();
    for (std::size_t i = 0; i < shape.size(); ++i)
        sizes.push_back(shape[i] == 0 ? x + ".shape[" + std::to_string(i) + "]" : std::to_string(shape[i]));
    return x + ".reshape(" + (sizes.empty() ? "()" : pythonArguments(sizes)) + ")";
}

std::string squeezed(const TorchLayer& layer, const std::string& x)
{
    Ints dims = listOf(layer.call, "dim");
    for (std::int64_t& dim : dims) dim = counted(dim, rankOf(layer));
    std::sort(dims.rbegin(), dims.rend());
    std::string out = x;
    for (const std::int64_t dim : dims) out += ".squeeze(" + std::to_string(dim) + ")";
    return out;
}

// PyTorch's own slices have the same rules: negative positions count from the end, too large ones end there.
std::string sliced(const TorchLayer& layer, const std::string& x)
{
    const Ints dims = listOf(layer.call, "dim"), starts = listOf(layer.call, "start"), ends = listOf(layer.call, "end"),
               steps = listOf(layer.call, "step");
    std::map<std::int64_t, std::string> parts;
    std::string out = x;
    const auto flush = [&] {
        if (parts.empty()) return;
        std::vector<std::string> items;
        for (std::int64_t dim = 0; dim <= parts.rbegin()->first; ++dim)
            items.push_back(parts.contains(dim) ? parts[dim] : std::string(":"));
        out += "[" + pythonArguments(items) + "]";
        parts.clear();
    };
    for (std::size_t i = 0; i < dims.size() && i < starts.size() && i < ends.size() && i < steps.size(); ++i) {
        const std::int64_t dim = counted(dims[i], rankOf(layer));
        if (dim < 0 || dim >= Shape::kMaxRank) throw Error(ErrorCode::Usage, "It cuts a dimension that is not known.");
        const bool backward = steps[i] < 0;
        if (parts.contains(dim) || backward) flush();
        // PyTorch has no steps backward; counted from the other end, place p is -1 - p.
        if (backward) out += ".flip(" + std::to_string(dim) + ")";
        const std::int64_t start = backward ? -1 - starts[i] : starts[i], end = backward ? -1 - ends[i] : ends[i];
        constexpr std::int64_t kFar = std::numeric_limits<std::int32_t>::max();  // no map is as long
        std::string part = (start && start > -kFar ? std::to_string(start) : std::string()) + ":";
        if (end < kFar) part += std::to_string(end);
        if (std::abs(steps[i]) != 1) part += ":" + std::to_string(std::abs(steps[i]));
        parts[dim] = part;
    }
    flush();
    return out;
}

std::string paddedMap(const TorchLayer& layer, const std::string& x)
{
    const Ints pads = listOf(layer.call, "pads");
    Ints pairs;
    for (std::size_t i = pads.size(); i >= 2; i -= 2) pairs.insert(pairs.end(), {pads[i - 2], pads[i - 1]});
    if (layer.call.op != TorchOp::ConstantPad) {
        if (rankOf(layer) != 4 || pads.size() != 8 || pads[0] || pads[1] || pads[2] || pads[3])
            throw Error(ErrorCode::Usage,
                        "Mirrored and repeated padding run on the height and width of images (NxCxHxW) only.");
        pairs.resize(4);
        return "F.pad(" + x + ", " + pythonTuple(pairs) + ", mode=\"" +
               (layer.call.op == TorchOp::ReflectionPad ? "reflect" : "replicate") + "\")";
    }
    while (pairs.size() >= 2 && pairs[pairs.size() - 1] == 0 && pairs[pairs.size() - 2] == 0)
        pairs.resize(pairs.size() - 2);
    if (pairs.empty()) return x;
    const double value = layer.call.args.getDouble("value", 0);
    return "F.pad(" + x + ", " + pythonTuple(pairs) + (value != 0 ? ", value=" + pythonReal(value) : "") + ")";
}

// What stays as it is is -1, and what is a size of another map is read from it, so that other batches run.
std::string expandedMap(const TorchLayer& layer, const std::vector<std::string>& inputs)
{
    const Ints size = listOf(layer.call, "size");
    const auto expressions = parseSizes(layer.entry->node->attrs.getText("sizes"));
    const int rank = static_cast<int>(size.size()), more = rank - rankOf(layer), unsaid = rank - static_cast<int>(expressions.size());
    std::vector<std::string> parts;
    for (int i = 0; i < rank; ++i) {
        const auto at = static_cast<std::size_t>(i);
        const bool stays = i >= more && layer.in[0].shape[i - more] == size[at];
        const auto follows = i >= unsaid && !expressions.empty() ? expressions[static_cast<std::size_t>(i - unsaid)].dimension() : std::nullopt;
        const auto from = follows ? static_cast<std::size_t>(follows->port.output) : inputs.size();
        if (from < inputs.size() && (!stays || size[at] == 1) && from > 0) parts.push_back(inputs[from] + ".shape[" + std::to_string(follows->dim) + "]");
        else parts.push_back(stays ? "-1" : std::to_string(size[at]));
    }
    return inputs[0] + ".expand(" + pythonArguments(parts) + ")";
}

// F.interpolate where it computes the very same; else taps gathered by Fovea's rules.
std::string interpolated(const TorchLayer& layer, const std::vector<std::string>& inputs, PythonCall& out)
{
    const Attributes& args = layer.call.args;
    const std::string mode = args.getText("mode", "nearest"), coordinates = args.getText("coordinates", "half_pixel"),
                      nearest = args.getText("nearest_mode", "floor");
    const double cubic = args.getDouble("cubic_coeff_a", -0.75);
    const bool antialias = args.getBool("antialias", false), inside = args.getBool("exclude_outside", false);
    const std::string nearestOf[2] = {nearest, args.getText("nearest_mode_w", nearest)};
    Ints num, den, dim, size;
    // F.interpolate resizes to a size by the ratio of the sizes; ONNX by the scale, which may leave less than a unit over.
    bool same = true, whole = true, bySizes = true;
    for (std::size_t i = 0; i < 2; ++i) {
        dim.push_back(args.at("dim", i, -1));
        size.push_back(args.at("size", i, 0));
        num.push_back(args.at("scale_numerator", i, 1));
        den.push_back(args.at("scale_denominator", i, 1));
        same = same && (dim[i] < 0 || num[i] == den[i]);
        whole = whole && den[i] == 1 && num[i] <= 16;
        const Shape& in = layer.in.empty() ? Shape{} : layer.in[0].shape;
        const std::int64_t from = dim[i] >= 0 && dim[i] < in.rank() ? in[static_cast<int>(dim[i])] : kUnknown;
        bySizes = bySizes && from > 0 && size[i] * den[i] == from * num[i];
    }
    if (same) return inputs[0];
    for (std::size_t i = 0; i < 2; ++i)
        if (dim[i] >= 0 && size[i] < 0) throw unknownSizes();
    const bool image = dim == Ints{2, 3} && rankOf(layer) == 4;
    const bool aligned = coordinates == "align_corners";
    const bool plainCoordinates =
        coordinates == "half_pixel" || aligned || (coordinates == "pytorch_half_pixel" && size[0] > 1 && size[1] > 1);
    const bool plain =
        mode == "nearest" ? nearest == "floor" && whole
                          : plainCoordinates && (aligned || bySizes) && (mode != "bicubic" || cubic == -0.75);
    if (image && plain && !antialias && !inside && size[0] > 0 && size[1] > 0) {
        std::string target = "size=" + pythonTuple(size);
        if (inputs.size() > 1 && !layer.entry->node->attrs.has("sizes")) target = "size=" + inputs[1] + ".shape[2:]";
        else if (whole && !aligned)
            target = "scale_factor=" + (num[0] == num[1] ? pythonReal(static_cast<double>(num[0]))
                                                         : "(" + pythonReal(static_cast<double>(num[0])) + ", " +
                                                               pythonReal(static_cast<double>(num[1])) + ")");
        const std::string corners = mode == "nearest" ? std::string() : ", align_corners=" + quoted(aligned);
        return "F.interpolate(" + inputs[0] + ", " + target + ", mode=" + pythonString(mode) + corners + ")";
    }
    out.helpers.insert(antialias ? TorchHelper::ResizeAntialiased : TorchHelper::Resize);
    out.helpers.insert(TorchHelper::ResizePosition);
    std::string text = inputs[0];
    for (std::size_t i = 0; i < 2; ++i) {
        if (dim[i] < 0 || num[i] == den[i]) continue;
        if (size[i] < 1) throw Error(ErrorCode::Usage, "The size it resizes to does not follow from the network.");
        std::vector<std::string> arguments{text, std::to_string(dim[i]), std::to_string(size[i]), std::to_string(num[i]),
                                           std::to_string(den[i]), pythonString(mode), pythonString(coordinates)};
        if (!antialias) arguments.push_back(pythonString(nearestOf[i]));
        arguments.push_back(pythonReal(cubic));
        if (inside) arguments.push_back("True");
        text = (antialias ? "resize_antialiased(" : "resize(") + pythonArguments(arguments) + ")";
    }
    return text;
}

std::string softmax(const TorchLayer& layer, const std::string& x, const std::string& name)
{
    const std::string dim = std::to_string(layer.call.args.getInt("dim", -1));
    if (!layer.call.args.getBool("flattened", false)) return name + "(" + x + ", dim=" + dim + ")";
    return name + "(" + x + ".flatten(" + dim + "), dim=" + dim + ").reshape(" + x + ".shape)";
}

std::string bracketed(const std::string& number) { return number.starts_with('-') ? "(" + number + ")" : number; }

// Answers of true and false are 1 and 0 of the map's own type.
std::string inTypeOf(const std::string& map, const std::string& text) { return "(" + text + ").to(" + map + ".dtype)"; }

std::string ofFunction(const Attributes& args, const std::string& x)
{
    const std::string name = args.getText("function"), call = "torch." + name + "(" + x + ")";
    return name == "logical_not" || name == "isnan" || name == "isinf" ? inTypeOf(x, call) : call;
}

// Numbers of ONNX's TensorProto.DataType.
std::string castText(std::int64_t to, const std::string& x)
{
    if (to == 1 || to == 10 || to == 11 || to == 16) return x;
    return to == 9 ? inTypeOf(x, x + " != 0") : "torch.trunc(" + x + ")";
}

// The maps and the constant, in their order.
std::vector<std::string> operandsOf(const TorchLayer& layer, const std::vector<std::string>& inputs)
{
    std::vector<std::string> parts = inputs;
    std::string constant = tensorOf(layer, "other", "");
    if (constant.empty() && layer.call.args.has("scalar")) constant = bracketed(pythonReal(layer.call.args.getDouble("scalar", 0)));
    if (!constant.empty()) parts.insert(layer.call.args.getBool("scalar_first", false) ? parts.begin() : parts.end(), constant);
    return parts;
}

std::string compared(const TorchLayer& layer, const std::vector<std::string>& inputs, const std::string& sign)
{
    const std::vector<std::string> parts = operandsOf(layer, inputs);
    return inTypeOf(inputs.at(0), parts.at(0) + " " + sign + " " + parts.at(parts.size() - 1));
}

std::string joinedByLogic(const TorchLayer& layer, const std::vector<std::string>& inputs, const std::string& sign)
{
    const std::vector<std::string> parts = operandsOf(layer, inputs);
    return inTypeOf(inputs.at(0), "(" + parts.at(0) + " != 0) " + sign + " (" + parts.at(parts.size() - 1) + " != 0)");
}

// Some of the three may be the layer's own.
std::string chosen(const TorchLayer& layer, const std::vector<std::string>& inputs)
{
    std::vector<std::string> terms;
    std::size_t next = 0;
    for (const char* role : {"condition", "then", "else"}) terms.push_back(has(layer, role) ? tensorOf(layer, role) : inputs.at(next++));
    return "torch.where(" + terms[0] + " != 0, " + terms[1] + ", " + terms[2] + ")";
}

std::string averaged(const TorchLayer& layer, const std::vector<std::string>& inputs)
{
    const std::vector<std::string> parts = operandsOf(layer, inputs);
    std::string sum;
    for (const std::string& part : parts) sum += (sum.empty() ? "" : " + ") + part;
    return "(" + sum + ") / " + std::to_string(parts.size());
}

std::string remainder(const TorchLayer& layer, const std::vector<std::string>& inputs)
{
    std::vector<std::string> parts = operandsOf(layer, inputs);
    for (std::string& part : parts)
        if (isNumber(part) || part.starts_with('(')) part = "torch.as_tensor(" + part + ", dtype=" + inputs.at(0) + ".dtype, device=" + inputs.at(0) + ".device)";
    return std::string(layer.call.args.getBool("fmod", true) ? "torch.fmod(" : "torch.remainder(") + parts.at(0) + ", " + parts.at(parts.size() - 1) + ")";
}

// PyTorch multiplies along one dimension at a time.
std::string multiplied(const TorchLayer& layer, const std::string& x)
{
    Ints dims = listOf(layer.call, "dim");
    for (std::int64_t& dim : dims) dim = counted(dim, rankOf(layer));
    std::sort(dims.rbegin(), dims.rend());
    std::string out = x;
    for (const std::int64_t dim : dims) out += ".prod(" + std::to_string(dim) + ", keepdim=" + quoted(layer.call.args.getBool("keepdim", true)) + ")";
    return out;
}

std::string summedUp(const Attributes& args, const std::string& x)
{
    const std::string dim = std::to_string(args.getInt("dim", -1));
    const bool reverse = args.getBool("reverse", false);
    const std::string sum = reverse ? "torch.cumsum(" + x + ".flip(" + dim + "), " + dim + ").flip(" + dim + ")" : "torch.cumsum(" + x + ", " + dim + ")";
    return args.getBool("exclusive", false) ? sum + " - " + x : sum;
}

std::string einsum(const TorchLayer& layer, const std::vector<std::string>& inputs)
{
    std::vector<std::string> parts = inputs;
    if (has(layer, "weight"))
        parts.insert(parts.begin() + std::min<std::ptrdiff_t>(layer.call.args.getInt("weight_at", 1), static_cast<std::ptrdiff_t>(parts.size())), tensorOf(layer, "weight"));
    parts.insert(parts.begin(), pythonString(layer.call.args.getText("equation")));
    return "torch.einsum(" + pythonArguments(parts) + ")";
}

// PyTorch's own leaves signs in; ONNX's is a norm.
std::string lpPool(const TorchLayer& layer, const std::string& x)
{
    const Windows windows = windowsOf(layer.call, torchKernel(layer.call, 2));
    const std::string p = std::to_string(layer.call.args.getInt("norm_type", 2));
    const bool plain = windows.poolsAsPyTorch();
    std::string powers = x + ".abs() ** " + p;
    if (!plain) powers = padded(powers, backwards(windows.begin, windows.end));
    std::vector<std::string> arguments{powers, pythonPair(windows.kernel), "stride=" + pythonPair(windows.stride)};
    if (plain) append(arguments, "padding", pythonPair(windows.begin), "0");
    append(arguments, "ceil_mode", quoted(windows.ceilMode), "False");
    arguments.emplace_back("divisor_override=1");
    return "F.avg_pool2d(" + pythonArguments(arguments) + ") ** (1 / " + p + ")";
}

std::string selu(const Attributes& args, const std::string& x)
{
    constexpr double kAlpha = 1.6732632423543772, kScale = 1.0507009873554805;
    const double alpha = args.getDouble("alpha", kAlpha), scale = args.getDouble("scale", kScale);
    if (alpha == kAlpha && scale == kScale) return "F.selu(" + x + ")";
    return pythonReal(scale) + " * F.elu(" + x + ", alpha=" + pythonReal(alpha) + ")";
}

}  // namespace

std::string moduleFor(const TorchLayer& layer)
{
    switch (layer.call.op) {
    case TorchOp::Conv1d:
    case TorchOp::Conv2d:
    case TorchOp::Conv3d: return convolutionModule(layer, false);
    case TorchOp::ConvTranspose2d: return convolutionModule(layer, true);
    case TorchOp::Linear: return linearModule(layer);
    case TorchOp::BatchNorm2d: return batchNormModule(layer);
    case TorchOp::GroupNorm: {
        std::vector<std::string> arguments{std::to_string(layer.call.args.getInt("num_groups", 1)),
                                           std::to_string(layer.dims.at("weight")[0])};
        append(arguments, "eps", pythonReal(layer.call.args.getDouble("eps", 1e-5)), "1e-05");
        return has(layer, "bias") && !layer.call.args.getBool("per_group", false) ? moduleText("GroupNorm", arguments) : std::string();
    }
    case TorchOp::InstanceNorm2d: {
        const std::string type =
            rankOf(layer) > 2 ? byRank("InstanceNorm", rankOf(layer) == 3 ? 3 : rankOf(layer)) : std::string();
        std::vector<std::string> arguments{std::to_string(layer.dims.at("weight")[0])};
        append(arguments, "eps", pythonReal(layer.call.args.getDouble("eps", 1e-5)), "1e-05");
        arguments.push_back("affine=True");
        return type.empty() ? std::string() : moduleText(type, arguments);
    }
    case TorchOp::LayerNorm: return has(layer, "weight") && has(layer, "bias") ? layerNormModule(layer) : std::string();
    case TorchOp::PReLU: {
        const Ints& dims = layer.dims.at("weight");
        return dims.size() == 1 && (dims[0] == 1 || rankOf(layer) >= 2) ? moduleText("PReLU", {std::to_string(dims[0])})
                                                                        : std::string();
    }
    default: return {};
    }
}

PythonCall callOf(const TorchLayer& layer, const std::vector<std::string>& inputs)
{
    PythonCall out;
    const Attributes& args = layer.call.args;
    const std::string x = inputs.empty() ? std::string() : inputs[0];
    const auto f = [&](const char* name) { return std::string("F.") + name + "(" + x + ")"; };
    const auto torch = [&](const char* name) { return std::string("torch.") + name + "(" + x + ")"; };
    const auto whole = [&](const char* name, std::int64_t fallback) {
        return std::to_string(args.getInt(name, fallback));
    };
    const auto real = [&](const char* name) { return pythonReal(args.getDouble(name, 0)); };
    const auto helped = [&](TorchHelper helper, const char* name, const std::string& argument) {
        out.helpers.insert(helper);
        return std::string(name) + "(" + x + ", " + argument + ")";
    };
    const auto text = [&]() -> std::string {
        switch (layer.call.op) {
        case TorchOp::None:
        case TorchOp::Input: break;
        case TorchOp::Constant: return tensorOf(layer, "value");
        case TorchOp::Identity: return x;
        case TorchOp::Dropout:
            return (args.getBool("mask", false) ? "(" : "") + ("F.dropout(" + x + ", p=" + pythonReal(args.getDouble("p", 0.5))) +
                   ", training=" + trainingOf(layer) + ")" + (args.getBool("mask", false) ? ", torch.ones_like(" + x + "))" : "");
        case TorchOp::Conv1d:
        case TorchOp::Conv2d:
        case TorchOp::Conv3d: return convolution(layer, x);
        case TorchOp::ConvTranspose2d: return transposedConvolution(layer, x);
        case TorchOp::Linear: return linear(layer, x);
        case TorchOp::MatMul: return "torch.matmul(" + x + ", " + inputs.at(1) + ")";
        case TorchOp::MaxPool1d: return maxPool(layer, x, 1, out);
        case TorchOp::MaxPool2d:
            return args.getBool("return_indices", false) ? maxPoolWithIndices(layer, x, out) : maxPool(layer, x, 2, out);
        case TorchOp::MaxUnpool2d: return maxUnpool(layer, inputs, out);
        case TorchOp::AvgPool1d: return averagePool(layer, x, 1, out);
        case TorchOp::AvgPool2d: return averagePool(layer, x, 2, out);
        case TorchOp::AvgPool3d: return averagePool(layer, x, 3, out);
        case TorchOp::AdaptiveAvgPool2d: return adaptivePool(layer, x, "adaptive_avg_pool2d");
        case TorchOp::AdaptiveMaxPool2d: return adaptivePool(layer, x, "adaptive_max_pool2d");
        case TorchOp::BatchNorm2d:
        case TorchOp::GroupNorm:
        case TorchOp::InstanceNorm2d:
        case TorchOp::LayerNorm:
        case TorchOp::LocalResponseNorm: return normalisation(layer, x);
        case TorchOp::ReLU: return f("relu");
        case TorchOp::ReLU6: return f("relu6");
        case TorchOp::LeakyReLU: return "F.leaky_relu(" + x + ", " + real("negative_slope") + ")";
        case TorchOp::PReLU: return prelu(layer, x);
        case TorchOp::ELU: return "F.elu(" + x + ", alpha=" + real("alpha") + ")";
        case TorchOp::SELU: return selu(args, x);
        case TorchOp::CELU: return "F.celu(" + x + ", alpha=" + real("alpha") + ")";
        case TorchOp::GELU: return args.getText("approximate", "none") == "tanh" ? "F.gelu(" + x + ", approximate=\"tanh\")" : f("gelu");
        case TorchOp::SiLU: return f("silu");
        case TorchOp::Mish: return f("mish");
        case TorchOp::Sigmoid: return torch("sigmoid");
        case TorchOp::Tanh: return torch("tanh");
        case TorchOp::Softplus: return f("softplus");
        case TorchOp::Softsign: return f("softsign");
        case TorchOp::Hardsigmoid: return f("hardsigmoid");
        case TorchOp::Hardswish: return f("hardswish");
        case TorchOp::Hardtanh:
            return "torch.clamp(" + x + ", min=" + real("min_val") + ", max=" + real("max_val") + ")";
        case TorchOp::Threshold: return "F.threshold(" + x + ", " + real("threshold") + ", 0.0)";
        case TorchOp::Softmax: return softmax(layer, x, "torch.softmax");
        case TorchOp::LogSoftmax: return softmax(layer, x, "torch.log_softmax");
        case TorchOp::ScaledHardSigmoid:
            return "torch.clamp(" + x + " * " + real("alpha") + " + " + real("beta") + ", min=0.0, max=1.0)";
        case TorchOp::Erf: return torch("erf");
        case TorchOp::Exp: return torch("exp");
        case TorchOp::Log: return torch("log");
        case TorchOp::Sqrt: return torch("sqrt");
        case TorchOp::Abs: return torch("abs");
        case TorchOp::Neg: return torch("neg");
        case TorchOp::Reciprocal: return torch("reciprocal");
        case TorchOp::Floor: return torch("floor");
        case TorchOp::Ceil: return torch("ceil");
        case TorchOp::Round: return torch("round");
        case TorchOp::Sign: return torch("sign");
        case TorchOp::Sin: return torch("sin");
        case TorchOp::Cos: return torch("cos");
        case TorchOp::Function: return ofFunction(args, x);
        case TorchOp::Cast: return castText(args.getInt("to", 1), x);
        case TorchOp::Affine: return x + " * " + real("alpha") + " + " + bracketed(real("beta"));
        case TorchOp::ScaledTanh: return real("alpha") + " * torch.tanh(" + real("beta") + " * " + x + ")";
        case TorchOp::ParametricSoftplus: return real("alpha") + " * F.softplus(" + real("beta") + " * " + x + ")";
        case TorchOp::Shrink:
            return "torch.where(" + x + ".abs() > " + real("lambda") + ", " + x + " - " + real("bias") + " * torch.sign(" + x + "), torch.zeros_like(" + x + "))";
        case TorchOp::QuickGELU: return x + " * torch.sigmoid(" + real("alpha") + " * " + x + ")";
        case TorchOp::Add:
        case TorchOp::Sub:
        case TorchOp::Mul:
        case TorchOp::Div:
        case TorchOp::Pow:
        case TorchOp::Maximum:
        case TorchOp::Minimum: return combined(layer, inputs);
        case TorchOp::Average: return averaged(layer, inputs);
        case TorchOp::Mod: return remainder(layer, inputs);
        case TorchOp::Equal: return compared(layer, inputs, "==");
        case TorchOp::Greater: return compared(layer, inputs, ">");
        case TorchOp::GreaterOrEqual: return compared(layer, inputs, ">=");
        case TorchOp::Less: return compared(layer, inputs, "<");
        case TorchOp::LessOrEqual: return compared(layer, inputs, "<=");
        case TorchOp::And: return joinedByLogic(layer, inputs, "&");
        case TorchOp::Or: return joinedByLogic(layer, inputs, "|");
        case TorchOp::Xor: return joinedByLogic(layer, inputs, "^");
        case TorchOp::Where: return chosen(layer, inputs);
        case TorchOp::Mean: return reduced(layer, x, "mean");
        case TorchOp::Sum: return reduced(layer, x, "sum");
        case TorchOp::Amax: return reduced(layer, x, "amax");
        case TorchOp::Amin: return reduced(layer, x, "amin");
        case TorchOp::Norm: return reduced(layer, x, "norm");
        case TorchOp::L1Norm: return reduced(layer, x + ".abs()", "sum");
        case TorchOp::LogSum: return "torch.log(" + reduced(layer, x, "sum") + ")";
        case TorchOp::LogSumExp: return reduced(layer, x, "logsumexp");
        case TorchOp::Prod: return multiplied(layer, x);
        case TorchOp::SumSquare: return reduced(layer, "(" + x + " * " + x + ")", "sum");
        case TorchOp::ArgMax:
        case TorchOp::ArgMin:
            return x + (layer.call.op == TorchOp::ArgMax ? ".argmax(" : ".argmin(") + whole("dim", -1) + ", keepdim=" + quoted(args.getBool("keepdim", true)) + ").to(" + x + ".dtype)";
        case TorchOp::TopK:
            return "(t.to(" + x + ".dtype) for t in torch.topk(" + x + ", " + whole("k", 1) + ", dim=" + whole("dim", -1) + ", largest=" + quoted(args.getBool("largest", true)) +
                   ", sorted=" + quoted(args.getBool("sorted", true)) + "))";
        case TorchOp::Hardmax: {
            const std::string dim = whole("dim", -1);
            return "F.one_hot(" + x + ".argmax(" + dim + "), " + x + ".shape[" + dim + "]).movedim(-1, " + dim + ").to(" + x + ".dtype)";
        }
        case TorchOp::CumSum: return summedUp(args, x);
        case TorchOp::Normalize: return "F.normalize(" + x + ", p=" + whole("p", 2) + ", dim=" + whole("dim", -1) + ")";
        case TorchOp::Trilu: return std::string(args.getBool("upper", true) ? "torch.triu(" : "torch.tril(") + x + ", " + whole("diagonal", 0) + ")";
        case TorchOp::Einsum: return einsum(layer, inputs);
        case TorchOp::LPPool2d: return lpPool(layer, x);
        case TorchOp::IndexSelect:
            return "torch.index_select(" + x + ", " + whole("dim", 1) + ", torch.tensor(" + pythonList(listOf(layer.call, "index")) + ", device=" + x + ".device) % " + x + ".shape[" + whole("dim", 1) + "])";
        case TorchOp::Concat: return "torch.cat([" + pythonArguments(inputs) + "], dim=" + whole("dim", 1) + ")";
        case TorchOp::Split:
            return "torch.split(" + x + ", " + pythonList(knownList(layer.call, "split_sizes")) +
                   ", dim=" + whole("dim", 1) + ")";
        case TorchOp::Flatten: return flattened(layer, x);
        case TorchOp::Reshape: return viewed(layer, x);
        case TorchOp::Squeeze: return squeezed(layer, x);
        case TorchOp::Unsqueeze: {
            std::string made = x;
            for (const std::int64_t dim : listOf(layer.call, "dim")) made += ".unsqueeze(" + std::to_string(dim) + ")";
            return made;
        }
        case TorchOp::Permute: return x + ".permute" + pythonTuple(listOf(layer.call, "dims"));
        case TorchOp::Slice: return sliced(layer, x);
        case TorchOp::Select: return x + ".select(" + whole("dim", 1) + ", " + whole("index", 0) + ")";
        case TorchOp::ConstantPad:
        case TorchOp::ReflectionPad:
        case TorchOp::ReplicationPad: return paddedMap(layer, x);
        case TorchOp::Interpolate: return interpolated(layer, inputs, out);
        case TorchOp::PixelShuffle: return "F.pixel_shuffle(" + x + ", " + whole("upscale_factor", 2) + ")";
        case TorchOp::PixelUnshuffle: return "F.pixel_unshuffle(" + x + ", " + whole("downscale_factor", 2) + ")";
        case TorchOp::DepthToSpace:
            return helped(TorchHelper::DepthToSpace, "depth_to_space", whole("upscale_factor", 2));
        case TorchOp::SpaceToDepth:
            return helped(TorchHelper::SpaceToDepth, "space_to_depth", whole("downscale_factor", 2));
        case TorchOp::Expand: return expandedMap(layer, inputs);
        case TorchOp::Tile: return x + ".repeat" + pythonTuple(listOf(layer.call, "repeats"));
        case TorchOp::ChannelShuffle: return helped(TorchHelper::ChannelShuffle, "channel_shuffle", whole("groups", 2));
        }
        throw Error(ErrorCode::Internal, "A layer without a PyTorch form was printed.");
    };
    out.text = text();
    return out;
}

const char* sourceOf(TorchHelper helper)
{
    switch (helper) {
    case TorchHelper::FitToWindows:
        return R"PY(def fit_to_windows(x, kernel, stride, dilation, begin, end, ceil_mode, fill):
    """`x` enlarged or cut so that windows without padding give the units that the layer has."""
    pairs = []
    for size, k, s, d, first, last in zip(x.shape[2:], kernel, stride, dilation, begin, end):
        effective = (k - 1) * d + 1
        room = size + first + last - effective
        units = room // s + 1
        if ceil_mode and room % s and units * s < size + first:
            units += 1
        pairs = [first, (units - 1) * s + effective - size - first] + pairs
    return F.pad(x, pairs, value=fill)
)PY";
    case TorchHelper::MaxPoolWithIndices:
        return R"PY(def max_pool_with_indices(x, kernel, stride, dilation, begin, end, ceil_mode):
    """Largest values and where each stood, counted over the whole tensor as ONNX does."""
    ready = fit_to_windows(x, kernel, stride, dilation, begin, end, ceil_mode, float("-inf"))
    values, within = F.max_pool2d(ready, kernel, stride, dilation=dilation, return_indices=True)
    rows, columns = within // ready.shape[3] - begin[0], within % ready.shape[3] - begin[1]
    planes = torch.arange(x.shape[0] * x.shape[1], device=x.device).reshape(x.shape[0], x.shape[1], 1, 1)
    return values, (planes * x.shape[2] + rows) * x.shape[3] + columns
)PY";
    case TorchHelper::MaxUnpool:
        return R"PY(def max_unpool(x, indices, size):
    """Puts each value back where max_pool_with_indices took it from; zeros elsewhere."""
    shape = (x.shape[0], x.shape[1], *size)
    flat = x.new_zeros(torch.Size(shape).numel())
    return flat.scatter(0, indices.reshape(-1), x.reshape(-1)).reshape(shape)
)PY";
    case TorchHelper::AveragePool:
        return R"PY(def average_pool(x, kernel, stride, begin, end, ceil_mode, count_include_pad):
    """Means under windows whose padding PyTorch's own pooling does not take; the divisor is averaged beside them."""
    pool = (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)[len(kernel) - 1]
    fit = [kernel, stride, (1,) * len(kernel), begin, end, ceil_mode, 0.0]
    ready = fit_to_windows(x, *fit)
    counted = torch.ones_like(x[:1, :1])
    if count_include_pad:
        pairs, rest = [], []
        for first, last in zip(begin, end):
            pairs = [first, last] + pairs
        counted = F.pad(counted, pairs, value=1.0)
        for wanted, size in zip(ready.shape[2:], counted.shape[2:]):
            rest = [0, wanted - size] + rest
        counted = F.pad(counted, rest)
    else:
        counted = fit_to_windows(counted, *fit)
    return pool(ready, kernel, stride) / pool(counted, kernel, stride)
)PY";
    case TorchHelper::ResizePosition:
        return R"PY(def resize_position(unit, size, to, numerator, denominator, coordinates):
    """Where the centre of an output unit lies on the input's grid, by the modes of ONNX's Resize; the scale is exact."""
    if coordinates == "align_corners":
        return unit * (size - 1) / (to - 1) if to > 1 else 0.0
    if coordinates == "asymmetric":
        return unit * denominator / numerator
    if coordinates == "pytorch_half_pixel" and to == 1:
        return 0.0
    if coordinates == "tf_half_pixel_for_nn":
        return (2 * unit + 1) * denominator / (2 * numerator)
    rest = size * numerator - to * denominator if coordinates == "half_pixel_symmetric" else 0
    return ((2 * unit + 1) * denominator - numerator + rest) / (2 * numerator)
)PY";
    case TorchHelper::ResizeAntialiased:
        return R"PY(def resize_antialiased(x, dim, to, numerator, denominator, mode, coordinates, cubic, inside=False):
    """Interpolates along one dimension with a kernel that is stretched where the map shrinks."""
    stretch = max(1.0, denominator / numerator)
    reach = stretch * (1 if mode == "bilinear" else 2)
    last = x.shape[dim] - 1

    def kernel(distance):
        t = abs(distance)
        if mode == "bilinear":
            return max(0.0, 1 - t)
        if t < 1:
            return ((cubic + 2) * t - (cubic + 3)) * t * t + 1
        return ((cubic * t - 5 * cubic) * t + 8 * cubic) * t - 4 * cubic if t < 2 else 0.0

    table = torch.zeros(last + 1, to, dtype=torch.float64)
    for unit in range(to):
        at = resize_position(unit, last + 1, to, numerator, denominator, coordinates)
        for v in range(math.floor(at - reach) + 1, math.floor(at + reach) + 1):
            if 0 <= v <= last or not inside:  # else those beyond an edge are the one at the edge
                table[min(max(v, 0), last), unit] += kernel((v - at) / stretch)
    table = (table / table.sum(0)).to(x)
    return torch.matmul(x.movedim(dim, -1), table).movedim(-1, dim)
)PY";
    case TorchHelper::Resize:
        return R"PY(def resize(x, dim, to, numerator, denominator, mode, coordinates, nearest, cubic, inside=False):
    """Interpolates along one dimension by gathering taps, with the modes of ONNX's Resize; the scale is exact."""

    def position(unit):
        return resize_position(unit, x.shape[dim], to, numerator, denominator, coordinates)

    def nearest_unit(unit):
        if nearest == "floor":
            return unit * denominator // numerator
        at = position(unit)
        if nearest == "floor_of_coordinates":
            return math.floor(at)
        if nearest == "ceil":
            return math.ceil(at)
        return math.floor(at + 0.5) if nearest == "round_prefer_ceil" else math.ceil(at - 0.5)

    def inner(t):
        return ((cubic + 2) * t - (cubic + 3)) * t * t + 1

    def outer(t):
        return ((cubic * t - 5 * cubic) * t + 8 * cubic) * t - 4 * cubic

    def taps(unit):
        """The input units that an output unit reads, and their weights."""
        if mode == "nearest":
            return [(nearest_unit(unit), 1.0)]
        base = math.floor(position(unit))
        t = position(unit) - base
        if mode == "bilinear":
            return [(base, 1 - t), (base + 1, t)]
        weights = [outer(1 + t), inner(t), inner(1 - t), outer(2 - t)]
        if inside:  # units beyond an edge have no weight
            weights = [w if 0 <= base - 1 + i < x.shape[dim] else 0.0 for i, w in enumerate(weights)]
            weights = [w / sum(weights) for w in weights]
        return list(zip(range(base - 1, base + 3), weights))

    shape = [1] * x.dim()
    shape[dim] = to
    total = 0
    for tap in zip(*map(taps, range(to))):
        index = torch.tensor([min(max(unit, 0), x.shape[dim] - 1) for unit, _ in tap], device=x.device)
        weight = torch.tensor([weight for _, weight in tap], dtype=x.dtype, device=x.device).reshape(shape)
        total = total + torch.index_select(x, dim, index) * weight
    return total
)PY";
    case TorchHelper::DepthToSpace:
        return R"PY(def depth_to_space(x, r):
    """As F.pixel_shuffle, with the block's position in the first channels."""
    n, c, h, w = x.shape
    return x.reshape(n, r, r, c // (r * r), h, w).permute(0, 3, 4, 1, 5, 2).reshape(n, c // (r * r), h * r, w * r)
)PY";
    case TorchHelper::SpaceToDepth:
        return R"PY(def space_to_depth(x, r):
    """The opposite of depth_to_space."""
    n, c, h, w = x.shape
    return x.reshape(n, c, h // r, r, w // r, r).permute(0, 3, 5, 1, 2, 4).reshape(n, c * r * r, h // r, w // r)
)PY";
    case TorchHelper::ChannelShuffle:
        return R"PY(def channel_shuffle(x, groups):
    """Channels of all groups in turn."""
    shape = x.shape
    return x.reshape(shape[0], groups, shape[1] // groups, *shape[2:]).transpose(1, 2).reshape(shape)
)PY";
    }
    throw Error(ErrorCode::Internal, "A helper without source was asked for.");
}

}  // namespace fovea
