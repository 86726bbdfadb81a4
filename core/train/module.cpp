#include "core/train/module.h"

#include "core/ops/registry.h"
#include "core/train/calls.h"
#include "core/train/tensors.h"

#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <random>

namespace fovea {

namespace {

struct Step {
    const Prepared::Entry* entry;
    TorchCall call;
    std::map<std::string, at::Tensor> tensors;
};

std::string firstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

// LibTorch's exceptions end here.
template <typename Body>
auto translated(const std::string& frame, Body body) -> decltype(body())
{
    try {
        return body();
    } catch (Error& error) {
        throw error.within(frame);
    } catch (const c10::Error& error) {
        const std::string reason = firstLine(error.what_without_backtrace());
        const bool memory =
            reason.find("allocate") != std::string::npos || reason.find("out of memory") != std::string::npos;
        throw Error(memory ? ErrorCode::Limit : ErrorCode::Usage, reason).within(frame);
    }
}

std::string listed(const std::vector<std::string>& names)
{
    constexpr std::size_t kNamed = 10;
    std::string out;
    for (std::size_t i = 0; i < names.size() && i < kNamed; ++i) out += (i ? ", " : "") + names[i];
    return out + (names.size() > kNamed ? ", and " + std::to_string(names.size() - kNamed) + " more" : "");
}

void refuseWithoutForm(const Prepared& prepared)
{
    std::vector<std::string> names;
    for (const auto& entry : prepared.entries)
        if (entry.op->torch.op == TorchOp::None) names.push_back("'" + entry.node->name + "'");
    if (!names.empty())
        throw Error(ErrorCode::Usage,
                    "These layers have no PyTorch form, so the network cannot be run: " + listed(names) + ".");
    if (!prepared.cyclic.empty()) throw Error(ErrorCode::Usage, "The network has a cycle, so it cannot be run.");
}

at::Device deviceNamed(const std::string& name)
{
    return translated("device '" + name + "'", [&] {
        const at::Device device(name);
        at::empty({1}, at::TensorOptions().device(device));  // a device that is named but absent fails here
        return device;
    });
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
        spec.role == "weight" && spec.dims.size() >= 2 &&
        (opClass == OpClass::Convolution || opClass == OpClass::Transposed || opClass == OpClass::Linear);
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

}  // namespace

struct Module::Impl {
    Graph graph;
    Prepared prepared;
    std::vector<Value> values;
    std::vector<Step> steps;
    ModuleOptions options;
    at::Device device = at::kCPU;
    at::ScalarType type = at::kFloat;

