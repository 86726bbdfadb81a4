// A network that can be run: built from a graph whose kinds all have a PyTorch form, and its tensors.
// No LibTorch type is shown here; its exceptions become Error in module.cpp.
#pragma once

#include "core/base/pixel_box.h"
#include "core/graph/graph.h"
#include "core/graph/tensor.h"
#include "core/weights/weights.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace fovea {

// Plain: the network as PyTorch runs it in eval mode.
// Support: every layer reads what it reads, but passes all of it on with a positive weight, so that the gradient
// of a unit is positive on exactly the pixels that its wiring and geometry let it see. Parameters are drawn from
// (0.5, 1.5) over the fan-in; activations, group, instance and local response norms pass their input on; max
// becomes mean; products, quotients and differences of maps become sums; softmax and layer norms add the mean of what
// they read; a product of matrices is the mean of both, as it is counted as reading everything; a resize weighs its
// taps equally. tests/engine holds predicted fields against it.
enum class RunMode { Plain, Support };

struct ModuleOptions {
    RunMode mode = RunMode::Plain;
    bool doublePrecision = false;  // Support always is: a corner of a deep network's field weighs below 1e-38
    std::string device = "cpu";    // "cpu", "cuda", "cuda:1"
    std::uint64_t seed = 0;        // of the parameters drawn in mode Support
};

// One unit of one layer: row and column on its output map; [0, 0] where the output has no map (any more).
struct UnitOf {
    std::string layer;
    std::int64_t y = 0, x = 0;
    int output = 0;
};

using NamedTensors = std::map<std::string, Tensor>;

class Module {
public:
    // Error(Usage) that names the layers without a PyTorch form, the tensors that `weights` lacks or has in
    // another shape, an unknown device, or what does not fit together. `weights` may be empty in mode Support.
    Module(const Graph& graph, const Weights& weights, const ModuleOptions& options = {});
    ~Module();
    Module(Module&&) noexcept;
    Module& operator=(Module&&) noexcept;

    // Every output of the graph by its name, from every input by its layer's name (any batch; F32 or F64).
    NamedTensors forward(const NamedTensors& inputs) const;

    // For each unit the gradient of the sum of its channels with respect to the image, absolute, summed over
    // channels and batch: [h, w], F64. One forward pass serves all of them; layers behind them do not run.
    // `image` names the input; empty: the first that is an image.
    std::vector<Tensor> inputGradients(std::span<const UnitOf> units, const NamedTensors& inputs,
                                       const std::string& image = {}) const;

    // Tensors of every input's declared shape, uniform in (0.5, 1.5).
    NamedTensors randomInputs(std::uint64_t seed) const;

private:
    struct Impl;
    std::unique_ptr<Impl> m_impl;
};

// The smallest box that holds every element of an [h, w] image above `threshold`; nullopt where there is none.
std::optional<PixelBox> supportOf(const Tensor& image, double threshold = 0);

}  // namespace fovea
