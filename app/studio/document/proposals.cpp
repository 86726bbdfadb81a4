#include "app/studio/document/proposals.h"

#include "app/studio/document/background.h"
#include "core/base/error.h"

#include <algorithm>
#include <set>

namespace fovea::studio {

namespace {

constexpr int kDelayMs = 250;  // a slider drag should not start a search at every step
constexpr std::int64_t kBatch = 32;
constexpr int kCheaperSearches = 2;  // where every plan takes too long

std::vector<Proposals::PlanPtr> shared(std::vector<Plan>&& plans)
{
    std::vector<Proposals::PlanPtr> out;
    out.reserve(plans.size());
    for (Plan& plan : plans) out.push_back(std::make_shared<const Plan>(std::move(plan)));
    return out;
}

bool isKnown(const Graph& graph, const std::string& layerOrGroup)
{
    return std::ranges::any_of(graph.nodes(), [&](const auto& node) {
        return node->name == layerOrGroup || node->group == layerOrGroup || node->group.starts_with(layerOrGroup + ".");
    });
}

bool relieves(const Plan& plan, const std::vector<NodeId>& layers)
{
    return std::ranges::any_of(plan.relieved, [&](NodeId id) { return std::ranges::find(layers, id) != layers.end(); });
}

void setLimit(PlanRequest& request, const Loosening& loosening)
{
    switch (loosening.limit) {
    case Loosening::Limit::Macs: request.maxMacs = loosening.to; break;
    case Loosening::Limit::MinParameters: request.minParameters = loosening.to; break;
    case Loosening::Limit::MaxParameters: request.maxParameters = loosening.to; break;
    case Loosening::Limit::Training: request.maxTraining = loosening.to; break;
    case Loosening::Limit::Inference: request.maxInference = loosening.to; break;
    case Loosening::Limit::OutputStride: request.outputStride = loosening.to; break;
    case Loosening::Limit::Latency: break;
    case Loosening::Limit::Keep:
        if (loosening.layer.empty()) request.keep.clear();
        else std::erase(request.keep, loosening.layer);
        break;
    }
}

}  // namespace

struct Proposals::Found {
    std::vector<PlanPtr> plans;
    std::vector<Loosening> loosenings;
    QString error;
};

struct Proposals::Listed {
    std::vector<PlanPtr> moves;
    QString error;
};

int wastedLayers(const Summary& summary)
{
    return summary.count(Verdict::Unproductive) + summary.count(Verdict::Partial);
}

bool isSamePlan(const Stage::PlanPtr& a, const Stage::PlanPtr& b) { return a == b || (a && b && a->id == b->id); }

Proposals::Proposals(Stage& stage, QObject* parent) : QObject(parent), m_stage(stage)
{
    m_request.memory.batch = kBatch;
    m_delay.setSingleShot(true);
    m_delay.setInterval(kDelayMs);
    connect(&m_delay, &QTimer::timeout, this, &Proposals::search);
    connect(&stage.document(), &Document::changed, this, &Proposals::onDocumentChanged);
    connect(&m_latencies, &Latencies::changed, this, &Proposals::sift);
}

Proposals::~Proposals() { stop(); }

void Proposals::stop()
{
    m_delay.stop();
    if (m_cancelled) *m_cancelled = true;
}

void Proposals::onDocumentChanged(const Change& change)
{
    if (change.reset) {
        PlanRequest fresh;
        fresh.want = m_request.want;
        fresh.memory = m_request.memory;
        m_request = std::move(fresh);
        m_latencies.setLimit({});
        emit requestChanged();
    }
    if (m_searched == m_stage.document().graph()) return;
    ++m_combination;
    m_found.clear();
    m_plans.clear();
    m_moves.clear();
    m_loosenings.clear();
    m_movesListed = false;
    m_listed.reset();
    m_latencies.setNetwork(m_stage.document().graph());
    searchSoon();
}

void Proposals::searchSoon()
{
    stop();
    m_searched.reset();
    m_state = m_stage.document().isEmpty() ? State::Empty : State::Searching;
    if (m_state == State::Searching) m_delay.start();
    emit changed();
}

void Proposals::setRequest(PlanRequest request)
{
    const bool sameMoves = request.keep == m_request.keep && request.memory == m_request.memory;
    m_request = std::move(request);
    if (!sameMoves) {
        m_listed.reset();
        m_movesListed = false;
    }
    emit requestChanged();
    searchSoon();
}

void Proposals::loosen()
{
    PlanRequest request = m_request;
    for (const Loosening& loosening : m_loosenings) {
        if (loosening.limit == Loosening::Limit::Latency) setMaxLatency(loosening.to);
        else setLimit(request, loosening);
    }
    setRequest(std::move(request));
}

void Proposals::setMaxLatency(Latencies::Microseconds limit)
{
    // What was found for a tighter one are cheaper plans only.
    if (m_cheaperSearches > 0) searchSoon();
    m_latencies.setLimit(limit);
}

bool Proposals::keeps(const std::string& layerOrGroup) const
{
    return std::ranges::find(m_request.keep, layerOrGroup) != m_request.keep.end();
}

void Proposals::setKept(const std::string& layerOrGroup, bool keep)
{
    if (keeps(layerOrGroup) == keep) return;
    PlanRequest request = m_request;
    if (keep) request.keep.push_back(layerOrGroup);
    else std::erase(request.keep, layerOrGroup);
    setRequest(std::move(request));
}

// Without kept layers that an edit has taken away: undo may bring them back.
PlanRequest Proposals::requestFor(const PlanRequest& asked, const Graph& graph) const
{
    PlanRequest out = asked;
    std::erase_if(out.keep, [&](const std::string& name) { return !isKnown(graph, name); });
    out.weights = m_stage.document().network().weights;
    out.cancel = m_cancelled.get();
    if (const auto refusal = refusalsFor(m_stage.document().model()))
        out.accepts = [refusal](const Graph& refined) { return !refusal(refined); };
    return out;
}

void Proposals::search()
{
    m_cheaperSearches = 0;
    m_latencies.setNetwork(m_stage.document().graph());
    searchWith(m_request);
}

void Proposals::searchWith(const PlanRequest& asked)
{
    stop();
    if (m_stage.document().isEmpty()) return;
    m_cancelled = std::make_shared<std::atomic<bool>>(false);
    m_searched = m_stage.document().graph();
    m_state = State::Searching;
    emit changed();
    const auto work = [graph = m_searched, request = requestFor(asked, *m_searched), cancelled = m_cancelled] {
        auto found = std::make_shared<Found>();
        try {
            found->plans = shared(propose(*graph, request, &found->loosenings));
        } catch (const std::exception& error) {
            found->error = QString::fromUtf8(error.what());
        }
        return found;
    };
    inBackground(this, work, [this, cancelled = m_cancelled](const std::shared_ptr<Found>& found) {
        if (!*cancelled) takePlans(*found);
    });
}

void Proposals::takePlans(Found& found)
{
    m_found = std::move(found.plans);
    m_plans = m_found;
    m_loosenings = std::move(found.loosenings);
    m_state = found.error.isEmpty() ? State::Done : State::Failed;
    m_latencies.setPlans(m_found);  // and so sift()
    if (m_state == State::Failed) emit failed(tr("No proposals could be made"), found.error);
    else if (m_listed != m_searched) listMoves();
}

// Leaves those that are within the latency; where none is, cheaper ones are looked for.
void Proposals::sift()
{
    if (m_state != State::Done) {
        emit changed();
        return;
    }
    m_plans.clear();
    std::ranges::copy_if(m_found, std::back_inserter(m_plans),
                         [this](const PlanPtr& plan) { return !m_latencies.isOver(*plan); });
    const auto isLatency = [](const Loosening& loosening) { return loosening.limit == Loosening::Limit::Latency; };
    if (!m_plans.empty()) std::erase_if(m_loosenings, isLatency);
    const auto limit = m_latencies.limit(), fastest = m_latencies.fastest();
    if (limit && m_plans.empty() && !m_found.empty() && m_cheaperSearches < kCheaperSearches) {
        ++m_cheaperSearches;
        PlanRequest cheaper = m_request;
        cheaper.maxMacs =
            std::ranges::min(m_found, {}, [](const PlanPtr& plan) { return plan->after.macs; })->after.macs - 1;
        searchWith(cheaper);
        return;
    }
    if (limit && m_plans.empty() && m_cheaperSearches > 0 && fastest)
        m_loosenings = {loosenedLatency(*limit, *fastest)};
    emit changed();
}

void Proposals::listMoves()
{
    const auto work = [graph = m_searched, request = requestFor(m_request, *m_searched), cancelled = m_cancelled] {
        auto listed = std::make_shared<Listed>();
        try {
            listed->moves = shared(fovea::listMoves(*graph, request));
        } catch (const std::exception& error) {
            listed->error = QString::fromUtf8(error.what());
        }
        return listed;
    };
    inBackground(this, work, [this, cancelled = m_cancelled](const std::shared_ptr<Listed>& listed) {
        if (!*cancelled) takeMoves(*listed);
    });
}

void Proposals::takeMoves(Listed& listed)
{
    m_moves = std::move(listed.moves);
    m_movesListed = true;
    m_listed = m_searched;
    emit changed();
    if (!listed.error.isEmpty()) emit failed(tr("The single moves could not be listed"), listed.error);
}

void Proposals::cancel()
{
    stop();
    m_state = State::Cancelled;
    emit changed();
}

std::vector<Proposals::PlanPtr> Proposals::plansFor(const std::vector<NodeId>& layers) const
{
    std::vector<PlanPtr> singles;
    std::ranges::copy_if(m_moves, std::back_inserter(singles),
                         [&](const PlanPtr& move) { return relieves(*move, layers); });
    const auto rank = [](const PlanPtr& plan) { return std::pair(wastedLayers(plan->after), plan->after.macs); };
    std::ranges::stable_sort(singles, {}, rank);
    std::vector<PlanPtr> out;
    std::set<std::string> ids;
    for (const std::vector<PlanPtr>* list : std::initializer_list<const std::vector<PlanPtr>*>{&m_plans, &singles})
        for (const PlanPtr& plan : *list)
            if (relieves(*plan, layers) && ids.insert(plan->id).second) out.push_back(plan);
    return out;
}

void Proposals::combine(const std::vector<std::string>& ids)
{
    const int asked = ++m_combination;
    if (ids.size() < 2) {
        const auto it =
            std::ranges::find_if(m_moves, [&](const PlanPtr& move) { return !ids.empty() && move->id == ids.front(); });
        m_stage.showPreview(it == m_moves.end() ? nullptr : *it);
        return;
    }
    const GraphPtr graph = m_stage.document().graph();
    PlanRequest request = requestFor(m_request, *graph);
    request.cancel = nullptr;  // that of a search may be set at any time
    const auto work = [graph, ids, request]() -> PlanPtr {
        try {
            return std::make_shared<const Plan>(fovea::combine(*graph, ids, request));
        } catch (const std::exception&) {
            return nullptr;
        }
    };
    inBackground(this, work, [this, asked](const PlanPtr& plan) {
        if (asked != m_combination) return;
        m_stage.showPreview(plan);
        if (!plan) emit notCombined();
    });
}

void Proposals::apply(const PlanPtr& plan)
{
    try {
        // The plan was made for this very graph: any edit since would have dropped it.
        m_stage.document().edit(QString::fromStdString(plan->title), {}, [&](Graph& graph) { graph = plan->graph; });
    } catch (const std::exception& error) {
        emit failed(tr("The proposal could not be applied"), QString::fromUtf8(error.what()));
    }
}

}  // namespace fovea::studio