    Impl(const Graph& g, const Weights& weights, const ModuleOptions& o)
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
                if (options.mode == RunMode::Support) {
                    // A layer whose sizes are unknown lies behind the head of another side; it cannot be asked for.
                    const bool known = std::none_of(param.spec.dims.begin(), param.spec.dims.end(),
                                                    [](std::int64_t dim) { return dim < 0; });
                    if (known)
                        step.tensors[param.spec.role] =
                            positiveTensor(param.spec, entry.op->opClass, ++seed).to(device);
                } else {
                    bind(step, param, weights, missing);
                }
            }
            steps.push_back(std::move(step));
        }
        if (!missing.empty())
            throw Error(ErrorCode::Usage, "The weights do not fit the network: " + listed(missing) + ".");
    }

    std::vector<Value> inputsOf(const Prepared::Entry& entry) const
    {
        std::vector<Value> in;
        for (std::uint32_t i = 0; i < entry.inputCount; ++i) {
            const std::int32_t source = prepared.sources[entry.firstInput + i];
            in.push_back(source < 0 ? Value{} : values[static_cast<std::size_t>(source)]);
        }
        return in;
    }

    void bind(Step& step, const NamedParam& param, const Weights& weights, std::vector<std::string>& missing) const
    {
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
        step.tensors[param.spec.role] = toTorch(*tensor, type, device, param.tensor);
    }

    const Prepared::Entry& entryNamed(const std::string& name) const
    {
        for (const auto& entry : prepared.entries)
            if (entry.node->name == name) return entry;
        throw Error(ErrorCode::Usage, "The network has no layer called '" + name + "'.");
    }

    std::size_t indexOf(const Prepared::Entry& entry) const
    {
        return static_cast<std::size_t>(&entry - prepared.entries.data());
    }

    // What the wanted steps need, themselves included.
    std::vector<bool> ancestors(const std::vector<std::size_t>& wanted) const
    {
        std::vector<bool> needed(steps.size(), false);
        for (const std::size_t at : wanted) needed[at] = true;
        for (std::size_t i = steps.size(); i-- > 0;) {
            if (!needed[i]) continue;
            const auto& entry = prepared.entries[i];
            for (std::uint32_t k = 0; k < entry.inputCount; ++k)
                if (const std::int32_t from = prepared.sourceEntries[entry.firstInput + k]; from >= 0)
                    needed[static_cast<std::size_t>(from)] = true;
        }
        return needed;
    }

    // Runs the needed steps; `made` holds one tensor for each value that was asked for.
    void run(const std::vector<bool>& needed, const std::map<std::string, at::Tensor>& inputs,
             std::vector<at::Tensor>& made) const
    {
        made.assign(values.size(), {});
        for (std::size_t i = 0; i < steps.size(); ++i) {
            if (!needed[i]) continue;
            const auto& entry = prepared.entries[i];
            const std::vector<at::Tensor> outputs =
                translated("layer '" + entry.node->name + "'", [&] { return runStep(steps[i], inputs, made); });
            if (outputs.size() < entry.outputCount)
                throw Error(ErrorCode::Internal, "Layer '" + entry.node->name + "' gave too few outputs.");
            for (std::uint32_t k = 0; k < entry.outputCount; ++k) made[entry.firstOutput + k] = outputs[k];
        }
    }

    std::vector<at::Tensor> runStep(const Step& step, const std::map<std::string, at::Tensor>& inputs,
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
        const CallInputs all{in, step.tensors};
        return options.mode == RunMode::Support ? runSupportCall(step.call, all) : runCall(step.call, all);
    }

    std::map<std::string, at::Tensor> toDevice(const NamedTensors& inputs) const
    {
        std::map<std::string, at::Tensor> out;
        for (const auto& [name, tensor] : inputs) out[name] = toTorch(tensor, type, device, name);
        return out;
    }

    std::string imageName(const std::string& wanted) const
    {
        for (const auto& entry : prepared.entries) {
            if (entry.op->opClass != OpClass::Input) continue;
            if (wanted.empty() ? values[entry.firstOutput].shape.rank() == 4 : entry.node->name == wanted)
                return entry.node->name;
        }
        throw Error(ErrorCode::Usage, wanted.empty() ? "The network has no image input (NxCxHxW)."
                                                     : "The network has no input called '" + wanted + "'.");
    }

    // The sum of the unit's channels.
    at::Tensor unitSum(const UnitOf& unit, const std::vector<at::Tensor>& made) const
    {
        const auto& entry = entryNamed(unit.layer);
        if (unit.output < 0 || unit.output >= static_cast<int>(entry.outputCount))
            throw Error(ErrorCode::Usage,
                        "Layer '" + unit.layer + "' has no output " + std::to_string(unit.output) + ".");
        const std::size_t value = entry.firstOutput + static_cast<std::size_t>(unit.output);
        const Layout& layout = values[value].layout;
        at::Tensor part = made[value];
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
};

Module::Module(const Graph& graph, const Weights& weights, const ModuleOptions& options)
    : m_impl(translated("the network", [&] { return std::make_unique<Impl>(graph, weights, options); }))
{}

Module::~Module() = default;
Module::Module(Module&&) noexcept = default;
Module& Module::operator=(Module&&) noexcept = default;

