#include "core/refine/search.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <queue>
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
constexpr int kMostAnalysesSmall = 8'000, kLayersAnalysedSmall = 96'000;
// What the first plans of a small network are held against once more, and how many of them.
constexpr int kAnalysesPolishing = 1'000;
constexpr std::size_t kPolished = 4;

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

bool wastesLess(const Score& a, const Score& b)
{
    const auto key = [](const Score& s) { return std::tuple(s.errors, s.wasted, s.critical, s.excess, s.macs); };
    return key(a) < key(b);
}

// The edits of a move made on another network than the one it was found on.
std::vector<Edit> editsOn(const Graph& graph, const Candidate& candidate)
{
    std::vector<Edit> out = candidate.edits();
    for (std::size_t i = 0; i < out.size(); ++i) {
        const Change& change = candidate.changes[i];
        if (change.edit.op == Edit::Op::Set) {
            const AttrValue* old = graph.at(change.layer).attrs.find(change.edit.attribute);
            out[i].from = old ? toText(*old) : "";
        }
        if (change.edit.op == Edit::Op::Move) out[i].from = graph.at(graph.at(change.layer).inputs.at(0).node).name;
    }
    return out;
}

// Two lists of edits that read the same lead to the same network; what a pooling stood behind depends on the order in
// which moves were made.
std::string keyOf(std::vector<Edit> edits)
{
    for (Edit& edit : edits)
        if (edit.op == Edit::Op::Move) edit.from.clear();
    return canonicalText(edits);
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
    : m_graph(graph), m_before(before), m_keep(keep), m_request(request), m_limits(request), m_order(graph),
      m_start(scoreOf(before)), m_validity(before)
{
    if (!m_limits.maxParameters) m_limits.maxParameters = m_start.parameters;
    m_limits.minParameters = leastParameters(request, m_start.parameters);
    for (const LayerReport& layer : before.layers)
        if (layer.op->opClass == OpClass::Pooling) m_poolings.insert(layer.name());
    const int layers = static_cast<int>(std::min<std::size_t>(before.layers.size() + 1, kLayersAnalysed));
    m_left = isSmall() ? std::min(kLayersAnalysedSmall / layers, kMostAnalysesSmall)
                       : std::clamp(kLayersAnalysed / layers, kFewestAnalyses, kMostAnalyses);
}

bool Search::isSmall() const { return m_before.layers.size() <= kSmallNetwork; }

std::vector<State> Search::run()
{
    State start{m_graph, {}, m_start, 0};
    if (isSmall()) {
        searchSmall(start);
        return accepted();
    }
    std::vector<State> front = beam(singles(start));
    for (int depth = 2; depth <= kDepth && !front.empty() && m_left > 0 && !cancelled(); ++depth) {
        // Half of what is left goes to each level, so that early levels, where plans are short, get most.
        const int share = std::max(1, m_left / (depth == kDepth ? 1 : 2) / static_cast<int>(front.size()));
        std::vector<State> next;
        for (const State& state : front)
            for (State& found : expand(state, share)) next.push_back(std::move(found));
        front = beam(std::move(next));
    }
    return accepted();
}

// The best plans of which the caller accepts each. Asking costs more than a search step, so only they are asked about.
std::vector<State> Search::accepted()
{
    std::unordered_set<std::string> known;
    while (!cancelled()) {
        std::vector<State> out = best();
        if (!m_request.accepts) return out;
        std::unordered_set<std::string> refused;
        for (const State& state : out) {
            const std::string key = canonicalText(state.edits);
            if (!known.contains(key)) (m_request.accepts(state.graph) ? known : refused).insert(key);
        }
        if (refused.empty()) return out;
        std::erase_if(m_plans, [&](const State& state) { return refused.contains(canonicalText(state.edits)); });
    }
    return {};
}

// Every network that was reached stays open. Every second time the one of the fewest moves is looked behind, else in
// turn the one that the wish ranks first, the best compromise and the one that wastes least. Where all are reached,
// that is exhaustive.
void Search::searchSmall(const State& start)
{
    std::vector<State> states = singles(start);
    std::vector<bool> expanded;
    using Before = std::function<bool(std::size_t, std::size_t)>;
    const auto by = [&states](auto isBefore) -> Before {
        return [&states, isBefore](std::size_t a, std::size_t b) {
            if (isBefore(states[a], states[b])) return false;
            return isBefore(states[b], states[a]) || a > b;
        };
    };
    using Queue = std::priority_queue<std::size_t, std::vector<std::size_t>, Before>;
    std::vector<Queue> queues;
    queues.emplace_back(by([](const State& a, const State& b) { return a.moves < b.moves; }));
    queues.emplace_back(by([this](const State& a, const State& b) { return ranks(a, b); }));
    queues.emplace_back(by([this](const State& a, const State& b) { return isCheaper(a, b); }));
    queues.emplace_back(by([](const State& a, const State& b) { return wastesLess(a.score, b.score); }));
    for (std::size_t turn = 0; m_left > 0 && !cancelled(); ++turn) {
        for (std::size_t i = expanded.size(); i < states.size(); ++i)
            for (Queue& queue : queues) queue.push(i);
        expanded.resize(states.size(), false);
        Queue& queue = queues[turn % 2 == 0 ? 0 : 1 + turn / 2 % (queues.size() - 1)];
        while (!queue.empty() && expanded[queue.top()]) queue.pop();
        if (queue.empty()) return;  // nothing is left in any of them
        const std::size_t next = queue.top();
        expanded[next] = true;
        for (State& found : expand(State(states[next]), m_left)) states.push_back(std::move(found));
    }
    polish(start);
}

// The beam may lose a move that only pays at the end, or keep one that has become needless: every plan that comes first
// is tried with one more move, with one less, and with another one instead.
void Search::polish(const State& start)
{
    m_left = kAnalysesPolishing;
    std::unordered_set<std::string> done;
    while (m_left > 0 && !cancelled()) {
        std::optional<State> at;
        for (const std::size_t plan : firstPlans(kPolished))
            if (!at && done.insert(canonicalText(m_plans[plan].edits)).second) at = m_plans[plan];
        if (!at) return;
        expand(*at, m_left);
        for (std::size_t step = 0; step < at->path.size(); ++step)
            if (const std::optional<State> shorter = without(*at, step, start)) expand(*shorter, m_left);
    }
}

// Indices into m_plans, best first.
std::vector<std::size_t> Search::firstPlans(std::size_t count) const
{
    std::vector<std::size_t> out;
    for (std::size_t i = 0; i < m_plans.size(); ++i)
        if (!isSideChange(m_plans[i].edits)) out.push_back(i);
    count = std::min(count, out.size());
    std::partial_sort(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(count), out.end(),
                      [this](std::size_t a, std::size_t b) {
                          return ranks(m_plans[a], m_plans[b]) || (!ranks(m_plans[b], m_plans[a]) && a < b);
                      });
    out.resize(count);
    return out;
}

// The state that all other moves lead to; nullopt where it was expanded before, or cannot be.
std::optional<State> Search::without(const State& state, std::size_t step, const State& start)
{
    const auto adds = [](const std::shared_ptr<const Candidate>& candidate) {
        return std::any_of(candidate->changes.begin(), candidate->changes.end(),
                           [](const Change& change) { return change.added != nullptr; });
    };
    // What is added later is called and numbered after what was added before.
    const auto later = state.path.begin() + static_cast<std::ptrdiff_t>(step) + 1;
    if (adds(state.path[step]) && std::any_of(later, state.path.end(), adds)) return std::nullopt;
    State out = start;
    for (std::size_t i = 0; i < state.path.size(); ++i) {
        if (i == step) continue;
        const Candidate& candidate = *state.path[i];
        out.edits = m_order.merged(out.edits, editsOn(out.graph, candidate));
        out.reshaped.add(candidate.reshaped);
        out.graph = candidate.appliedTo(out.graph);
        out.path.push_back(state.path[i]);
        ++out.moves;
    }
    if (out.edits.empty() || m_expanded.contains(keyOf(out.edits))) return std::nullopt;
    return out;
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
    if (isSmall()) m_expanded.insert(keyOf(state.edits));
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
        !m_seen.insert(keyOf(state.edits)).second)
        return std::nullopt;
    state.graph = candidate.appliedTo(from.graph);
    if (leanOnRemoved(state.edits, state.graph)) {
        state.edits = m_order.settled(std::move(state.edits), state.graph);
        if (state.edits.empty() || !m_seen.insert(keyOf(state.edits)).second) return std::nullopt;
    }
    --m_left;
    if (isSmall()) {
        state.path = from.path;
        state.path.push_back(std::make_shared<const Candidate>(candidate));
    }
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
    if (exceeded(state.score, m_limits).empty()) m_plans.push_back(state);
    else m_outside.emplace_back(state.score, isSideChange(state.edits));
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
    // What the request says itself goes before a limit that holds without it.
    const bool clash = !m_request.minParameters && *m_limits.maxParameters < *m_limits.minParameters;
    std::vector<Loosening> out;
    std::tuple<bool, bool, std::pair<std::size_t, double>> least;
    for (const auto& [score, isSide] : m_outside) {
        std::vector<Loosening> limits = exceeded(score, m_limits);
        const bool gainsay = clash && std::any_of(limits.begin(), limits.end(), [](const Loosening& l) {
                                 return l.limit == Loosening::Limit::MaxParameters;
                             });
        const std::tuple now(isSide, gainsay, effort(limits));
        if (!out.empty() && now >= least) continue;
        least = now;
        out = std::move(limits);
    }
    return out;
}

