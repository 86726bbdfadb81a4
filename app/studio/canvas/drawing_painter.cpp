#include "app/studio/canvas/drawing_painter.h"

#include "app/studio/look/verdict_look.h"
#include "app/studio/look/words.h"

#include <QCoreApplication>
#include <QPainter>

#include <algorithm>

namespace fovea::studio {

namespace {

constexpr qreal kDetailScale = 0.42;  // below it text cannot be read: only coloured blocks are drawn
constexpr qreal kSmoothScale = 0.2;   // below it wires are straight hairlines
constexpr qreal kBand = 7;

QString tr(const char* sentence) { return QCoreApplication::translate("Canvas", sentence); }

QFont fontOf(qreal pixels, bool bold = false)
{
    QFont font;
    font.setPixelSize(static_cast<int>(pixels));
    font.setWeight(bold ? QFont::DemiBold : QFont::Normal);
    return font;
}

const QFont& nameFont()
{
    static const QFont font = fontOf(12, true);
    return font;
}

const QFont& smallFont()
{
    static const QFont font = fontOf(10);
    return font;
}

QString elided(const QFont& font, const QString& value, qreal width, Qt::TextElideMode mode = Qt::ElideMiddle)
{
    return QFontMetricsF(font).elidedText(value, mode, width);
}

// "block2" of "features.block2", but "layer1.0" of "layer1.0": a number alone says nothing.
QString lastPart(const QString& path)
{
    qsizetype dot = path.lastIndexOf(QLatin1Char('.'));
    while (dot > 0 && path.at(dot + 1).isDigit()) dot = path.lastIndexOf(QLatin1Char('.'), dot - 1);
    return path.mid(dot + 1);
}

}  // namespace

void DrawingPainter::setContent(std::shared_ptr<const Drawing> drawing, GraphPtr graph, ReportPtr report)
{
    m_drawing = std::move(drawing);
    m_selected.clear();
    setReport(std::move(graph), std::move(report));
}

void DrawingPainter::setReport(GraphPtr graph, ReportPtr report)
{
    m_graph = std::move(graph);
    m_report = std::move(report);
    m_states.clear();
    m_texts.clear();
    if (!m_drawing) return;
    m_states.reserve(m_drawing->boxes.size());
    for (const Box& box : m_drawing->boxes) {
        State state;
        if (box.node != kNoNode) {
            state.layer = m_report->find(box.node);
            if (state.layer) state.verdict = state.layer->verdict;
        }
        for (const NodeId member : box.members) {
            const LayerReport* layer = m_report->find(member);
            if (!layer) continue;
            ++state.counts[static_cast<std::size_t>(layer->verdict)];
            if (verdictRank(layer->verdict) < verdictRank(state.verdict)) state.verdict = layer->verdict;
        }
        m_states.push_back(state);
    }
    m_texts.resize(m_states.size());
}

const DrawingPainter::Texts& DrawingPainter::texts(int index) const
{
    Texts& out = m_texts[static_cast<std::size_t>(index)];
    if (!out.made) makeTexts(box(index), m_states[static_cast<std::size_t>(index)], out);
    out.made = true;
    return out;
}

void DrawingPainter::makeTexts(const Box& box, const State& state, Texts& out) const
{
    const qreal width = box.rect.width() - kBand - 14;
    if (box.type == BoxType::Group) {
        out.name = elided(nameFont(), text(lastPart(box.group).toStdString()), width - 22);
        out.kind = tr("%1 layers").arg(box.members.size());
        return;
    }
    const Node* node = m_graph->find(box.node);
    if (!node) return;
    if (box.type == BoxType::Compact) {
        out.kind = elided(smallFont(), text(node->kind), width * 0.55, Qt::ElideRight);
        out.name = elided(smallFont(), shortName(node->name, node->group), width - QFontMetricsF(smallFont()).horizontalAdvance(out.kind) - 10);
        return;
    }
    out.name = elided(nameFont(), shortName(node->name, node->group), width - 18);
    out.kind = text(node->kind);
    if (state.layer) {
        const QString window = windowText(*state.layer);
        if (!window.isEmpty()) out.kind += QStringLiteral("  ") + window;
        if (!state.layer->out.empty()) out.shape = shapeText(state.layer->out.front());
        out.field = rfText(*state.layer);
    } else {
        for (const auto& [name, shape] : m_report->inputs)
            if (name == node->name) out.shape = text(shape.text());
    }
    out.kind = elided(smallFont(), out.kind, width, Qt::ElideRight);
    out.shape = elided(smallFont(), out.shape, width - QFontMetricsF(smallFont()).horizontalAdvance(out.field) - 6, Qt::ElideRight);
}

QString DrawingPainter::toolTip(int index) const
{
    const Box& b = box(index);
    const State& state = m_states[static_cast<std::size_t>(index)];
    if (b.type != BoxType::Group) {
        if (state.layer) return layerToolTip(*state.layer, m_report->side);
        const Node* node = m_graph->find(b.node);
        return node ? QStringLiteral("<b>%1</b><br>%2").arg(text(node->name).toHtmlEscaped(), text(node->kind).toHtmlEscaped()) : QString();
    }
    QString out = QStringLiteral("<b>%1</b><br>%2").arg(text(b.group.toStdString()).toHtmlEscaped(), tr("%1 layers; double-click unfolds").arg(b.members.size()));
    for (const Verdict v : {Verdict::Unproductive, Verdict::Partial, Verdict::Critical, Verdict::Productive, Verdict::Unknown})
        if (const int n = state.counts[static_cast<std::size_t>(v)]) out += QStringLiteral("<br>%1 %2").arg(n).arg(verdictWord(v));
    return out;
}

void DrawingPainter::paint(QPainter& painter, const QRectF& exposed, qreal scale) const
{
    if (!m_drawing) return;
    painter.setRenderHint(QPainter::Antialiasing, scale >= kSmoothScale);
    paintFrames(painter, exposed, scale);
    paintWires(painter, exposed, scale);
    if (scale < kDetailScale) {
        paintBlocks(painter, exposed);
        return;
    }
    for (std::size_t i = 0; i < m_drawing->boxes.size(); ++i)
        if (m_drawing->boxes[i].rect.adjusted(-6, -6, 6, 24).intersects(exposed)) paintBox(painter, static_cast<int>(i), scale);
}

void DrawingPainter::paintOverview(QPainter& painter) const
{
    if (m_drawing) paintBlocks(painter, m_drawing->bounds);
}

void DrawingPainter::paintFrames(QPainter& painter, const QRectF& exposed, qreal scale) const
{
    for (const Frame& frame : m_drawing->frames) {
        if (!frame.rect.intersects(exposed)) continue;
        painter.setPen(QPen(m_colors.frameBorder, 1));
        painter.setBrush(m_colors.frame);
        painter.drawRoundedRect(frame.rect, 6, 6);
        if (scale < kDetailScale) continue;
        painter.setPen(m_colors.dimText);
        painter.setFont(smallFont());
        const QRectF header = frame.header().adjusted(8, 0, -6, 0);
        painter.drawText(header, Qt::AlignLeft | Qt::AlignVCenter, elided(smallFont(), QStringLiteral("\u25be ") + text(frame.path.toStdString()), header.width(), Qt::ElideLeft));
    }
}

void DrawingPainter::paintWires(QPainter& painter, const QRectF& exposed, qreal scale) const
{
    const bool smooth = scale >= kSmoothScale;
    painter.setBrush(Qt::NoBrush);
    QVector<QLineF> hairlines;
    for (const Wire& wire : m_drawing->wires) {
        if (!wire.bounds.intersects(exposed)) continue;
        if (!smooth) {
            for (std::size_t k = 0; k + 1 < wire.knots.size(); ++k) hairlines.append(QLineF(wire.knots[k], wire.knots[k + 1]));
            continue;
        }
        const bool touched = m_selected.count(wire.from) || m_selected.count(wire.to);
        const QColor color = touched ? m_colors.accent : wire.routed ? m_colors.skipWire : m_colors.wire;
        painter.setPen(QPen(color, touched ? 2.0 : 1.3, Qt::SolidLine, Qt::RoundCap));
        painter.drawPath(wire.path);
        if (scale < kDetailScale || wire.knots.empty()) continue;
        const QPointF tip = wire.knots.back();
        painter.drawLine(tip, tip + QPointF(-3, -5));
        painter.drawLine(tip, tip + QPointF(3, -5));
    }
    if (hairlines.isEmpty()) return;
    painter.setPen(QPen(m_colors.wire, 0));
    painter.drawLines(hairlines);
}

void DrawingPainter::paintBlocks(QPainter& painter, const QRectF& exposed) const
{
    std::array<QVector<QRectF>, kVerdictCount> blocks;
    for (std::size_t i = 0; i < m_drawing->boxes.size(); ++i) {
        const Box& b = m_drawing->boxes[i];
        if (b.rect.intersects(exposed)) blocks[static_cast<std::size_t>(m_states[i].verdict)].append(b.rect);
    }
    painter.setPen(Qt::NoPen);
    for (int v = 0; v < kVerdictCount; ++v) {
        if (blocks[static_cast<std::size_t>(v)].isEmpty()) continue;
        painter.setBrush(verdictColor(static_cast<Verdict>(v)));
        painter.drawRects(blocks[static_cast<std::size_t>(v)]);
    }
    painter.setBrush(Qt::NoBrush);
    QPen outline(m_colors.accent, 3);
    outline.setCosmetic(true);
    painter.setPen(outline);
    for (const int i : m_selected) painter.drawRect(box(i).rect.adjusted(-2, -2, 2, 2));
    outline.setColor(m_colors.changed);
    painter.setPen(outline);
    for (auto it = m_marks.begin(); it != m_marks.end(); ++it)
        if (const int i = m_drawing->boxOf(it.key()); i >= 0) painter.drawRect(box(i).rect.adjusted(-2, -2, 2, 2));
}

void DrawingPainter::paintBox(QPainter& painter, int index, qreal) const
{
    switch (box(index).type) {
    case BoxType::Layer: paintLayer(painter, index); break;
    case BoxType::Compact: paintCompact(painter, index); break;
    case BoxType::Group: paintGroup(painter, index); break;
    }
    const Box& b = box(index);
    if (m_selected.count(index)) {
        painter.setBrush(Qt::NoBrush);
        painter.setPen(QPen(m_colors.accent, 2.5));
        painter.drawRoundedRect(b.rect.adjusted(-2, -2, 2, 2), 6, 6);
    }
    if (const auto it = m_marks.constFind(b.node); b.node != kNoNode && it != m_marks.constEnd()) paintMark(painter, b.rect, *it);
    for (const NodeId member : b.members)
        if (const auto it = m_marks.constFind(member); it != m_marks.constEnd()) {
            paintMark(painter, b.rect, *it);
            break;
        }
}

void DrawingPainter::paintLayer(QPainter& painter, int index) const
{
    const QRectF& rect = box(index).rect;
    const Verdict verdict = verdictOf(index);
    painter.setPen(QPen(m_colors.boxBorder, 1));
    painter.setBrush(m_colors.box);
    painter.drawRoundedRect(rect, 4, 4);
    fillVerdict(painter, QRectF(rect.left() + 1, rect.top() + 1, kBand, rect.height() - 2), verdict);
    const Texts& t = texts(index);
    const QRectF inner = rect.adjusted(kBand + 7, 4, -7, -4);
    painter.setPen(m_colors.text);
    painter.setFont(nameFont());
    painter.drawText(inner.adjusted(0, 0, -16, 0), Qt::AlignLeft | Qt::AlignTop, t.name);
    painter.setFont(smallFont());
    painter.drawText(inner, Qt::AlignLeft | Qt::AlignVCenter, t.kind);
    painter.setPen(m_colors.dimText);
    painter.drawText(inner, Qt::AlignLeft | Qt::AlignBottom, t.shape);
    painter.drawText(inner, Qt::AlignRight | Qt::AlignBottom, t.field);
    drawVerdictSign(painter, QRectF(inner.right() - 12, inner.top() + 2, 12, 12), verdict);
}

void DrawingPainter::paintCompact(QPainter& painter, int index) const
{
    const QRectF& rect = box(index).rect;
    const Verdict verdict = verdictOf(index);
    painter.setPen(QPen(m_colors.boxBorder, 1));
    painter.setBrush(m_colors.compactBox);
    painter.drawRoundedRect(rect, rect.height() / 2, rect.height() / 2);
    const Texts& t = texts(index);
    const QRectF inner = rect.adjusted(11, 0, -11, 0);
    painter.setFont(smallFont());
    painter.setPen(m_colors.text);
    painter.drawText(inner, Qt::AlignLeft | Qt::AlignVCenter, t.kind);
    painter.setPen(m_colors.dimText);
    painter.drawText(inner, Qt::AlignRight | Qt::AlignVCenter, t.name);
    if (verdict == Verdict::Unknown) drawVerdictSign(painter, QRectF(rect.center().x() - 5, rect.center().y() - 5, 10, 10), verdict);
}

void DrawingPainter::paintGroup(QPainter& painter, int index) const
{
    const QRectF& rect = box(index).rect;
    const State& state = m_states[static_cast<std::size_t>(index)];
    painter.setPen(QPen(m_colors.boxBorder, 1));
    painter.setBrush(m_colors.frame);
    painter.drawRoundedRect(rect.adjusted(3, 3, 3, 3), 5, 5);
    painter.setBrush(m_colors.box);
    painter.drawRoundedRect(rect, 5, 5);
    const Texts& t = texts(index);
    const QRectF inner = rect.adjusted(10, 5, -10, -6);
    painter.setPen(m_colors.text);
    painter.setFont(nameFont());
    painter.drawText(inner, Qt::AlignLeft | Qt::AlignTop, QStringLiteral("\u25b8 ") + t.name);
    drawVerdictSign(painter, QRectF(inner.right() - 12, inner.top() + 2, 12, 12), state.verdict);
    painter.setPen(m_colors.dimText);
    painter.setFont(smallFont());
    painter.drawText(inner.adjusted(0, 16, 0, 0), Qt::AlignLeft | Qt::AlignTop, t.kind);
    // The share of each verdict among the group's judged layers.
    int judged = 0;
    for (const Verdict v : {Verdict::Productive, Verdict::Critical, Verdict::Partial, Verdict::Unproductive, Verdict::Unknown})
        judged += state.counts[static_cast<std::size_t>(v)];
    qreal x = inner.left();
    for (const Verdict v : {Verdict::Productive, Verdict::Critical, Verdict::Partial, Verdict::Unproductive, Verdict::Unknown}) {
        if (judged == 0) break;
        const qreal width = inner.width() * state.counts[static_cast<std::size_t>(v)] / judged;
        if (width > 0) fillVerdict(painter, QRectF(x, inner.bottom() - 8, width, 8), v);
        x += width;
    }
}

void DrawingPainter::paintMark(QPainter& painter, const QRectF& rect, const Mark& mark) const
{
    const QColor color = mark.added ? m_colors.added : m_colors.changed;
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(color, 2.5, Qt::DashLine));
    painter.drawRoundedRect(rect.adjusted(-4, -4, 4, 4), 7, 7);
    if (mark.text.isEmpty()) return;
    painter.setFont(smallFont());
    const QFontMetricsF metrics(smallFont());
    const QRectF chip(rect.right() + 8, rect.center().y() - 9, metrics.horizontalAdvance(mark.text) + 12, 18);
    painter.setPen(Qt::NoPen);
    painter.setBrush(color);
    painter.drawRoundedRect(chip, 9, 9);
    painter.setPen(color.lightness() > 175 ? Qt::black : Qt::white);
    painter.drawText(chip, Qt::AlignCenter, mark.text);
}

}  // namespace fovea::studio
