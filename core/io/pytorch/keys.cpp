#include "core/io/pytorch/keys.h"

#include "core/base/error.h"
#include "core/io/pytorch/layout.h"

namespace fovea {

std::map<std::string, std::string> pytorchKeys(const Graph& graph) { return layOutTorch(graph).keys; }

Weights stateDict(const Graph& graph, const Weights& weights, std::vector<std::string>* fresh)
{
    const TorchLayout layout = layOutTorch(graph);
    Weights out;
    for (const OwnedParam& param : layout.owned)
        out.set(layout.keys.at(param.tensor),
                valuesFor(param.spec, param.tensor, *param.layer, weights.find(param.tensor), 0, fresh));
    for (const std::string& counter : layout.counters) out.set(counter, Tensor::fromIntegers({}, {0}));
    return out;
}

Weights weightsFromStateDict(const Graph& graph, const Weights& state)
{
    const TorchLayout layout = layOutTorch(graph);
    Weights out;
    std::string wrong;
    std::size_t count = 0;
    const auto complain = [&](const std::string& what) {
        constexpr std::size_t kNamed = 5;
        if (++count <= kNamed) wrong += (wrong.empty() ? "" : ", ") + what;
    };
    for (const OwnedParam& param : layout.owned) {
        const std::string& key = layout.keys.at(param.tensor);
        const Tensor* tensor = state.find(key);
        if (!tensor) tensor = state.find(param.tensor);
        if (!tensor) complain("'" + key + "' is missing");
        else if (tensor->dims != param.spec.dims)
            complain("'" + key + "' has shape " + toText(tensor->dims) + " instead of " + toText(param.spec.dims));
        else out.set(param.tensor, *tensor);
    }
    if (count > 0)
        throw Error(ErrorCode::Format, "The weights do not fit the network: " + wrong +
                                           (count > 5 ? ", and " + std::to_string(count - 5) + " more" : "") + ".");
    return out;
}

}  // namespace fovea
