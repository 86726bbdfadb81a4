#include "core/refine/moves.h"
#include "core/refine/score.h"

#include <algorithm>

namespace fovea::refine {

Scene::Scene(const Graph& graph, const Report& report, const std::set<NodeId>& keep)
    : m_graph(graph), m_report(report), m_keep(keep), m_prepared(prepare(graph)), m_layers(size(), nullptr),
      m_readers(size(), 0)
{
    for (std::size_t entry = 0; entry < size(); ++entry) {
        m_layers[entry] = report.find(node(entry).id);
        for (const std::int32_t source : inputs(entry))
            if (source >= 0) ++m_readers[static_cast<std::size_t>(source)];
    }
    for (const GraphOutput& output : graph.outputs())
        if (const std::int32_t entry = m_prepared.entryOf(output.port.node); entry >= 0)
            ++m_readers[static_cast<std::size_t>(entry)];
}

std::span<const std::int32_t> Scene::inputs(std::size_t entry) const
{
    const Prepared::Entry& e = m_prepared.entries[entry];
    return std::span(m_prepared.sourceEntries).subspan(e.firstInput, e.inputCount);
}

std::span<const std::int32_t> Scene::paths(std::size_t entry) const
{
    const auto all = inputs(entry);
    const int paths = op(entry).pathInputs;
    return paths < 0 || static_cast<std::size_t>(paths) >= all.size() ? all
                                                                      : all.first(static_cast<std::size_t>(paths));
}

bool Scene::isStrided(std::size_t entry) const
{
    const OpClass opClass = op(entry).opClass;
    const LayerReport* report = layer(entry);
    if (!report || !report->finite || (opClass != OpClass::Convolution && opClass != OpClass::Pooling)) return false;
    if (report->reach->h.kind != ReachKind::Window || !node(entry).attrs.getInts("stride")) return false;
    return report->reach->h.stride > 1 || report->reach->w.stride > 1;
}

bool Scene::isDisjointPooling(std::size_t entry) const
{
    const Reach& reach = *layer(entry)->reach;
    return op(entry).opClass == OpClass::Pooling && reach.h.kernel == reach.h.stride &&
           reach.w.kernel == reach.w.stride;
}

bool Scene::isThinning(std::size_t entry) const
{
    const LayerReport* report = layer(entry);
    if (!report || !report->finite || report->in.size() != 1 || !node(entry).attrs.getInts("step")) return false;
    const Value &in = report->in[0], &out = report->out[0];
    const auto keepsRest = [](const AxisReach& r, std::int64_t size) {
        return r.kind == ReachKind::Crop && r.offset == 0 && size > 0 && r.length == (size + r.step - 1) / r.step;
    };
    const Reach& reach = *report->reach;
    return in.channels() == out.channels() && keepsRest(reach.h, in.height()) && keepsRest(reach.w, in.width()) &&
           std::max(reach.h.step, reach.w.step) > 1;
}

bool Scene::isSmallField() const { return refine::isSmallField(m_report); }

bool Scene::isMap(std::size_t entry) const
{
    const LayerReport* report = layer(entry);
    if (!report || !report->finite || report->out.size() != 1 || report->out[0].shape.rank() != 4) return false;
    const Layout& layout = report->out[0].layout;
    return layout.c == 1 && std::min(layout.h, layout.w) == 2 && std::max(layout.h, layout.w) == 3;
}

namespace {

bool isExchanged(const LayerReport* layer)
{
    if (!layer || layer->in.empty()) return false;
    const Layout& layout = layer->in[0].layout;
    return layout.w >= 0 && layout.h > layout.w;
}

}  // namespace

Ints Scene::pair(std::size_t entry, const PerAxis<std::int64_t>& value) const
{
    return isExchanged(layer(entry)) ? Ints{value.w, value.h} : Ints{value.h, value.w};
}

Ints Scene::padding(std::size_t entry, const PerAxis<std::int64_t>& begin, const PerAxis<std::int64_t>& end) const
{
    return isExchanged(layer(entry)) ? Ints{begin.w, begin.h, end.w, end.h} : Ints{begin.h, begin.w, end.h, end.w};
}

}  // namespace fovea::refine
