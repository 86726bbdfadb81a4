#include "core/base/checked.h"
#include "core/base/error.h"
#include "core/ops/registry.h"
#include "core/weights/owned_params.h"
#include "core/weights/weights.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>
#include <unordered_set>

namespace fovea {

namespace {

// Trainable elements; running statistics are tensors but no parameters.
std::int64_t parameterCount(const ParamSpec& spec)
{
    if (!spec.trainable || !isKnown(spec.dims)) return 0;
    std::int64_t count = 1;
    for (const std::int64_t dim : spec.dims) count = saturatingMul(count, dim);
    return count;
}

Transfer actionFor(const Ints& from, const Ints& to)
{
    // A size that is not known on one side says nothing about a change.
    if (squeezed(from) == squeezed(to) || !isKnown(from) || !isKnown(to)) return Transfer::Copied;
    if (from.size() != to.size()) return Transfer::Fresh;
    for (std::size_t i = 0; i < from.size(); ++i)
        if (to[i] > from[i]) return Transfer::Padded;
    return Transfer::Sliced;
}

void count(TransferPlan& plan, Transfer action, const ParamSpec& spec)
{
    TransferPlan::Total& total = plan.totals[static_cast<int>(action)];
    ++total.tensors;
    total.parameters = saturatingAdd(total.parameters, parameterCount(spec));
}

// The part of source and target that overlap along one dimension.
struct Overlap {
    std::int64_t from, to, length;
};

// Channels (the first two dimensions) keep their index, kernels their centre.
Overlap overlapOf(std::size_t dim, std::int64_t from, std::int64_t to)
{
    if (dim < 2) return {0, 0, std::min(from, to)};
    return from >= to ? Overlap{(from - to) / 2, 0, to} : Overlap{0, (to - from) / 2, from};
}

// Copies the overlap of dimensions `dim`.. ; `source` and `target` are element offsets.
class Copier {
public:
    Copier(const Tensor& source, const Ints& dims, std::byte* target)
        : m_source(source.bytes.data()), m_target(target), m_size(byteSize(source.dtype))
    {
        std::int64_t sourceStride = 1, targetStride = 1;
        m_axes.resize(dims.size());
        for (std::size_t i = dims.size(); i-- > 0;) {
            m_axes[i] = {overlapOf(i, source.dims[i], dims[i]), sourceStride, targetStride};
            sourceStride *= source.dims[i];
            targetStride *= dims[i];
        }
    }

    void run(std::size_t dim = 0, std::int64_t source = 0, std::int64_t target = 0) const
    {
        if (m_axes.empty()) {
            std::memcpy(m_target, m_source, m_size);
            return;
        }
        const auto& [overlap, sourceStride, targetStride] = m_axes[dim];
        source += overlap.from * sourceStride;
        target += overlap.to * targetStride;
        if (dim + 1 == m_axes.size()) {
            std::memcpy(m_target + static_cast<std::size_t>(target) * m_size,
                        m_source + static_cast<std::size_t>(source) * m_size,
                        static_cast<std::size_t>(overlap.length) * m_size);
            return;
        }
        for (std::int64_t i = 0; i < overlap.length; ++i)
            run(dim + 1, source + i * sourceStride, target + i * targetStride);
    }

private:
    struct Axis {
        Overlap overlap;
        std::int64_t sourceStride, targetStride;
    };
    const std::byte* m_source;
    std::byte* m_target;
    std::size_t m_size;
    std::vector<Axis> m_axes;
};

}  // namespace

const char* toString(Transfer transfer)
{
    switch (transfer) {
    case Transfer::Copied: return "copied";
    case Transfer::Sliced: return "sliced";
    case Transfer::Padded: return "padded";
    case Transfer::Fresh: return "new";
    case Transfer::Dropped: return "dropped";
    }
    return "new";
}

namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

}  // namespace

struct TransferFrom::Owned {
    Owned(const Graph& before, const Weights* values) : graph(before)
    {
        if (values && !values->empty()) stored = *values;
        eachLayer(graph, [this](const NodeView& view) {
            std::vector<std::size_t>& own = byLayer[&view.node];
            for (NamedParam& param : paramsOf(view.node, view.in, view.out))
                own.push_back(indexOf(&view.node, std::move(param.spec), std::move(param.tensor)));
        });
    }

    // Of the tensor of this name; kNone where there are values, but not of it.
    std::size_t indexOf(const Node* layer, ParamSpec spec, std::string name)
    {
        if (const auto known = byName.find(name); known != byName.end()) return known->second;
        if (stored.empty()) return add({layer, std::move(spec), std::move(name), true});
        const Tensor* values = stored.find(name);
        if (!values) return kNone;
        spec.dims = values->dims;
        return add({layer, std::move(spec), std::move(name), true});
    }

    std::size_t add(OwnedParam param)
    {
        byName.emplace(param.tensor, params.size());
        params.push_back(std::move(param));
        return params.size() - 1;
    }

