#include "core/train/network.h"

#include "core/graph/first_image.h"

#include "core/graph/names.h"
#include "core/ops/clothes.h"
#include "core/train/tensors.h"

#include <algorithm>
#include <random>

namespace fovea {

namespace {

void refuseWithoutForm(const Prepared& prepared)
{
    std::vector<std::string> names;
    for (const auto& entry : prepared.entries)
        if (isQuantised(*entry.node))
            throw Error(ErrorCode::Usage, "The network is quantised: '" + entry.node->name + "' computes with whole numbers and scales, so it cannot be trained or run; use the network that it was made from.");
    for (const auto& entry : prepared.entries)
        if (entry.op->torch.op == TorchOp::None) names.push_back("'" + entry.node->name + "'");
    if (!names.empty())
        throw Error(ErrorCode::Usage,
                    "These layers have no PyTorch form, so the network cannot be run: " + firstNames(names) + ".");
    if (!prepared.cyclic.empty()) throw Error(ErrorCode::Usage, "The network has a cycle, so it cannot be run.");
}

// As the class comment of RunMode::Support says; every tensor from a stream of its own.
at::Tensor positiveTensor(const ParamSpec& spec, OpClass opClass, std::uint64_t seed)
{
    std::int64_t count = 1, fan = 1;
    for (const std::int64_t dim : spec.dims) {
        if (dim < 0)
            throw Error(ErrorCode::Usage,
                        "The size of its tensor '" + spec.role + "' does not follow from the network.");
        count *= dim;
    }
    const bool kernel =
        spec.role == "weight" && spec.dims.size() >= 2 && hasKernel(opClass);
    if (kernel) fan = std::max<std::int64_t>(count / std::max<std::int64_t>(spec.dims[0], 1), 1);
    if (spec.role == "bias" || spec.role == "running_mean") return at::zeros(spec.dims, at::kDouble);
    if (spec.role == "running_var") return at::ones(spec.dims, at::kDouble);
    std::mt19937_64 stream(seed);
    at::Tensor out = at::empty(spec.dims, at::kDouble);
    auto* data = out.data_ptr<double>();
    for (std::int64_t i = 0; i < count; ++i)
        data[i] = (0.5 + static_cast<double>(stream() >> 11) * 0x1p-53) / static_cast<double>(fan);
    return out;
}

bool hasUnknown(const Ints& dims)
{
    return std::any_of(dims.begin(), dims.end(), [](std::int64_t dim) { return dim < 0; });
}

}  // namespace

Error translatedError(const c10::Error& error)
{
    std::string reason = error.what_without_backtrace();
    reason = reason.substr(0, reason.find('\n'));
    const auto says = [&](const char* words) { return reason.find(words) != std::string::npos; };
    if (says("allocate") || says("out of memory"))
        return Error(ErrorCode::Limit, "There is not enough memory; a smaller batch or input side needs less. LibTorch says: " + reason);
    // Whatever this process asks of the GPU from now on fails too.
    if (says("CUDA error") || says("cuDNN error") || says("CUDNN_STATUS") || says("CUBLAS_STATUS"))
        return Error(ErrorCode::Internal, "The GPU failed; a run goes on from its last checkpoint when it is resumed. LibTorch says: " + reason);
    return Error(ErrorCode::Usage, reason);
}

at::Device deviceNamed(const std::string& name)
{
    return translated("device '" + name + "'", [&] {
        const at::Device device(name);
        at::empty({1}, at::TensorOptions().device(device));  // a device that is named but absent fails here
        return device;
    });
}

Network::Network(const Graph& g, const Weights& weights, const ModuleOptions& o)
    : graph(g), prepared(prepare(graph)), options(o)
{
    refuseWithoutForm(prepared);
    device = deviceNamed(options.device);
    type = options.doublePrecision || options.mode == RunMode::Support ? at::kDouble : at::kFloat;
    std::vector<Issue> issues;
    values = inferShapes(prepared, issues);
    std::vector<std::string> missing;
    std::uint64_t seed = options.seed;
    for (const auto& entry : prepared.entries) {
        std::vector<Value> in = inputsOf(entry);
        const std::span<const Value> out(values.data() + entry.firstOutput, entry.outputCount);
        Step step{&entry, torchCall(*entry.op, {*entry.node, in, out}), {}};
        for (const NamedParam& param : paramsOf(*entry.node, in, out)) {
            if (options.mode == RunMode::Plain) bind(step, param, weights, missing);
            // A layer whose sizes are unknown lies behind the head of another side; it cannot be asked for.
            else if (!hasUnknown(param.spec.dims))
                step.tensors[param.spec.role] = positiveTensor(param.spec, entry.op->opClass, ++seed).to(device);
        }
        steps.push_back(std::move(step));
    }
    if (!missing.empty())
        throw Error(ErrorCode::Usage, "The weights do not fit the network: " + firstNames(missing) + ".");
}

std::vector<Value> Network::inputsOf(const Prepared::Entry& entry) const
{
    std::vector<Value> in;
    for (std::uint32_t i = 0; i < entry.inputCount; ++i) {
        const std::int32_t source = prepared.sources[entry.firstInput + i];
        in.push_back(source < 0 ? Value{} : values[static_cast<std::size_t>(source)]);
    }
    return in;
}

void Network::bind(Step& step, const NamedParam& param, const Weights& weights, std::vector<std::string>& missing)
{
    if (const auto it = m_ownedByName.find(param.tensor); it != m_ownedByName.end()) {
        step.tensors[param.spec.role] = owned[it->second].tensor;
        return;
    }
    const Tensor* tensor = weights.find(param.tensor);
    if (!tensor) {
        missing.push_back("'" + param.tensor + "' is missing");
        return;
    }
    if (tensor->dims != param.spec.dims && param.spec.role != "weight" && param.spec.role != "other" &&
        param.spec.role != "value") {
        missing.push_back("'" + param.tensor + "' has shape " + toText(tensor->dims) + " instead of " +
                          toText(param.spec.dims));
        return;
    }
    m_ownedByName[param.tensor] = owned.size();
    owned.push_back({param.tensor, toTorch(*tensor, type, device, param.tensor), param.spec.trainable, steps.size()});
    step.tensors[param.spec.role] = owned.back().tensor;
}

const Prepared::Entry& Network::entryNamed(const std::string& name) const
{
    for (const auto& entry : prepared.entries)
        if (entry.node->name == name) return entry;
    throw Error(ErrorCode::Usage, "The network has no layer called '" + name + "'.");
}

std::size_t Network::indexOf(const Prepared::Entry& entry) const
{
    return static_cast<std::size_t>(&entry - prepared.entries.data());
}

std::size_t Network::valueOf(const Port& port, const std::string& name) const
{
    const std::int32_t at = prepared.entryOf(port.node);
    if (at < 0) throw Error(ErrorCode::Usage, "Output '" + name + "' is not connected.");
    return prepared.entries[static_cast<std::size_t>(at)].firstOutput + static_cast<std::size_t>(port.output);
}

std::string Network::imageName(const std::string& wanted) const
{
    for (const auto& entry : prepared.entries) {
        if (entry.op->opClass != OpClass::Input) continue;
        if (wanted.empty() ? isImage(*entry.node) : entry.node->name == wanted) return entry.node->name;
    }
    throw Error(ErrorCode::Usage, wanted.empty() ? "The network has no image input (NxCxHxW)."
                                                 : "The network has no input called '" + wanted + "'.");
}

at::Tensor Network::inOrderOf(const std::string& input, const at::Tensor& images) const
{
    const Value& value = values[entryNamed(input).firstOutput];
    const Layout& layout = value.layout;
    std::vector<std::int64_t> order;
    for (int dim = 0; dim < value.shape.rank(); ++dim)
        order.push_back(dim == layout.n ? 0 : dim == layout.c ? 1 : dim == layout.h ? 2 : dim == layout.w ? 3 : -1);
    if (order.size() > 4 || std::find(order.begin(), order.end(), -1) != order.end())
        throw Error(ErrorCode::Usage, "Input '" + input + "' has dimensions that no image has, so it cannot be fed.");
    const std::size_t rank = order.size();
    for (std::int64_t dim = 0; dim < 4; ++dim)
        if (std::find(order.begin(), order.end(), dim) == order.end()) order.push_back(dim);
    at::Tensor out = images.permute(order);
    while (out.dim() > static_cast<std::int64_t>(rank)) {
        if (out.size(-1) != 1)
            throw Error(ErrorCode::Usage, order[static_cast<std::size_t>(out.dim()) - 1] == 0
                                              ? "Input '" + input + "' has no batch, so it takes one image at a time: set the batch size to 1."
                                              : "Input '" + input + "' has no channels, so it takes images of one channel.");
        out = out.squeeze(-1);
    }
    return out;
}

std::vector<bool> Network::stepsBefore(const std::vector<std::size_t>& wanted) const
{
    std::vector<bool> isWanted(values.size(), false), needed(steps.size(), false);
    for (const std::size_t value : wanted) isWanted[value] = true;
    for (std::size_t i = steps.size(); i-- > 0;) {
        const auto& entry = prepared.entries[i];
        for (std::uint32_t k = 0; k < entry.outputCount; ++k)
            if (isWanted[entry.firstOutput + k]) needed[i] = true;
        if (!needed[i]) continue;
        for (std::uint32_t k = 0; k < entry.inputCount; ++k)
            if (const std::int32_t from = prepared.sourceEntries[entry.firstInput + k]; from >= 0)
                needed[static_cast<std::size_t>(from)] = true;
    }
    return needed;
}

void Network::run(const std::vector<std::size_t>& wanted, const std::map<std::string, at::Tensor>& inputs,
                  std::vector<at::Tensor>& made, const Watch& watch) const
{
    const std::vector<bool> needed = stepsBefore(wanted);
    std::vector<std::size_t> lastReader(values.size(), 0);
    for (std::size_t i = 0; i < steps.size(); ++i) {
        if (!needed[i]) continue;
        const auto& entry = prepared.entries[i];
        for (std::uint32_t k = 0; k < entry.inputCount; ++k)
            if (const std::int32_t source = prepared.sources[entry.firstInput + k]; source >= 0)
                lastReader[static_cast<std::size_t>(source)] = i;
    }
    for (const std::size_t value : wanted) lastReader[value] = steps.size();
    made.assign(values.size(), {});
    for (std::size_t i = 0; i < steps.size(); ++i) {
        if (!needed[i]) continue;
        const auto& entry = prepared.entries[i];
        const std::vector<at::Tensor> outputs =
            translated("layer '" + entry.node->name + "'", [&] { return runStep(steps[i], inputs, made); });
        if (outputs.size() < entry.outputCount)
            throw Error(ErrorCode::Internal, "Layer '" + entry.node->name + "' gave too few outputs.");
        if (watch) watch(i, outputs);
        for (std::uint32_t k = 0; k < entry.outputCount; ++k)
            if (lastReader[entry.firstOutput + k] > i) made[entry.firstOutput + k] = outputs[k];
        for (std::uint32_t k = 0; k < entry.inputCount; ++k)
            if (const std::int32_t source = prepared.sources[entry.firstInput + k];
                source >= 0 && lastReader[static_cast<std::size_t>(source)] == i)
                made[static_cast<std::size_t>(source)].reset();
    }
}

std::vector<at::Tensor> Network::runStep(const Step& step, const std::map<std::string, at::Tensor>& inputs,
                                         const std::vector<at::Tensor>& made) const
{
    const Node& node = *step.entry->node;
    if (step.call.op == TorchOp::Input) {
        const auto it = inputs.find(node.name);
        if (it == inputs.end()) throw Error(ErrorCode::Usage, "Input '" + node.name + "' was given no tensor.");
        return {it->second};
    }
    std::vector<at::Tensor> in;
    for (std::uint32_t k = 0; k < step.entry->inputCount; ++k) {
        const std::int32_t source = prepared.sources[step.entry->firstInput + k];
        // Further inputs only tell a size, which the call already holds.
        if (step.entry->op->pathInputs >= 0 && static_cast<int>(k) >= step.entry->op->pathInputs) break;
        if (source < 0) throw Error(ErrorCode::Usage, "It has an input that is not connected.");
        in.push_back(made[static_cast<std::size_t>(source)]);
    }
    const CallInputs all{in, step.tensors, step.training};
    return options.mode == RunMode::Support ? runSupportCall(step.call, all) : runCall(step.call, all);
}

at::Tensor unitSum(const UnitOf& unit, const Layout& layout, at::Tensor part)
{
    const auto take = [&](int dim, std::int64_t at, const char* axis) {
        const std::int64_t size = dim < 0 ? 1 : part.size(dim);
        if (at < 0 || at >= size)
            throw Error(ErrorCode::Usage, "Layer '" + unit.layer + "' has " + std::to_string(size) + " " + axis +
                                              ", so there is no unit at " + std::to_string(at) + ".");
        if (dim >= 0) part = part.narrow(dim, at, 1);
    };
    take(layout.h, unit.y, "rows");
    take(layout.w == layout.h ? -1 : layout.w, unit.x, "columns");
    return part.sum();
}

}  // namespace fovea
