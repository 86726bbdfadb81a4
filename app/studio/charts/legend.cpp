#include "app/studio/charts/legend.h"

#include "app/studio/look/verdict_look.h"

#include <QHBoxLayout>
#include <QLabel>

namespace fovea::studio {

QWidget* verdictLegend(const QString& toolTip)
{
    auto* widget = new QWidget;
    auto* row = new QHBoxLayout(widget);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(5);
    widget->setToolTip(toolTip);
    for (const Verdict verdict : {Verdict::Productive, Verdict::Partial, Verdict::Critical, Verdict::Unproductive}) {
        auto* sign = new QLabel;
        sign->setPixmap(verdictPixmap(verdict, 13));
        row->addWidget(sign);
        row->addWidget(new QLabel(verdictWord(verdict)));
        row->addSpacing(6);
    }
    return widget;
}

}  // namespace fovea::studio
