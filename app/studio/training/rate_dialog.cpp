#include "app/studio/training/rate_dialog.h"

#include "app/studio/charts/rate_chart.h"
#include "app/studio/look/words.h"
#include "app/studio/training/broken_images.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QProgressBar>
#include <QPushButton>
#include <QVBoxLayout>

#include <algorithm>

namespace fovea::studio {

RateDialog::RateDialog(EngineNetwork network, RateRequest request, QString device, QWidget* parent)
    : QDialog(parent), m_network(std::move(network)), m_request(std::move(request)), m_device(std::move(device)),
      m_chart(new RateChart), m_state(new QLabel), m_progress(new QProgressBar),
      m_again(new QPushButton(tr("Search &again"))), m_stop(new QPushButton(tr("St&op"))), m_use(new QPushButton),
      m_close(new QPushButton(tr("Close")))
{
    setObjectName(QStringLiteral("rateDialog"));
    setWindowTitle(tr("Find a learning rate"));
    build();
    connect(m_again, &QPushButton::clicked, this, &RateDialog::search);
    connect(m_stop, &QPushButton::clicked, this, &RateDialog::stop);
    connect(m_close, &QPushButton::clicked, this, &QDialog::reject);
    connect(m_use, &QPushButton::clicked, this, [this] {
        emit chosen(m_suggested);
        accept();
    });
    search();
}

void RateDialog::build()
{
    m_state->setObjectName(QStringLiteral("rateState"));
    m_state->setWordWrap(true);
    m_state->setTextFormat(Qt::PlainText);
    m_state->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_progress->setAccessibleName(tr("Progress of the search"));
    m_progress->setTextVisible(false);
    m_progress->setMaximumHeight(6);
    // The room stays where it is done, so that nothing jumps.
    QSizePolicy keeping = m_progress->sizePolicy();
    keeping.setRetainSizeWhenHidden(true);
    m_progress->setSizePolicy(keeping);
    m_again->setObjectName(QStringLiteral("rateAgain"));
    m_stop->setObjectName(QStringLiteral("rateStop"));
    m_use->setObjectName(QStringLiteral("rateUse"));
    m_close->setObjectName(QStringLiteral("rateClose"));
    auto* about =
        new QLabel(tr("The rate rises from %1 to %2 in %3 steps, on the images and with the recipe of the page "
                      "\u201cSet up\u201d. Nothing of the network changes.")
                       .arg(rateText(m_request.low), rateText(m_request.high))
                       .arg(m_request.steps));
    about->setWordWrap(true);
    about->setForegroundRole(QPalette::PlaceholderText);
    auto* buttons = new QHBoxLayout;
    buttons->addWidget(m_again);
    buttons->addWidget(m_stop);
    buttons->addStretch();
    buttons->addWidget(m_use);
    buttons->addWidget(m_close);
    auto* layout = new QVBoxLayout(this);
    layout->addWidget(about);
    layout->addWidget(m_progress);
    layout->addWidget(m_chart, 1);
    layout->addWidget(m_state);
    layout->addLayout(buttons);
    resize(560, 420);
}

void RateDialog::search()
{
    if (m_job) return;
    m_stopped = false;
    m_suggested.clear();
    m_chart->setCurve({}, {});
    m_state->setText(tr("Starting the engine and loading the network\u2026"));
    m_progress->setRange(0, 0);
    m_progress->show();
    m_again->hide();
    m_use->hide();
    m_stop->show();
    m_stop->setEnabled(true);
    m_job = {new EngineJob(m_network, m_device), [](EngineJob* job) { job->deleteLater(); }};
    connect(m_job.get(), &EngineJob::refused, this, &RateDialog::end);
    connect(m_job.get(), &EngineJob::died, this, &RateDialog::end);
    connect(m_job.get(), &EngineJob::stoppedEarly, this, [this] { end(tr("Stopped before the first step.")); });
    connect(m_job.get(), &EngineJob::finished, this, &RateDialog::take);
    connect(m_job.get(), &EngineJob::progressed, this, [this](const Progress& progress) {
        if (m_stopped) return;
        m_progress->setRange(0, static_cast<int>(progress.total));
        m_progress->setValue(static_cast<int>(progress.done));
        m_state->setText(tr("Step %1 of %2").arg(progress.done).arg(progress.total));
    });
    m_job->start(m_request);
}

void RateDialog::stop()
{
    if (!m_job || std::exchange(m_stopped, true)) return;
    m_stop->setEnabled(false);
    m_state->setText(tr("Stopping after this batch\u2026"));
    m_job->stop();
}

void RateDialog::take(const Json& result)
{
    RateReply reply;
    try {
        reply = messageFrom<RateReply>(result);
    } catch (const Error& error) {
        end(QString::fromUtf8(error.what()));
        return;
    }
    std::vector<QPointF> points;
    for (std::size_t i = 0; i < std::min(reply.rates.size(), reply.losses.size()); ++i)
        points.emplace_back(reply.rates[i], reply.losses[i]);
    m_chart->setCurve(points, reply.suggested);
    QStringList sentences;
    if (m_stopped) sentences << tr("Stopped after %1 of %2 steps.").arg(points.size()).arg(m_request.steps);
    if (reply.suggested) {
        m_suggested = rateText(*reply.suggested);
        sentences << tr("The loss falls steepest at a learning rate of %1.").arg(m_suggested);
    } else if (m_stopped) {
        sentences << tr("No rate is suggested yet: search again and let it go on.");
    } else {
        sentences << tr(
            "No rate is suggested: the loss falls at none of these. Look whether the images and their classes "
            "are right, or take a larger batch.");
    }
    end(sentences.join(QLatin1Char(' ')) + brokenText(reply.broken));
}

void RateDialog::end(const QString& state)
{
    m_state->setText(state);
    m_progress->hide();
    m_stop->hide();
    m_again->show();
    m_use->setText(tr("&Use %1").arg(m_suggested));
    m_use->setVisible(!m_suggested.isEmpty());
    (m_suggested.isEmpty() ? m_again : m_use)->setDefault(true);
    m_job.reset();
}

}  // namespace fovea::studio
