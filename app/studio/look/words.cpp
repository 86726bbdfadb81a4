#include "app/studio/look/words.h"

#include "app/studio/look/verdict_look.h"
#include "core/base/printable.h"
#include "core/graph/names.h"
#include "core/io/reports/reports.h"

#include <QCoreApplication>
#include <QLocale>

#include <algorithm>

namespace fovea::studio {

namespace {

QString tr(const char* sentence, int n = -1) { return QCoreApplication::translate("Words", sentence, nullptr, n); }

QString seenText(const LayerReport& layer) { return axisText(layer.field.h.inMin, layer.field.w.inMin); }

QString notJudgedReason(const LayerReport& layer)
{
    if (!layer.finite) return tr("Not judged: the layer stands behind a global layer and sees the whole image.");
    return tr("Not judged: the layer does not slide a window wider than one pixel, so its field is that of its input.");
}

QString windowOf(const AxisReach& h, const AxisReach& w)
{
    QString out = QStringLiteral("%1x%2").arg(h.kernel).arg(w.kernel);
    if (h.stride != 1 || w.stride != 1) out += QStringLiteral(" /") + axisText(h.stride, w.stride);
    if (h.dilation != 1 || w.dilation != 1) out += QStringLiteral(" d") + axisText(h.dilation, w.dilation);
    return out;
}

}  // namespace

QString text(const std::string& value) { return QString::fromStdString(printable(value)); }

QString moduleName(const std::string& name) { return text(fovea::moduleName(name)); }

QString shortName(const std::string& name, const std::string& group)
{
    const QString prefix = text(group) + QLatin1Char('.'), full = text(name);
    if (prefix.size() > 1 && full.startsWith(prefix)) return full.mid(prefix.size());
    return text(nameParts(name).back());
}

QString axisText(std::int64_t h, std::int64_t w)
{
    return h == w ? QString::number(h) : QStringLiteral("%1x%2").arg(h).arg(w);
}

QString shapeText(const Value& value) { return value.shape.hasRank() ? text(value.shape.text()) : QStringLiteral("?"); }

QString countText(const std::optional<std::int64_t>& count) { return count ? text(shortCount(*count)) : tr("unknown"); }

QString exactText(const std::optional<std::int64_t>& count)
{
    return count ? QLocale().toString(static_cast<qlonglong>(*count)) : tr("cannot be counted");
}

QString timeText(std::int64_t microseconds) { return text(shortTime(static_cast<double>(microseconds) * 1e-6)); }

QString bytesText(std::int64_t bytes) { return text(shortBytes(bytes)); }

QString factorText(std::int64_t value, std::int64_t of)
{
    if (of <= 0) return {};
    const double factor = static_cast<double>(value) / static_cast<double>(of);
    return QString::number(factor, 'f', factor < 2 ? 2 : 1) + QLatin1Char('x');
}

QString planEffect(const Plan& plan, bool brief)
{
    QStringList parts;
    for (const Verdict verdict : {Verdict::Unproductive, Verdict::Partial, Verdict::Critical}) {
        const int before = plan.before.count(verdict), after = plan.after.count(verdict);
        if (before != after && !(brief && !parts.isEmpty()))
            parts << QStringLiteral("%1 \u2192 %2 %3").arg(before).arg(after).arg(verdictWord(verdict));
    }
    if (parts.isEmpty()) parts << tr("no verdict changes");
    parts << tr("%1 MACs").arg(factorText(plan.after.macs, plan.before.macs));
    return parts.join(QStringLiteral(", "));
}

QString windowText(const LayerReport& layer)
{
    const auto slides = [](const AxisReach& reach) {
        return reach.kind == ReachKind::Window || reach.kind == ReachKind::Transposed;
    };
    if (slides(layer.reach->h) || slides(layer.reach->w)) return windowOf(layer.reach->h, layer.reach->w);
    if (layer.reach->h.kind == ReachKind::Global) return tr("global");
    return {};
}

QString rfText(const LayerReport& layer)
{
    if (!layer.finite) return {};
    const QString low = axisText(layer.field.h.rfMin, layer.field.w.rfMin);
    const QString high = axisText(layer.field.h.rfMax, layer.field.w.rfMax);
    return low == high ? tr("rf %1 px").arg(low) : tr("rf %1\u2013%2 px").arg(low, high);
}

QString verdictReason(const LayerReport& layer, const PerAxis<std::int64_t>& side)
{
    const QString sideText = axisText(side.h, side.w);
    const QString grown = axisText(layer.field.h.rfMin, layer.field.w.rfMin);
    switch (layer.verdict) {
    case Verdict::Unproductive:
        return tr("Unproductive: every path into this layer has already seen %1 px, the whole %2 px side. It cannot "
                  "learn anything more about "
                  "how the image hangs together.")
            .arg(seenText(layer), sideText);
    case Verdict::Partial: {
        const bool tall = layer.field.h.inMin >= side.h && layer.field.h.rfMin > side.h;
        return tr("Partial: along the %1 every path into this layer has already seen %2 px, at least the whole side of "
                  "%3 px; along the other "
                  "axis it still gathers something new.")
            .arg(tall ? tr("height") : tr("width"))
            .arg(tall ? layer.field.h.inMin : layer.field.w.inMin)
            .arg(tall ? side.h : side.w);
    }
    case Verdict::Critical:
        return tr("Critical: here the smallest field grows from %1 px to %2 px, past the %3 px side. Part of the "
                  "window reads only padding.")
            .arg(seenText(layer), grown, sideText);
    case Verdict::Productive:
        return tr("Productive: the smallest field, %1 px, lies within the %2 px side, so the layer still gathers "
                  "something new.")
            .arg(grown, sideText);
    case Verdict::Unknown:
        return tr("Unknown: the layer is, or stands behind, one whose reach nobody has stated. State it in the field "
                  "\u201creach\u201d of the opaque layer.");
    case Verdict::NotApplicable: break;
    }
    return notJudgedReason(layer);
}

QString networkVerdict(const Report& report)
{
    const Summary& s = report.summary;
    const int judged = s.count(Verdict::Productive) + s.count(Verdict::Partial) + s.count(Verdict::Critical) +
                       s.count(Verdict::Unproductive);
    const QString side = axisText(report.side.h, report.side.w);
    if (!s.judged)
        return tr("%1 layers are, or stand behind, one that Fovea cannot read, so nothing is said of the whole network. Of the others that are judged, %2 of %3 are unproductive at %4 px.")
            .arg(s.count(Verdict::Unknown))
            .arg(s.count(Verdict::Unproductive))
            .arg(judged)
            .arg(side);
    if (judged == 0) return tr("No layer slides a window over the image, so there is nothing to judge.");
    if (const int bad = s.count(Verdict::Unproductive)) {
        QString out =
            tr("%1 of %2 layers cannot improve the features at %3 px: their inputs have seen the whole image already.")
                .arg(bad)
                .arg(judged)
                .arg(side);
        if (s.iMinProductive)
            out += QLatin1Char(' ') +
                   tr("From %1 px on, none is unproductive.").arg(axisText(s.iMinProductive->h, s.iMinProductive->w));
        return out;
    }
    if (const int partial = s.count(Verdict::Partial))
        return tr("%1 of %2 layers gather something new along one axis only at %3 px.")
            .arg(partial)
            .arg(judged)
            .arg(side);
    if (const int critical = s.count(Verdict::Critical))
        return tr("%1 of %2 layers grow past the image at %3 px; none is unproductive.")
            .arg(critical)
            .arg(judged)
            .arg(side);
    if (s.iMax && (s.iMax->h < report.side.h || s.iMax->w < report.side.w))
        return tr("All %1 layers are productive at %2 px, but the largest field, %3, does not span the image.")
            .arg(judged)
            .arg(side, text(shortFieldText(*s.iMax, report.side)));
    return tr("All %1 layers are productive at %2 px.").arg(judged).arg(side);
}

QString layerToolTip(const LayerReport& layer, const PerAxis<std::int64_t>& side)
{
    QString out = QStringLiteral("<b>%1</b><br>%2 %3")
                      .arg(text(layer.name()).toHtmlEscaped(), text(layer.kind()).toHtmlEscaped(), windowText(layer));
    if (!layer.out.empty()) out += QStringLiteral("<br>") + tr("output %1").arg(shapeText(layer.out.front()));
    if (layer.finite)
        out += QStringLiteral("<br>") + tr("smallest field %1 px, largest %2 px, jump %3 px")
                                            .arg(axisText(layer.field.h.rfMin, layer.field.w.rfMin),
                                                 axisText(layer.field.h.rfMax, layer.field.w.rfMax),
                                                 text(layer.field.h.jump.text()));
    return QStringLiteral("<div style='max-width:360px'>%1<br>%2</div>")
        .arg(out, verdictReason(layer, side).toHtmlEscaped());
}

}  // namespace fovea::studio
