#include "app/studio/canvas/layout.h"

#include <algorithm>
#include <cmath>

namespace fovea::studio {

namespace {

constexpr qreal kClearance = 9;
constexpr qreal kBend = 28;

struct Interval {
    qreal low, high;
};

class Router {
public:
    explicit Router(Drawing& drawing) : m_drawing(drawing)
    {
        for (std::size_t i = 0; i < drawing.boxes.size(); ++i) m_byTop.push_back(static_cast<int>(i));
        std::sort(m_byTop.begin(), m_byTop.end(), [&](int a, int b) { return rect(a).top() < rect(b).top(); });
        for (const Box& box : drawing.boxes) m_tallest = std::max(m_tallest, box.rect.height());
    }

    void route(Wire& wire)
    {
        const QPointF start(rect(wire.from).center().x(), rect(wire.from).bottom());
        const QRectF target = rect(wire.to);
        const qreal step = std::min<qreal>(14, target.width() * 0.8 / wire.ports);
        const QPointF end(target.center().x() + (wire.port - (wire.ports - 1) / 2.0) * step, target.top());
        const std::vector<Interval> blocked = blockedBetween(start.y(), end.y(), wire);
        if (end.y() - start.y() < 3 * kBend || !crosses(blocked, start.x(), end.x()))
            direct(wire, start, end);
        else
            around(wire, start, end, lane(blocked, start, end));
        wire.bounds = wire.path.boundingRect().adjusted(-3, -3, 3, 3);
    }

private:
    const QRectF& rect(int box) const { return m_drawing.boxes[static_cast<std::size_t>(box)].rect; }

    // What stands between two heights, as merged stretches of x.
    std::vector<Interval> blockedBetween(qreal top, qreal bottom, const Wire& wire) const
    {
        std::vector<Interval> out;
        auto it = std::lower_bound(m_byTop.begin(), m_byTop.end(), top - m_tallest, [&](int box, qreal y) { return rect(box).top() < y; });
        for (; it != m_byTop.end() && rect(*it).top() < bottom; ++it) {
            if (*it == wire.from || *it == wire.to || rect(*it).bottom() <= top + 1) continue;
            out.push_back({rect(*it).left() - kClearance, rect(*it).right() + kClearance});
        }
        std::sort(out.begin(), out.end(), [](const Interval& a, const Interval& b) { return a.low < b.low; });
        std::vector<Interval> merged;
        for (const Interval& next : out) {
            if (!merged.empty() && next.low <= merged.back().high)
                merged.back().high = std::max(merged.back().high, next.high);
            else
                merged.push_back(next);
        }
        return merged;
    }

    static bool crosses(const std::vector<Interval>& blocked, qreal a, qreal b)
    {
        const auto [low, high] = std::minmax(a, b);
        return std::any_of(blocked.begin(), blocked.end(), [&](const Interval& i) { return low < i.high && high > i.low; });
    }

    qreal lane(const std::vector<Interval>& blocked, QPointF start, QPointF end)
    {
        // The way sideways is best made right below the source, where the gap between two ranks is free.
        const auto cost = [&](qreal x) { return 0.4 * std::abs(x - start.x()) + std::abs(x - end.x()); };
        qreal best = blocked.front().low;
        int direction = -1;
        const auto offer = [&](qreal x, int towards) {
            if (cost(x) < cost(best)) best = x, direction = towards;
        };
        for (std::size_t i = 0; i < blocked.size(); ++i) {
            offer(blocked[i].low, i == 0 ? -1 : 0);
            offer(blocked[i].high, i + 1 == blocked.size() ? 1 : 0);
        }
        // Wires that run beside one another keep a distance, where there is free space to give way to.
        for (int tries = 0; direction != 0 && tries < 40 && isTaken(best, start.y(), end.y()); ++tries) best += direction * 6;
        m_lanes.push_back({best, start.y(), end.y()});
        return best;
    }

    bool isTaken(qreal x, qreal top, qreal bottom) const
    {
        return std::any_of(m_lanes.begin(), m_lanes.end(), [&](const Lane& lane) { return std::abs(lane.x - x) < 5 && lane.top < bottom && lane.bottom > top; });
    }

    static void direct(Wire& wire, QPointF start, QPointF end)
    {
        const qreal bend = std::max<qreal>(10, std::abs(end.y() - start.y()) * 0.45);
        wire.knots = {start, end};
        wire.path.moveTo(start);
        if (std::abs(start.x() - end.x()) < 0.5 && end.y() > start.y())
            wire.path.lineTo(end);
        else
            wire.path.cubicTo(start + QPointF(0, bend), end - QPointF(0, bend), end);
    }

    static void around(Wire& wire, QPointF start, QPointF end, qreal x)
    {
        const qreal reach = std::min(kBend, (end.y() - start.y()) * 0.35);
        const QPointF first(x, start.y() + reach), last(x, end.y() - reach);
        wire.knots = {start, first, last, end};
        wire.path.moveTo(start);
        wire.path.cubicTo(start + QPointF(0, reach * 0.7), first - QPointF(0, reach * 0.7), first);
        wire.path.lineTo(last);
        wire.path.cubicTo(last + QPointF(0, reach * 0.7), end - QPointF(0, reach * 0.7), end);
        wire.routed = true;
    }

    struct Lane {
        qreal x, top, bottom;
    };

    Drawing& m_drawing;
    std::vector<int> m_byTop;
    std::vector<Lane> m_lanes;
    qreal m_tallest = 0;
};

}  // namespace

void routeWires(Drawing& drawing)
{
    Router router(drawing);
    // Short ones first, so that they get the inner lanes.
    std::vector<Wire*> wires;
    for (Wire& wire : drawing.wires) {
        wire.path.clear();
        wires.push_back(&wire);
    }
    const auto span = [&](const Wire* wire) {
        return drawing.boxes[static_cast<std::size_t>(wire->to)].rect.top() - drawing.boxes[static_cast<std::size_t>(wire->from)].rect.top();
    };
    std::stable_sort(wires.begin(), wires.end(), [&](const Wire* a, const Wire* b) { return span(a) < span(b); });
    for (Wire* wire : wires) router.route(*wire);
}

}  // namespace fovea::studio
