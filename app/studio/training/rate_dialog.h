// Which learning rate to train with: the engine tries rising ones and draws the loss over them.
#pragma once

#include "app/studio/training/engine_job.h"

#include <QDialog>

class QLabel;
class QProgressBar;
class QPushButton;

namespace fovea::studio {

class RateChart;

class RateDialog : public QDialog {
    Q_OBJECT
public:
    // Searches at once. Of `request` the range and the steps may be anything that the engine takes.
    RateDialog(EngineNetwork network, RateRequest request, QString device, QWidget* parent = nullptr);

signals:
    void chosen(const QString& rate);  // as it is shown

private:
    void build();
    void search();
    void stop();
    void take(const Json& result);
    void end(const QString& state);

    EngineNetwork m_network;
    RateRequest m_request;
    QString m_device;
    std::shared_ptr<EngineJob> m_job;
    RateChart* m_chart;
    QLabel* m_state;
    QProgressBar* m_progress;
    QPushButton *m_again, *m_stop, *m_use, *m_close;
    QString m_suggested;
    bool m_stopped = false;
};

}  // namespace fovea::studio
