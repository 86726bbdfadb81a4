// The bounded search for plans.
#pragma once

#include "core/refine/catalogue.h"
#include "core/refine/edits.h"
#include "core/refine/moves.h"
#include "core/refine/score.h"

#include <memory>
#include <optional>
#include <unordered_map>
#include <unordered_set>

namespace fovea::refine {

struct State {
    Graph graph;
    std::vector<Edit> edits;
    Score score;
    int moves = 0;
    Reshaped reshaped = {};
    bool asked = false;  // a change that users look for, listed even where another plan beats it
    std::vector<std::shared_ptr<const Candidate>> path = {};  // small networks only: the moves that led here
};

class Search {
public:
    Search(const Graph& graph, const Report& before, const std::set<NodeId>& keep, const PlanRequest& request);

    // The plans that no other plan beats, best first, at most a dozen; empty when cancelled.
    std::vector<State> run();
    // Indices into plans that run() gave, best first as another wish would have it.
    std::vector<std::size_t> ranked(const std::vector<State>& plans, Want want) const;
    // After a run without plans: the limits that keep the nearest one out.
    std::vector<Loosening> loosenings() const;
    bool cancelled() const { return m_request.isCancelled(); }

private:
    bool isSmall() const;
    std::vector<State> singles(const State& start);
    std::vector<State> expand(const State& state, int budget);
    void searchSmall(const State& start);
    void polish(const State& start);
    std::vector<std::size_t> firstPlans(std::size_t count) const;
    std::optional<State> without(const State& state, std::size_t step, const State& start);
    std::vector<Candidate> candidates(const State& state, const Report& report) const;
    std::optional<State> evaluate(const Candidate& candidate, const State& from, bool asked = false);
    bool ranks(const State& a, const State& b) const { return ranks(a, b, m_request.want); }
    bool ranks(const State& a, const State& b, Want want) const;
    bool isCheaper(const State& a, const State& b) const;
    int lostLayers(const Report& report) const;
    int decisions(const std::vector<Edit>& edits) const;
    std::int64_t reshapedParameters(const Report& report) const;
    std::vector<State> beam(std::vector<State> states) const;
    std::vector<State> mostPromising(std::vector<State> states, std::size_t count) const;
    std::vector<bool> unbeaten() const;
    std::vector<State> best() const;
    std::vector<State> accepted();

    const Graph& m_graph;
    const Report& m_before;
    const std::set<NodeId>& m_keep;
    const PlanRequest& m_request;
    PlanRequest m_limits;  // with those that hold unless the request says otherwise
    EditOrder m_order;
    Score m_start;
    Validity m_validity;
    std::unordered_set<std::string> m_seen;             // canonical edits
    std::unordered_set<std::string> m_expanded;         // the same
    std::unordered_map<std::string, double> m_promise;  // of a single move, by its canonical edits
    std::vector<State> m_plans;                         // all that relieve, within the limits
    std::vector<std::pair<Score, bool>> m_outside;      // those outside the limits; whether only the side changes
    std::unordered_set<std::string> m_poolings;         // by name
    int m_left = 0;                                     // analyses that may still be made
};

}  // namespace fovea::refine