// Plans that keep every parameter and plans that do not are different wishes, so neither crowds the other out.
std::vector<State> Search::beam(std::vector<State> states) const
{
    std::erase_if(states, [](const State& state) { return state.score.clean(); });
    const auto reshaping = std::stable_partition(states.begin(), states.end(),
                                                 [](const State& state) { return state.score.reshaped == 0; });
    std::vector<State> others(std::make_move_iterator(reshaping), std::make_move_iterator(states.end()));
    states.erase(reshaping, states.end());
    states = mostPromising(std::move(states), kBeam);
    for (State& state : mostPromising(std::move(others), kReshapingBeam)) states.push_back(std::move(state));
    return states;
}

// Half by what is wasted, half by the compromise with cost, so that cheap and thorough plans both survive.
std::vector<State> Search::mostPromising(std::vector<State> states, std::size_t count) const
{
    if (states.size() <= count) return states;
    std::stable_sort(states.begin(), states.end(), [this](const State& a, const State& b) { return isCheaper(a, b); });
    const auto middle = states.begin() + static_cast<std::ptrdiff_t>(count / 2);
    std::stable_sort(middle, states.end(), [](const State& a, const State& b) { return wastesLess(a.score, b.score); });
    states.erase(states.begin() + static_cast<std::ptrdiff_t>(count), states.end());
    return states;
}

