#include "app/studio/charts/plot_style.h"

#include "app/studio/look/theme.h"

#include <qcustomplot.h>

namespace fovea::studio {

QFont smallFont(const QWidget& widget)
{
    QFont font = widget.font();
    font.setPixelSize(10);
    return font;
}

void stylePlot(QCustomPlot& plot, std::initializer_list<QCPAxis*> axes, const QWidget& widget)
{
    const Colors colors = colorsFor(widget.palette());
    const QColor textColor = widget.palette().color(QPalette::Text);
    const QFont font = smallFont(widget);
    plot.setBackground(widget.palette().color(QPalette::Base));
    for (QCPAxis* axis : axes) {
        axis->setLabelColor(textColor);
        axis->setTickLabelColor(textColor);
        axis->setBasePen(QPen(colors.boxBorder));
        axis->setTickPen(QPen(colors.boxBorder));
        axis->setSubTickPen(Qt::NoPen);
        axis->setTickLabelFont(font);
        axis->setLabelFont(font);
        axis->grid()->setPen(QPen(colors.grid, 1));
        axis->grid()->setZeroLinePen(Qt::NoPen);
    }
}

}  // namespace fovea::studio
