#include "app/studio/refine/refine_panel.h"

#include "app/studio/document/background.h"
#include "app/studio/look/words.h"
#include "app/studio/refine/plan_card.h"

#include <QComboBox>
#include <QLabel>
#include <QProgressBar>
#include <QPushButton>
#include <QScrollArea>
#include <QTimer>
#include <QVBoxLayout>

namespace fovea::studio {

namespace {

constexpr int kDelayMs = 250;  // a slider drag should not start a search at every step
constexpr std::size_t kMostCards = 24;

struct Found {
    std::vector<Plan> plans;
    QString error;
};

}  // namespace

RefinePanel::RefinePanel(Stage& stage, QWidget* parent)
    : QWidget(parent), m_stage(stage), m_verdict(new QLabel), m_state(new QLabel), m_want(new QComboBox), m_progress(new QProgressBar),
      m_cancel(new QPushButton(tr("Cancel"))), m_again(new QPushButton(tr("Search"))), m_cards(new QVBoxLayout), m_delay(new QTimer(this))
{
    setObjectName(QStringLiteral("refinePanel"));
    setMinimumWidth(292);
    m_verdict->setObjectName(QStringLiteral("networkVerdict"));
    m_verdict->setWordWrap(true);
    m_state->setObjectName(QStringLiteral("refineState"));
    m_state->setWordWrap(true);
    m_state->setForegroundRole(QPalette::PlaceholderText);
    m_want->setObjectName(QStringLiteral("refineWant"));
    m_want->addItems({tr("Best accuracy"), tr("Best efficiency"), tr("Balance")});
    m_want->setToolTip(tr("What the proposals should serve first."));
    m_progress->setRange(0, 0);
    m_progress->setTextVisible(false);
    m_progress->setMaximumHeight(6);
    m_cancel->setObjectName(QStringLiteral("refineCancel"));
    m_again->setObjectName(QStringLiteral("refineSearch"));
    auto* controls = new QHBoxLayout;
    controls->addWidget(m_want, 1);
    controls->addWidget(m_cancel);
    controls->addWidget(m_again);

    auto* list = new QWidget;
    m_cards->setContentsMargins(10, 2, 10, 10);
    m_cards->setSpacing(8);
    m_cards->addStretch();
    list->setLayout(m_cards);
    auto* scroll = new QScrollArea;
    scroll->setObjectName(QStringLiteral("planList"));
    scroll->setWidget(list);
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    auto* head = new QVBoxLayout;
    head->setContentsMargins(10, 8, 10, 2);
    head->setSpacing(6);
    head->addWidget(m_verdict);
    head->addLayout(controls);
    head->addWidget(m_progress);
    head->addWidget(m_state);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(4);
    layout->addLayout(head);
    layout->addWidget(scroll, 1);

    m_delay->setSingleShot(true);
    m_delay->setInterval(kDelayMs);
    connect(m_delay, &QTimer::timeout, this, &RefinePanel::search);
    connect(m_cancel, &QPushButton::clicked, this, &RefinePanel::cancel);
    connect(m_again, &QPushButton::clicked, this, &RefinePanel::search);
    connect(m_want, &QComboBox::currentIndexChanged, this, &RefinePanel::search);
    connect(&stage.document(), &Document::changed, this, &RefinePanel::outdate);
    connect(&stage, &Stage::previewChanged, this, [this] {
        for (PlanCard* card : m_shown) card->setPreviewed(card->plan() == m_stage.preview());
    });
    outdate();
}

RefinePanel::~RefinePanel()
{
    if (m_cancelled) *m_cancelled = true;
}

void RefinePanel::outdate()
{
    const Document& document = m_stage.document();
    m_want->setEnabled(!document.isEmpty());
    m_verdict->setText(document.isEmpty() ? tr("Open a network to see which of its layers help at your image size.") : networkVerdict(*document.report()));
    if (m_searched == document.graph()) return;
    if (m_cancelled) *m_cancelled = true;
    clearCards();
    if (document.isEmpty()) {
        showState({}, false);
        m_again->hide();
        return;
    }
    showState(tr("Looking for refinements\u2026"), true);
    m_delay->start();
}

void RefinePanel::search()
{
    if (m_stage.document().isEmpty()) return;
    if (m_cancelled) *m_cancelled = true;
    m_cancelled = std::make_shared<std::atomic<bool>>(false);
    m_searched = m_stage.document().graph();
    clearCards();
    showState(tr("Looking for refinements\u2026"), true);
    const auto want = static_cast<Want>(m_want->currentIndex());
    const auto work = [graph = m_searched, want, cancelled = m_cancelled] {
        auto found = std::make_shared<Found>();
        try {
            PlanRequest request;
            request.want = want;
            request.cancel = cancelled.get();
            found->plans = propose(*graph, request);
        } catch (const std::exception& error) {
            found->error = QString::fromUtf8(error.what());
        }
        return found;
    };
    inBackground(this, work, [this, cancelled = m_cancelled](const std::shared_ptr<Found>& found) {
        if (*cancelled) return;
        if (!found->error.isEmpty()) {
            showState({}, false);
            emit failed(tr("No proposals could be made"), found->error);
            return;
        }
        showPlans(std::move(found->plans));
    });
}

void RefinePanel::cancel()
{
    m_delay->stop();
    if (m_cancelled) *m_cancelled = true;
    showState(tr("The search was cancelled."), false);
}

void RefinePanel::showState(const QString& state, bool searching)
{
    m_state->setText(state);
    m_state->setVisible(!state.isEmpty());
    m_progress->setVisible(searching);
    m_cancel->setVisible(searching);
    m_again->setVisible(!searching);
}

void RefinePanel::clearCards()
{
    for (PlanCard* card : m_shown) {
        card->hide();
        card->deleteLater();
    }
    m_shown.clear();
}

void RefinePanel::showPlans(std::vector<Plan> plans)
{
    const std::size_t count = std::min(plans.size(), kMostCards);
    if (plans.empty())
        showState(needsRefinement(*m_stage.document().report()) ? tr("Nothing that Fovea can change helps at this side.") : tr("Nothing needs to be done at this side."), false);
    else
        showState(plans.size() > count ? tr("The best %1 of %2 proposals").arg(count).arg(plans.size()) : tr("Proposals, best first: %1").arg(count), false);
    for (std::size_t i = 0; i < count; ++i) {
        auto plan = std::make_shared<const Plan>(std::move(plans[i]));
        auto* card = new PlanCard(plan, static_cast<int>(i));
        m_cards->insertWidget(m_cards->count() - 1, card);
        m_shown.push_back(card);
        connect(card, &PlanCard::previewToggled, this, [this, plan](bool on) { m_stage.showPreview(on ? plan : nullptr); });
        connect(card, &PlanCard::applied, this, [this, plan] { apply(plan); });
    }
}

void RefinePanel::apply(const Stage::PlanPtr& plan)
{
    try {
        // The plan was made for this very graph: any edit since would have outdated its card.
        m_stage.document().edit(text(plan->title), {}, [&](Graph& graph) { graph = plan->graph; });
    } catch (const std::exception& error) {
        emit failed(tr("The proposal could not be applied"), QString::fromUtf8(error.what()));
    }
}

}  // namespace fovea::studio