    Graph graph;  // keeps the layers that `params` points to
    Weights stored;
    std::vector<OwnedParam> params;
    std::unordered_map<std::string, std::size_t> byName;
    // What a layer owns, in the order of its specifications. Graphs share the layers in which they do not differ.
    std::unordered_map<const Node*, std::vector<std::size_t>> byLayer;
};

TransferFrom::TransferFrom(const Graph& before, const Weights* stored)
    : m_owned(std::make_unique<const Owned>(before, stored))
{}

TransferFrom::~TransferFrom() = default;

TransferPlan TransferFrom::to(const Graph& after) const
{
    TransferPlan plan;
    for (const OwnedParam& param : m_owned->params)
        plan.before = saturatingAdd(plan.before, parameterCount(param.spec));
    std::vector<bool> kept(m_owned->params.size(), false);
    std::unordered_set<std::string> made;
    eachLayer(after, [&](const NodeView& view) {
        const auto same = m_owned->byLayer.find(&view.node);
        const std::vector<ParamSpec> specs = specsOf(view);
        for (std::size_t i = 0; i < specs.size(); ++i) {
            const ParamSpec& spec = specs[i];
            const bool isSame = same != m_owned->byLayer.end() && same->second.size() == specs.size();
            std::size_t index = isSame ? same->second[i] : kNone;
            std::string name;
            if (index == kNone) {
                name = view.node.tensorName(spec.role);
                if (const auto it = m_owned->byName.find(name); it != m_owned->byName.end()) index = it->second;
            }
            if (index == kNone) {
                if (!made.insert(name).second) continue;
                // Of a layer that was taken away before, and that is back under its name.
                if (const Tensor* values = m_owned->stored.find(name)) {
                    const Transfer action = actionFor(values->dims, spec.dims);
                    count(plan, action, spec);
                    if (action != Transfer::Copied)
                        plan.rows.push_back({name, view.node.name, action, values->dims, spec.dims});
                    continue;
                }
                const Transfer action = isNeutral(view.node) ? Transfer::Padded : Transfer::Fresh;
                count(plan, action, spec);
                plan.rows.push_back({name, view.node.name, action, {}, spec.dims});
                continue;
            }
            if (kept[index]) continue;
            kept[index] = true;
            const OwnedParam& old = m_owned->params[index];
            const Transfer action = actionFor(old.spec.dims, spec.dims);
            count(plan, action, spec);
            if (action != Transfer::Copied)
                plan.rows.push_back(
                    {old.tensor, view.node.name, action, old.spec.dims, spec.dims, parameterCount(old.spec)});
        }
    });
    for (std::size_t i = 0; i < kept.size(); ++i) {
        if (kept[i]) continue;
        const OwnedParam& old = m_owned->params[i];
        count(plan, Transfer::Dropped, old.spec);
        plan.rows.push_back(
            {old.tensor, old.layer->name, Transfer::Dropped, old.spec.dims, {}, parameterCount(old.spec)});
    }
    return plan;
}

double TransferPlan::kept() const
{
    if (before <= 0) return 1;
    std::int64_t lost = 0;
    for (const TransferRow& row : rows) {
        bool isWhole = row.action == Transfer::Padded && row.from.size() == row.to.size();
        for (std::size_t i = 0; isWhole && i < row.from.size(); ++i) isWhole = row.to[i] >= row.from[i];
        if (!isWhole) lost = saturatingAdd(lost, row.parameters);
    }
    return 1 - static_cast<double>(std::min(lost, before)) / static_cast<double>(before);
}

TransferPlan planTransfer(const Graph& before, const Graph& after) { return TransferFrom(before).to(after); }

TransferPlan planStart(const Graph& graph, const Weights& stored)
{
    if (stored.empty()) return planTransfer(Graph(), graph);
    return TransferFrom(graph, &stored).to(graph);
}

Tensor fit(const Tensor& source, const Ints& dims, const Tensor* start)
{
    if (source.dims == dims) return source;
    if (source.dims.size() != dims.size())
        throw Error(ErrorCode::Internal,
                    "A tensor of shape " + toText(source.dims) + " cannot be fitted to " + toText(dims) + ".");
    const std::int64_t count = boundedElements(dims, "fitted");
    auto bytes = std::make_shared<std::vector<std::byte>>(static_cast<std::size_t>(count) * byteSize(source.dtype));
    if (start && !dims.empty() && dims[0] > source.dims[0])
        for (std::int64_t i = count / dims[0] * source.dims[0]; i < count; ++i)
            storeReal(start->real(i), source.dtype,
                      bytes->data() + static_cast<std::size_t>(i) * byteSize(source.dtype));
    if (count > 0 && source.elements() > 0) Copier(source, dims, bytes->data()).run();
    Tensor out;
    out.dtype = source.dtype;
    out.dims = dims;
    out.bytes = *bytes;
    out.owner = std::move(bytes);
    return out;
}

}  // namespace fovea
