// What becomes of the tensors that a plan does not simply copy.
#pragma once

#include "app/studio/document/stage.h"

#include <QDialog>

namespace fovea::studio {

class TransferDialog : public QDialog {
    Q_OBJECT
public:
    TransferDialog(const Stage::PlanPtr& plan, QWidget* parent = nullptr);
};

QString transferWord(Transfer transfer);  // translated

}  // namespace fovea::studio
