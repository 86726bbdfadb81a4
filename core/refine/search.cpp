#include "core/refine/search.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

namespace fovea::refine {

namespace {

constexpr int kDepth = 5;
constexpr std::size_t kBeam = 8, kReshapingBeam = 4;
constexpr std::size_t kPlans = 12;
// An analysis costs about a microsecond a layer; this keeps a search within a second on any size of network.
constexpr int kLayersAnalysed = 200'000;
constexpr int kMostAnalyses = 1'200, kFewestAnalyses = 12;
// Networks that are drawn by hand are small enough to look further.
constexpr std::size_t kSmallNetwork = 24;
constexpr int kMostAnalysesSmall = 2'000;
constexpr std::size_t kWider = 6;  // times the beam

bool isSideChange(const std::vector<Edit>& edits) { return edits.front().attribute == "shape"; }

// The first stride relaxed, by the smallest step (relaxStrides() comes first and goes through the layers in
// order), and the stem for small images.
bool isStemChange(std::size_t index, const std::vector<Candidate>& all)
{
    const std::vector<Edit> edits = all[index].edits();
    const auto sets = [&](const char* attribute) {
        return std::any_of(edits.begin(), edits.end(), [&](const Edit& e) { return e.attribute == attribute; });
    };
    if (sets("kernel_size")) return sets("stride") && sets("padding");
    if (index > 1 || edits.front().attribute != "stride") return false;
    const bool halves = all.size() > 1 && all[1].changes.front().edit.attribute == "stride" &&
                        all[1].changes.front().layer == all[0].changes.front().layer;
    return halves ? index == 1 : index == 0;
}

int movedLayers(const std::vector<Edit>& edits)
{
    return static_cast<int>(
        std::count_if(edits.begin(), edits.end(), [](const Edit& edit) { return edit.op == Edit::Op::Move; }));
}

// A pooling that is moved and then loses its stride: moving it was in vain.
bool movesInVain(const std::vector<Edit>& edits)
{
    return std::any_of(edits.begin(), edits.end(), [&](const Edit& move) {
        return move.op == Edit::Op::Move && std::any_of(edits.begin(), edits.end(), [&](const Edit& set) {
                   return set.op == Edit::Op::Set && set.layer == move.layer;
               });
    });
}

// Changes of layers that are only there since a move before: other moves add them so at once.
bool changesAdded(const std::vector<Edit>& before, const Candidate& candidate)
{
    return std::any_of(before.begin(), before.end(), [&](const Edit& added) {
        return added.op == Edit::Op::Add &&
               std::any_of(candidate.changes.begin(), candidate.changes.end(), [&](const Change& change) {
                   return change.edit.layer == added.layer || change.edit.after == added.layer;
               });
    });
}

// Of plans that move the same layers to slightly different places, the best two are enough.
void dropVariants(std::vector<State>& plans)
{
    constexpr int kVariants = 2;
    std::map<std::string, int> count;
    std::erase_if(plans, [&](const State& state) {
        std::vector<Edit> places = state.edits;
        for (Edit& edit : places) edit.to = edit.after = "";
        return ++count[canonicalText(places)] > kVariants;
    });
}

}  // namespace

Search::Search(const Graph& graph, const Report& before, const std::set<NodeId>& keep, const PlanRequest& request)
    : m_graph(graph), m_before(before), m_keep(keep), m_request(request), m_order(graph), m_start(scoreOf(before)),
      m_validity(before)
{
    for (const LayerReport& layer : before.layers)
        if (layer.op->opClass == OpClass::Pooling) m_poolings.insert(layer.name());
    const int layers = static_cast<int>(std::min<std::size_t>(before.layers.size() + 1, kLayersAnalysed));
    m_left = std::clamp(kLayersAnalysed / layers, kFewestAnalyses, isSmall() ? kMostAnalysesSmall : kMostAnalyses);
}

bool Search::isSmall() const { return m_before.layers.size() <= kSmallNetwork; }

std::vector<State> Search::run()
{
    State start{m_graph, {}, m_start, 0};
    std::vector<State> front = beam(singles(start));
    for (int depth = 2; depth <= kDepth && !front.empty() && m_left > 0 && !cancelled(); ++depth) {
        // Half of what is left goes to each level, so that early levels, where plans are short, get most.
        const int share = std::max(1, m_left / (depth == kDepth ? 1 : 2) / static_cast<int>(front.size()));
        std::vector<State> next;
        for (const State& state : front)
            for (State& found : expand(state, share)) next.push_back(std::move(found));
        front = beam(std::move(next));
    }
    if (cancelled()) return {};
    return best();
}

std::vector<Candidate> Search::candidates(const State& state, const Report& report) const
{
    // Edits of layers that are gone later would say nothing, so a cut comes first where not everything can be tried.
    // A side that suits the network leaves nothing to combine with. A field that only a cut has made too small is not
    // to be grown again.
    const bool first = state.moves == 0;
    return movesFor(Scene(state.graph, report, m_keep),
                    {.first = first, .cut = first || isSmall(), .grow = m_start.shortfall > 0});
}

std::vector<State> Search::singles(const State& start)
{
    std::vector<State> out;
    std::vector<Candidate> all = candidates(start, m_before);
    for (std::size_t i = 0; i < all.size() && m_left > 0 && !cancelled(); ++i) {
        const std::vector<Edit> edits = all[i].edits();
        const bool side = isSideChange(edits);
        const bool asked = side || isStemChange(i, all);
        std::optional<State> state = evaluate(all[i], start, asked);
        if (!state) continue;
        m_promise[canonicalText(edits)] = compromise(state->score, m_start);
        if (!side) out.push_back(std::move(*state));
    }
    return out;
}

std::vector<State> Search::expand(const State& state, int budget)
{
    // Analysed again rather than kept: reports of every state searched would take hundreds of megabytes.
    --m_left;
    std::vector<Candidate> all = candidates(state, analyze(state.graph, m_request.analysis));
    const auto promise = [this](const Candidate& candidate) {
        const auto it = m_promise.find(canonicalText(candidate.edits()));
        return it == m_promise.end() ? 0.0 : it->second;
    };
    std::vector<std::pair<double, std::size_t>> ranked;
    for (std::size_t i = 0; i < all.size(); ++i) ranked.emplace_back(promise(all[i]), i);
    std::stable_sort(ranked.begin(), ranked.end());
    std::vector<State> out;
    for (const auto& [unused, index] : ranked) {
        if (budget <= 0 || m_left <= 0 || cancelled()) break;
        const int left = m_left;
        if (std::optional<State> found = evaluate(all[index], state)) out.push_back(std::move(*found));
        budget -= left - m_left;
    }
    return out;
}

std::optional<State> Search::evaluate(const Candidate& candidate, const State& from, bool asked)
{
    State state{{}, m_order.merged(from.edits, candidate.edits()), {}, from.moves + 1, from.reshaped, asked};
    state.reshaped.add(candidate.reshaped);
    if (state.edits.empty() || movesInVain(state.edits) || changesAdded(from.edits, candidate) ||
        !m_seen.insert(canonicalText(state.edits)).second)
        return std::nullopt;
    --m_left;
    state.graph = candidate.appliedTo(from.graph);
    const Report report = analyze(state.graph, m_request.analysis);
    if (!m_validity.holds(report, state.reshaped)) return std::nullopt;
    state.score = scoreOf(report);
    state.score.edits = decisions(state.edits);
    state.score.lost = lostLayers(report);
    state.score.reshaped = reshapedParameters(report);
    if (!relieves(state.score, m_start)) return state;
    const MemoryReport memory = memoryOf(report, m_request.memory);
    state.score.memory = memory.training;
    state.score.inference = memory.inference;
    state.score.outputStride = outputStrideOf(report);
    if (exceeded(state.score).empty()) m_plans.push_back(state);
    else m_outside.push_back(state.score);
    return state;
}

std::int64_t Search::reshapedParameters(const Report& report) const
{
    std::int64_t out = 0;
    for (const LayerReport& old : m_before.layers) {
        const LayerReport* now = report.find(old.id);
        if (!now || now->parameters != old.parameters) out += old.parameters.value_or(0);
    }
    return out;
}

int Search::lostLayers(const Report& report) const
{
    return static_cast<int>(std::count_if(m_before.layers.begin(), m_before.layers.end(), [&](const LayerReport& old) {
        if (old.verdict != Verdict::Productive || old.op->opClass == OpClass::Pooling) return false;
        const LayerReport* now = report.find(old.id);
        return !now || now->verdict != Verdict::Productive;
    }));
}

// A tail that is cut is one decision, however many layers it has.
int Search::decisions(const std::vector<Edit>& edits) const
{
    const auto cut = std::count_if(edits.begin(), edits.end(), [this](const Edit& edit) {
        return edit.op == Edit::Op::Remove && !m_poolings.contains(edit.layer);
    });
    return static_cast<int>(edits.size()) - static_cast<int>(cut) + (cut > 0);
}

std::vector<Loosening> Search::exceeded(const Score& score) const
{
    using Limit = Loosening::Limit;
    std::vector<Loosening> out;
    const auto atMost = [&](Limit limit, const std::optional<std::int64_t>& most, std::int64_t value) {
        if (most && value > *most) out.push_back({limit, *most, value});
    };
    const PlanRequest& request = m_request;
    atMost(Limit::Macs, request.maxMacs, score.macs);
    atMost(Limit::MaxParameters, request.maxParameters.value_or(m_start.parameters), score.parameters);
    atMost(Limit::Training, request.maxTraining, score.memory);
    atMost(Limit::Inference, request.maxInference, score.inference);
    if (request.minParameters && score.parameters < *request.minParameters)
        out.push_back({Limit::MinParameters, *request.minParameters, score.parameters});
    if (request.outputStride && score.outputStride != *request.outputStride)
        out.push_back({Limit::OutputStride, *request.outputStride, score.outputStride});
    return out;
}

std::vector<Loosening> Search::loosenings() const
{
    const auto effort = [](const std::vector<Loosening>& limits) {
        const auto log = [](std::int64_t value) {
            return std::log2(static_cast<double>(std::max<std::int64_t>(1, value)));
        };
        double octaves = 0;
        for (const Loosening& l : limits) octaves += std::abs(log(l.to) - log(l.from));
        return std::pair(limits.size(), octaves);
    };
    std::vector<Loosening> out;
    for (const Score& score : m_outside)
        if (auto limits = exceeded(score); out.empty() || effort(limits) < effort(out)) out = std::move(limits);
    return out;
}

// Plans that keep every parameter and plans that do not are different wishes, so neither crowds the other out.
std::vector<State> Search::beam(std::vector<State> states) const
{
    if (!isSmall()) std::erase_if(states, [](const State& state) { return state.score.clean(); });
    const auto reshaping = std::stable_partition(states.begin(), states.end(),
                                                 [](const State& state) { return state.score.reshaped == 0; });
    std::vector<State> others(std::make_move_iterator(reshaping), std::make_move_iterator(states.end()));
    states.erase(reshaping, states.end());
    const std::size_t wider = isSmall() ? kWider : 1;
    states = mostPromising(std::move(states), wider * kBeam);
    for (State& state : mostPromising(std::move(others), wider * kReshapingBeam)) states.push_back(std::move(state));
    return states;
}

// Half by what is wasted, half by the compromise with cost, so that cheap and thorough plans both survive.
std::vector<State> Search::mostPromising(std::vector<State> states, std::size_t count) const
{
    const auto byWaste = [](const State& a, const State& b) {
        const auto key = [](const Score& s) { return std::tuple(s.wasted, s.critical, s.excess, s.macs); };
        return key(a.score) < key(b.score);
    };
    const auto byCompromise = [this](const State& a, const State& b) {
        return compromise(a.score, m_start) < compromise(b.score, m_start);
    };
    if (states.size() <= count) return states;
    std::stable_sort(states.begin(), states.end(), byCompromise);
    const auto middle = states.begin() + static_cast<std::ptrdiff_t>(count / 2);
    std::stable_sort(middle, states.end(), byWaste);
    states.erase(states.begin() + static_cast<std::ptrdiff_t>(count), states.end());
    return states;
}

// By another plan, or equalled by one that moves fewer layers about or was found earlier.
bool Search::isBeaten(std::size_t plan) const
{
    const auto plainness = [this](std::size_t index) { return std::pair(movedLayers(m_plans[index].edits), index); };
    for (std::size_t other = 0; other < m_plans.size(); ++other) {
        if (isSideChange(m_plans[other].edits)) continue;
        const Match result = match(m_plans[other].score, m_plans[plan].score);
        if (result == Match::Beats || (result == Match::Equal && plainness(other) < plainness(plan))) return true;
    }
    return false;
}

std::vector<State> Search::best() const
{
    std::vector<State> front;
    for (std::size_t i = 0; i < m_plans.size(); ++i)
        if (m_plans[i].asked || !isBeaten(i)) front.push_back(m_plans[i]);
    const auto ranks = [this](const State& a, const State& b) {
        // Who asks at a given side often cannot change it: that plan comes last.
        if (isSideChange(a.edits) != isSideChange(b.edits)) return isSideChange(b.edits);
        return ranksBefore(a.score, b.score, m_request.want, m_start);
    };
    std::stable_sort(front.begin(), front.end(), ranks);
    dropVariants(front);
    if (front.size() <= kPlans) return front;
    // A third of the places is for single moves: they are the ones a user can judge at a glance.
    constexpr std::size_t kForSingles = kPlans / 3;
    const auto rest = front.begin() + (kPlans - kForSingles);
    const auto simplest = [](const State& state) { return state.asked ? 0 : state.moves == 1 ? 1 : 2; };
    std::stable_sort(rest, front.end(), [&](const State& a, const State& b) { return simplest(a) < simplest(b); });
    front.erase(front.begin() + kPlans, front.end());
    std::stable_sort(front.begin(), front.end(), ranks);
    return front;
}

}  // namespace fovea::refine
