// The network in one line: cost, bounds and verdict counts.
#pragma once

#include "app/studio/document/stage.h"

#include <QWidget>

class QLabel;

namespace fovea::studio {

class StatusSummary : public QWidget {
    Q_OBJECT
public:
    // Labels are named "status.parameters", "status.macs", "status.bounds" and "status.VERDICT".
    explicit StatusSummary(Stage& stage, QWidget* parent = nullptr);

private:
    void refresh();

    Stage& m_stage;
    QLabel *m_network, *m_parameters, *m_macs, *m_bounds;
    std::array<QLabel*, kVerdictCount> m_counts{}, m_signs{};
};

}  // namespace fovea::studio
