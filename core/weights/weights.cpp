#include "core/weights/weights.h"

#include "core/base/checked.h"
#include "core/base/error.h"
#include "core/ops/registry.h"
#include "core/weights/owned_params.h"

#include <algorithm>
#include <cstring>
#include <unordered_set>

namespace fovea {

namespace {

// Above this a tensor is a slip of the keyboard rather than a layer; refused before memory is asked for.
constexpr std::int64_t kMaxElements = std::int64_t{1} << 34;

}  // namespace

Ints squeezed(const Ints& dims)
{
    Ints out;
    std::copy_if(dims.begin(), dims.end(), std::back_inserter(out), [](std::int64_t dim) { return dim != 1; });
    return out;
}

bool isKnown(const Ints& dims)
{
    return std::all_of(dims.begin(), dims.end(), [](std::int64_t dim) { return dim >= 0; });
}

std::int64_t boundedElements(const Ints& dims, const std::string& name)
{
    std::int64_t count = 1;
    for (const std::int64_t dim : dims) {
        const auto next = checkedMul(count, dim);
        if (dim < 0 || !next || *next > kMaxElements)
            throw Error(ErrorCode::Limit, "Tensor '" + name + "' of shape " + toText(dims) + " is too large; at most " +
                                              std::to_string(kMaxElements) + " elements are made.");
        count = *next;
    }
    return count;
}

const Tensor* Weights::find(const std::string& name) const
{
    const auto it = m_tensors.find(name);
    return it == m_tensors.end() ? nullptr : &it->second;
}

void Weights::set(const std::string& name, Tensor tensor) { m_tensors.insert_or_assign(name, std::move(tensor)); }

void eachLayer(const Graph& graph, const std::function<void(const NodeView&)>& visit)
{
    const Prepared prepared = prepare(graph);
    std::vector<Issue> issues;
    const std::vector<Value> values = inferShapes(prepared, issues);
    std::vector<Value> in;
    for (const Prepared::Entry& entry : prepared.entries) {
        in.clear();
        for (std::uint32_t i = 0; i < entry.inputCount; ++i) {
            const std::int32_t source = prepared.sources[entry.firstInput + i];
            in.push_back(source < 0 ? Value{} : values[static_cast<std::size_t>(source)]);
        }
        in.resize(std::max(in.size(), static_cast<std::size_t>(entry.op->minInputs)));
        visit({*entry.node, in, std::span(values).subspan(entry.firstOutput, entry.outputCount)});
    }
}

Weights without(const Weights& weights, const std::vector<std::string>& names)
{
    Weights out;
    for (const auto& [name, tensor] : weights.tensors())
        if (std::find(names.begin(), names.end(), name) == names.end()) out.set(name, tensor);
    return out;
}

std::vector<OwnedParam> ownedParams(const Graph& graph)
{
    std::vector<OwnedParam> out;
    std::unordered_set<std::string> seen;
    eachLayer(graph, [&](const NodeView& view) {
        for (NamedParam& param : paramsOf(view.node, view.in, view.out)) {
            if (!seen.insert(param.tensor).second) continue;
            const bool known = isKnown(param.spec.dims);
            out.push_back({&view.node, std::move(param.spec), std::move(param.tensor), known});
        }
    });
    return out;
}

Tensor valuesFor(const ParamSpec& spec, const std::string& name, const Node& layer, const Tensor* stored,
                 std::uint64_t seed, std::vector<std::string>* fresh)
{
    if (stored && stored->dims == spec.dims) return *stored;
    if (stored && squeezed(stored->dims) == squeezed(spec.dims)) {
        Tensor view = *stored;
        view.dims = spec.dims;
        return view;
    }
    if (stored && stored->dims.size() == spec.dims.size()) {
        const bool wider = !stored->dims.empty() && spec.dims[0] > stored->dims[0];
        const Tensor start = wider ? initialise(spec, name, seed) : Tensor{};
        return fit(*stored, spec.dims, wider ? &start : nullptr);
    }
    if (fresh && !isNeutral(layer)) fresh->push_back(name);
    return initialise(spec, name, seed);
}

Weights materialise(const Graph& graph, const Weights& weights, std::uint64_t seed, std::vector<std::string>* fresh)
{
    Weights out;
    for (const OwnedParam& param : ownedParams(graph)) {
        const Tensor* source = weights.find(param.tensor);
        if (!param.known) {
            if (source) out.set(param.tensor, *source);
            continue;
        }
        out.set(param.tensor, valuesFor(param.spec, param.tensor, *param.layer, source, seed, fresh));
    }
    // Constants that a layer is bound to without owning them as parameters (an opaque layer's inputs).
    for (const auto& node : graph.nodes())
        for (const TensorBinding& binding : node->tensors)
            if (const Tensor* source = weights.find(binding.tensor); source && !out.find(binding.tensor))
                out.set(binding.tensor, *source);
    return out;
}

}  // namespace fovea