NamedTensors Module::forward(const NamedTensors& inputs) const
{
    const at::NoGradGuard noGradients;
    const Impl& m = *m_impl;
    std::vector<std::size_t> wanted;
    for (const GraphOutput& output : m.graph.outputs())
        if (const std::int32_t at = m.prepared.entryOf(output.port.node); at >= 0)
            wanted.push_back(static_cast<std::size_t>(at));
    std::vector<at::Tensor> made;
    m.run(m.ancestors(wanted), m.toDevice(inputs), made);
    NamedTensors out;
    for (const GraphOutput& output : m.graph.outputs()) {
        const std::int32_t at = m.prepared.entryOf(output.port.node);
        if (at < 0) throw Error(ErrorCode::Usage, "Output '" + output.name + "' is not connected.");
        out[output.name] = fromTorch(made[m.prepared.entries[static_cast<std::size_t>(at)].firstOutput +
                                          static_cast<std::size_t>(output.port.output)]);
    }
    return out;
}

std::vector<Tensor> Module::inputGradients(std::span<const UnitOf> units, const NamedTensors& inputs,
                                           const std::string& image) const
{
    const Impl& m = *m_impl;
    const std::string name = m.imageName(image);
    std::vector<std::size_t> wanted;
    for (const UnitOf& unit : units) wanted.push_back(m.indexOf(m.entryNamed(unit.layer)));
    std::map<std::string, at::Tensor> given = m.toDevice(inputs);
    if (!given.contains(name)) throw Error(ErrorCode::Usage, "Input '" + name + "' was given no tensor.");
    at::Tensor& source = given[name];
    source.requires_grad_(true);
    std::vector<at::Tensor> made;
    m.run(m.ancestors(wanted), given, made);
    std::vector<Tensor> out;
    for (const UnitOf& unit : units)
        out.push_back(translated("gradient of '" + unit.layer + "'", [&] {
            const at::Tensor sum = m.unitSum(unit, made);
            at::Tensor gradient = at::zeros_like(source);
            if (sum.requires_grad()) {
                const auto grads = torch::autograd::grad({sum}, {source}, {}, true, false, true);
                if (grads[0].defined()) gradient = grads[0];
            }
            return fromTorch(gradient.to(at::kDouble).abs().sum(at::IntArrayRef{0, 1}));
        }));
    return out;
}

NamedTensors Module::randomInputs(std::uint64_t seed) const
{
    NamedTensors out;
    for (const auto& entry : m_impl->prepared.entries) {
        if (entry.op->opClass != OpClass::Input) continue;
        const Shape& shape = m_impl->values[entry.firstOutput].shape;
        if (!shape.isComplete())
            throw Error(ErrorCode::Usage, "Input '" + entry.node->name + "' has no complete shape.");
        std::mt19937_64 stream(++seed);
        std::vector<float> data(static_cast<std::size_t>(shape.elements()));
        for (float& value : data) value = 0.5f + static_cast<float>(stream() >> 40) * 0x1p-24f;
        out[entry.node->name] = Tensor::fromFloats({shape.dims().begin(), shape.dims().end()}, std::move(data));
    }
    return out;
}

std::optional<PixelBox> supportOf(const Tensor& image, double threshold)
{
    if (image.dims.size() != 2) throw Error(ErrorCode::Internal, "A gradient image has two dimensions.");
    std::optional<PixelBox> box;
    for (std::int64_t y = 0; y < image.dims[0]; ++y)
        for (std::int64_t x = 0; x < image.dims[1]; ++x) {
            if (!(image.real(y * image.dims[1] + x) > threshold)) continue;
            if (!box) box = PixelBox{y, x, y + 1, x + 1};
            box->left = std::min(box->left, x);
            box->right = std::max(box->right, x + 1);
            box->bottom = y + 1;
        }
    return box;
}

}  // namespace fovea
