#include "app/studio/refine/refine_panel.h"

#include "app/studio/look/words.h"
#include "app/studio/refine/limits_section.h"
#include "app/studio/refine/moves_page.h"
#include "app/studio/refine/plan_card.h"
#include "app/studio/refine/plans_page.h"

#include <QComboBox>
#include <QLabel>
#include <QProgressBar>
#include <QPushButton>
#include <QScrollArea>
#include <QSplitter>
#include <QStackedWidget>
#include <QTabBar>
#include <QVBoxLayout>

#include <algorithm>

namespace fovea::studio {

RefinePanel::RefinePanel(Proposals& proposals, QWidget* parent)
    : QWidget(parent), m_proposals(proposals), m_verdict(new QLabel), m_state(new QLabel), m_want(new QComboBox),
      m_progress(new QProgressBar), m_cancel(new QPushButton(tr("Cancel"))), m_again(new QPushButton(tr("Search"))),
      m_loosen(new QPushButton(tr("Loosen"))), m_tabs(new QTabBar), m_pages(new QStackedWidget),
      m_chosen(new QScrollArea)
{
    setObjectName(QStringLiteral("refinePanel"));
    setMinimumWidth(292);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(4);
    layout->addLayout(buildHead());
    layout->addWidget(m_tabs);
    layout->addWidget(buildPages(), 1);
    connect(m_cancel, &QPushButton::clicked, this, [this] {
        if (m_proposals.state() == Proposals::State::Searching) m_proposals.cancel();
        else m_proposals.latencies().stop();
    });
    connect(m_again, &QPushButton::clicked, &proposals, &Proposals::search);
    connect(m_loosen, &QPushButton::clicked, &proposals, &Proposals::loosen);
    connect(m_want, &QComboBox::currentIndexChanged, this, [this](int index) {
        PlanRequest request = m_proposals.request();
        request.want = static_cast<Want>(index);
        m_proposals.setRequest(std::move(request));
    });
    connect(m_tabs, &QTabBar::currentChanged, this, [this](int index) {
        m_pages->setCurrentIndex(index);
        showChosen();
    });
    connect(&proposals, &Proposals::changed, this, &RefinePanel::refresh);
    connect(&proposals.stage().document(), &Document::changed, this, &RefinePanel::refresh);
    connect(&proposals.stage(), &Stage::previewChanged, this, &RefinePanel::showChosen);
    refresh();
    showChosen();
}

QVBoxLayout* RefinePanel::buildHead()
{
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
    m_loosen->setObjectName(QStringLiteral("refineLoosen"));
    auto* controls = new QHBoxLayout;
    controls->addWidget(m_want, 1);
    controls->addWidget(m_cancel);
    controls->addWidget(m_again);
    auto* head = new QVBoxLayout;
    head->setContentsMargins(10, 8, 10, 2);
    head->setSpacing(5);
    head->addWidget(m_verdict);
    head->addLayout(controls);
    head->addWidget(new LimitsSection(m_proposals));
    head->addWidget(m_progress);
    head->addWidget(m_state);
    head->addWidget(m_loosen);
    return head;
}

QWidget* RefinePanel::buildPages()
{
    m_tabs->setObjectName(QStringLiteral("refineTabs"));
    m_tabs->setDocumentMode(true);
    m_tabs->setExpanding(true);
    m_tabs->setDrawBase(true);
    m_tabs->addTab(tr("Plans"));
    m_tabs->addTab(tr("Single moves"));
    m_pages->addWidget(new PlansPage(m_proposals));
    m_pages->addWidget(new MovesPage(m_proposals));
    m_pages->setMinimumHeight(200);  // less cuts the axes of a chart off
    m_chosen->setObjectName(QStringLiteral("chosenPlan"));
    m_chosen->setWidgetResizable(true);
    m_chosen->setFrameShape(QFrame::NoFrame);
    m_chosen->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_chosen->setFocusPolicy(Qt::NoFocus);
    m_chosen->setMinimumHeight(84);  // title and buttons, also where the limits take the room
    auto* splitter = new QSplitter(Qt::Vertical);
    splitter->addWidget(m_pages);
    splitter->addWidget(m_chosen);
    splitter->setChildrenCollapsible(false);
    splitter->setSizes({200, 230});
    return splitter;
}

void RefinePanel::addPage(QWidget* page, const QString& title)
{
    const int at = m_tabs->count() - 1;
    m_pages->insertWidget(at, page);
    m_tabs->insertTab(at, title);
}

void RefinePanel::refresh()
{
    const Document& document = m_proposals.stage().document();
    m_want->setEnabled(!document.isEmpty());
    m_verdict->setText(document.isEmpty() ? tr("Open a network to see which of its layers help at your image size.")
                                          : networkVerdict(*document.report()));
    showState();
}

void RefinePanel::showState()
{
    const bool searching = m_proposals.state() == Proposals::State::Searching;
    const bool busy = searching || m_proposals.latencies().isMeasuring();
    QStringList state{stateText(), m_proposals.latencies().state()};
    state.removeAll(QString());
    m_state->setText(state.join(QLatin1Char('\n')));
    m_state->setVisible(!m_state->text().isEmpty());
    m_progress->setVisible(busy);
    m_cancel->setVisible(busy);
    m_again->setVisible(!busy && m_proposals.state() != Proposals::State::Empty);
    m_loosen->setVisible(m_proposals.state() == Proposals::State::Done && !m_proposals.loosenings().empty());
}

QString RefinePanel::stateText() const
{
    const ReportPtr report = m_proposals.stage().document().report();
    const std::size_t count = m_proposals.plans().size();
    switch (m_proposals.state()) {
    case Proposals::State::Searching: return tr("Looking for refinements\u2026");
    case Proposals::State::Cancelled: return tr("The search was cancelled.");
    case Proposals::State::Done: break;
    default: return {};
    }
    if (count > 0) return tr("Proposals, best first: %1").arg(count);
    if (const Issue* error = firstError(*report); error && m_proposals.loosenings().empty())
        return tr("Nothing that Fovea can change makes this a network at this side: %1").arg(text(error->message));
    const LayerReport* unknown = firstUnknown(*report);
    if (unknown && m_proposals.loosenings().empty() && (needsRefinement(*report) || dependsOnUnknown(report->summary)))
        return tr("It is not known what \u201c%1\u201d reads, so no plan changes its input or a layer behind it. State its "
                  "reach in the inspector.")
            .arg(moduleName(unknown->name()));
    if (dependsOnUnknown(report->summary)) return tr("No input of this network is an image, so no layer is judged.");
    if (!needsRefinement(*report)) return tr("Nothing needs to be done at this side.");
    if (m_proposals.loosenings().empty()) return tr("Nothing that Fovea can change helps at this side.");
    QStringList parts;
    for (const Loosening& loosening : m_proposals.loosenings())
        parts << looseningText(loosening, *report, m_proposals.request().memory);
    return tr("No plan meets the limits. One does with %1.").arg(parts.join(tr(" and ")));
}

void RefinePanel::showChosen()
{
    const auto& plan = m_proposals.stage().preview();
    const bool isMove =
        plan && std::ranges::none_of(m_proposals.plans(), [&](const auto& known) { return isSamePlan(known, plan); });
    // What no card shows is shown where it was picked or could have been.
    if (isMove && m_tabs->currentIndex() == 0 && plan != m_inChosen) m_tabs->setCurrentIndex(m_tabs->count() - 1);
    if (plan != m_inChosen) {
        m_inChosen = plan;
        // The click that brought us here may be the old card's.
        if (QWidget* old = m_chosen->takeWidget()) old->deleteLater();
        if (plan) m_chosen->setWidget(makeCard(m_proposals, plan, QStringLiteral("chosen")));
    }
    m_chosen->setVisible(plan && m_tabs->currentIndex() > 0);
}

}  // namespace fovea::studio
