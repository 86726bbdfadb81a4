// The graph's layers as LibTorch calls with their tensors. Private to this room; Module and the trainer stand on it.
#pragma once

#include "core/ops/registry.h"
#include "core/train/calls.h"
#include "core/train/module.h"

#include <ATen/ATen.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace fovea {

// LibTorch's exceptions end here: what fails in `body` is an Error that names `frame`.
template <typename Body>
auto translated(const std::string& frame, Body body) -> decltype(body());

at::Device deviceNamed(const std::string& name);  // Error(Usage) where it does not answer

struct Network {
    struct Step {
        const Prepared::Entry* entry;
        TorchCall call;
        std::map<std::string, at::Tensor> tensors;  // by role
        bool training = false;                      // norms take the batch's statistics, dropout drops
    };
    // A tensor that a layer owns; layers that share it share this.
    struct Owned {
        std::string name;
        at::Tensor tensor;
        bool trainable = false;
        std::size_t step = 0;  // its first user
    };

    Graph graph;
    Prepared prepared;
    std::vector<Value> values;  // shapes, at the input's declared size
    std::vector<Step> steps;    // as prepared.entries
    std::vector<Owned> owned;   // in execution order
    ModuleOptions options;
    at::Device device = at::kCPU;
    at::ScalarType type = at::kFloat;

    Network(const Graph& graph, const Weights& weights, const ModuleOptions& options);
    Network(const Network&) = delete;
    Network& operator=(const Network&) = delete;

    const Prepared::Entry& entryNamed(const std::string& name) const;  // Error(Usage)
    std::size_t indexOf(const Prepared::Entry& entry) const;
    // Index among the values; Error(Usage) where the port is not connected.
    std::size_t valueOf(const Port& port, const std::string& name) const;
    std::string imageName(const std::string& wanted = {}) const;  // empty: the first input that is an image
    // [n, c, h, w] in the order of dimensions that this input has, as views. Error(Usage) where it has no batch and n is
    // above 1, or dimensions that no image has.
    at::Tensor inOrderOf(const std::string& input, const at::Tensor& images) const;

    // Runs what the wanted values need. `made` has one tensor for each value; those that nobody reads any more are
    // gone again, except the wanted ones.
    // `watch` is shown every layer's outputs as they come.
    using Watch = std::function<void(std::size_t step, const std::vector<at::Tensor>& outputs)>;
    void run(const std::vector<std::size_t>& wanted, const std::map<std::string, at::Tensor>& inputs,
             std::vector<at::Tensor>& made, const Watch& watch = {}) const;

    // By step: whether one of these values needs it.
    std::vector<bool> stepsBefore(const std::vector<std::size_t>& wanted) const;

private:
    std::vector<Value> inputsOf(const Prepared::Entry& entry) const;
    void bind(Step& step, const NamedParam& param, const Weights& weights, std::vector<std::string>& missing);
    std::vector<at::Tensor> runStep(const Step& step, const std::map<std::string, at::Tensor>& inputs,
                                    const std::vector<at::Tensor>& made) const;

    std::map<std::string, std::size_t> m_ownedByName;
};

// The sum of a unit's channels, over the batch; `output` is the layer's. Error(Usage) where it has no such unit.
at::Tensor unitSum(const UnitOf& unit, const Layout& layout, at::Tensor output);

// In our words: Limit where memory ran out, Internal where the GPU failed, else Usage. With what to do.
Error translatedError(const c10::Error& error);

template <typename Body>
auto translated(const std::string& frame, Body body) -> decltype(body())
{
    try {
        return body();
    } catch (Error& error) {
        throw error.within(frame);
    } catch (const c10::Error& error) {
        throw translatedError(error).within(frame);
    }
}

}  // namespace fovea