// Which plans no other beats, nor equals where that one moves fewer layers about or was found earlier. What beats a
// plan stands before it in the order of aims, and what is beaten itself need not be asked.
std::vector<bool> Search::unbeaten() const
{
    using Key = std::tuple<std::array<std::int64_t, 9>, int, std::size_t>;
    std::vector<Key> keys;
    for (std::size_t i = 0; i < m_plans.size(); ++i)
        keys.emplace_back(aims(m_plans[i].score), movedLayers(m_plans[i].edits), i);
    std::sort(keys.begin(), keys.end());
    std::vector<bool> out(m_plans.size(), false);
    std::vector<std::size_t> front;
    for (const auto& [unused, moved, plan] : keys) {
        out[plan] = std::none_of(front.begin(), front.end(), [&](std::size_t other) {
            return match(m_plans[other].score, m_plans[plan].score) != Match::Neither;
        });
        if (out[plan] && !isSideChange(m_plans[plan].edits)) front.push_back(plan);
    }
    return out;
}

// Who asks at a given side often cannot change it: that plan comes last.
bool Search::ranks(const State& a, const State& b, Want want) const
{
    if (isSideChange(a.edits) != isSideChange(b.edits)) return isSideChange(b.edits);
    return ranksBefore(a.score, b.score, want, m_start);
}

std::vector<std::size_t> Search::ranked(const std::vector<State>& plans, Want want) const
{
    std::vector<std::size_t> out(plans.size());
    std::iota(out.begin(), out.end(), std::size_t{0});
    std::stable_sort(out.begin(), out.end(),
                     [&](std::size_t a, std::size_t b) { return ranks(plans[a], plans[b], want); });
    return out;
}

bool Search::isCheaper(const State& a, const State& b) const
{
    return compromise(a.score, m_start) < compromise(b.score, m_start);
}

std::vector<State> Search::best() const
{
    const std::vector<bool> unbeaten = this->unbeaten();
    std::vector<State> front;
    for (std::size_t i = 0; i < m_plans.size(); ++i)
        if (m_plans[i].asked || unbeaten[i]) front.push_back(m_plans[i]);
    const auto first = [this](const State& a, const State& b) { return ranks(a, b); };
    std::stable_sort(front.begin(), front.end(), first);
    // Wishes look at more than what plans are held against each other by, such as layers that are lost: what comes
    // first stays.
    for (const std::size_t plan : firstPlans(1))
        if (front.empty() || ranks(m_plans[plan], front.front())) front.insert(front.begin(), m_plans[plan]);
    dropVariants(front);
    if (front.size() <= kPlans) return front;
    // A third of the places is for single moves: they are the ones a user can judge at a glance.
    constexpr std::size_t kForSingles = kPlans / 3;
    const auto rest = front.begin() + (kPlans - kForSingles);
    const auto simplest = [](const State& state) { return state.asked ? 0 : state.moves == 1 ? 1 : 2; };
    std::stable_sort(rest, front.end(), [&](const State& a, const State& b) { return simplest(a) < simplest(b); });
    front.erase(front.begin() + kPlans, front.end());
    std::stable_sort(front.begin(), front.end(), first);
    return front;
}

}  // namespace fovea::refine
