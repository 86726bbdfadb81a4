// Plans and single moves for the document's network, searched for on another thread whenever the network or the
// request changes. Views read them here; which one is shown is the stage's preview.
#pragma once

#include "app/studio/document/latencies.h"
#include "app/studio/document/stage.h"

#include <QObject>
#include <QTimer>

#include <atomic>

namespace fovea::studio {

class Proposals : public QObject {
    Q_OBJECT
public:
    using PlanPtr = Stage::PlanPtr;
    enum class State { Empty, Searching, Done, Cancelled, Failed };

    explicit Proposals(Stage& stage, QObject* parent = nullptr);
    ~Proposals() override;

    Stage& stage() const { return m_stage; }
    State state() const { return m_state; }
    // Best first. While other limits are searched these are still those of the limits before.
    const std::vector<PlanPtr>& plans() const { return m_plans; }
    const std::vector<PlanPtr>& moves() const { return m_moves; }
    bool movesListed() const { return m_movesListed; }
    const std::vector<Loosening>& loosenings() const { return m_loosenings; }
    // Plans and then single moves that make one of these layers productive, each once, best first.
    std::vector<PlanPtr> plansFor(const std::vector<NodeId>& layers) const;

    // Limits are absolute numbers, so they stay what they are when a plan is applied; another network drops them.
    const PlanRequest& request() const { return m_request; }
    void setRequest(PlanRequest request);
    // Plans that were measured to take longer than its limit are left out of plans().
    Latencies& latencies() { return m_latencies; }
    void setMaxLatency(Latencies::Microseconds limit);
    void loosen();  // sets the limits that keep every plan out to what lets one in
    bool keeps(const std::string& layerOrGroup) const;
    void setKept(const std::string& layerOrGroup, bool keep);

    void search();
    void cancel();
    // Previews these moves (ids of moves()) one after the other as one plan; none: no preview.
    void combine(const std::vector<std::string>& ids);
    void apply(const PlanPtr& plan);

signals:
    void changed();  // state, plans, moves
    void requestChanged();
    void notCombined();  // the moves asked for last exclude one another
    void failed(const QString& what, const QString& why);

private:
    struct Found;
    struct Listed;
    void onDocumentChanged(const Change& change);
    void searchSoon();
    void searchWith(const PlanRequest& request);
    void sift();
    void stop();
    void takePlans(Found& found);
    void listMoves();
    void takeMoves(Listed& listed);
    PlanRequest requestFor(const PlanRequest& asked, const Graph& graph) const;

    Stage& m_stage;
    PlanRequest m_request;
    State m_state = State::Empty;
    Latencies m_latencies;
    std::vector<PlanPtr> m_found, m_plans, m_moves;  // what was found, and what of it is within the latency
    int m_cheaperSearches = 0;
    std::vector<Loosening> m_loosenings;
    bool m_movesListed = false;
    QTimer m_delay;
    std::shared_ptr<std::atomic<bool>> m_cancelled;  // of the search under way
    GraphPtr m_searched, m_listed;
    int m_combination = 0;
};

// As users compare them: layers that gather nothing new along an axis, and the side from which all do.
int wastedLayers(const Summary& summary);
bool isSamePlan(const Stage::PlanPtr& a, const Stage::PlanPtr& b);

}  // namespace fovea::studio
