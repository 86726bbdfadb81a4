// The Pareto chart with the switch for its upright axis.
#pragma once

#include "app/studio/document/proposals.h"

#include <QWidget>

namespace fovea::studio {

class ParetoPanel : public QWidget {
    Q_OBJECT
public:
    explicit ParetoPanel(Proposals& proposals, QWidget* parent = nullptr);
};

}  // namespace fovea::studio
