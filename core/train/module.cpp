#include "core/train/module.h"

#include "core/train/network.h"
#include "core/train/tensors.h"

#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>

#include <random>

namespace fovea {

namespace {

// [h, w] of the gradient of an image, whose dimensions may stand in any order.
at::Tensor sumOfSides(const at::Tensor& gradient, const Layout& layout)
{
    if (layout.h < 0 || layout.w < 0) throw Error(ErrorCode::Usage, "The input is no image, so it has no field.");
    std::vector<std::int64_t> others;
    for (std::int64_t dim = 0; dim < gradient.dim(); ++dim)
        if (dim != layout.h && dim != layout.w) others.push_back(dim);
    const at::Tensor sum = others.empty() ? gradient : gradient.sum(at::IntArrayRef(others));
    return layout.h < layout.w ? sum : sum.t().contiguous();
}

}  // namespace

struct Module::Impl {
    Impl(const Graph& graph, const Weights& weights, const ModuleOptions& options) : network(graph, weights, options) {}

    Network network;

    std::map<std::string, at::Tensor> toDevice(const NamedTensors& inputs) const
    {
        std::map<std::string, at::Tensor> out;
        for (const auto& [name, tensor] : inputs) out[name] = toTorch(tensor, network.type, network.device, name);
        return out;
    }

    std::size_t valueOf(const UnitOf& unit) const
    {
        const auto& entry = network.entryNamed(unit.layer);
        if (unit.output < 0 || unit.output >= static_cast<int>(entry.outputCount))
            throw Error(ErrorCode::Usage,
                        "Layer '" + unit.layer + "' has no output " + std::to_string(unit.output) + ".");
        return entry.firstOutput + static_cast<std::size_t>(unit.output);
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
    const c10::NoGradGuard noGradients;
    const Network& network = m_impl->network;
    std::vector<std::size_t> wanted;
    for (const GraphOutput& output : network.graph.outputs())
        wanted.push_back(network.valueOf(output.port, output.name));
    std::vector<at::Tensor> made;
    network.run(wanted, m_impl->toDevice(inputs), made);
    NamedTensors out;
    for (std::size_t i = 0; i < wanted.size(); ++i) out[network.graph.outputs()[i].name] = fromTorch(made[wanted[i]]);
    return out;
}

std::vector<Tensor> Module::inputGradients(std::span<const UnitOf> units, const NamedTensors& inputs,
                                           const std::string& image) const
{
    const Network& network = m_impl->network;
    const std::string name = network.imageName(image);
    std::vector<std::size_t> wanted;
    for (const UnitOf& unit : units) wanted.push_back(m_impl->valueOf(unit));
    std::map<std::string, at::Tensor> given = m_impl->toDevice(inputs);
    if (!given.contains(name)) throw Error(ErrorCode::Usage, "Input '" + name + "' was given no tensor.");
    at::Tensor& source = given[name];
    source.requires_grad_(true);
    std::vector<at::Tensor> made;
    network.run(wanted, given, made);
    std::vector<Tensor> out;
    for (std::size_t i = 0; i < units.size(); ++i)
        out.push_back(translated("gradient of '" + units[i].layer + "'", [&] {
            const at::Tensor sum = unitSum(units[i], network.values[wanted[i]].layout, made[wanted[i]]);
            at::Tensor gradient = at::zeros_like(source);
            if (sum.requires_grad()) {
                const auto grads = torch::autograd::grad({sum}, {source}, {}, true, false, true);
                if (grads[0].defined()) gradient = grads[0];
            }
            return fromTorch(sumOfSides(gradient.to(at::kDouble).abs(), network.values[network.entryNamed(name).firstOutput].layout));
        }));
    return out;
}

NamedTensors Module::randomInputs(std::uint64_t seed) const
{
    NamedTensors out;
    for (const auto& entry : m_impl->network.prepared.entries) {
        if (entry.op->opClass != OpClass::Input) continue;
        const Shape& shape = m_impl->network.values[entry.firstOutput].shape;
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
