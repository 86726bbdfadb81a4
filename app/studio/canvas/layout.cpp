#include "app/studio/canvas/layout.h"

#include <algorithm>

namespace fovea::studio {

namespace {

// dot's time grows faster than linearly: 0.15 s for a chain of 800, minutes for 10,000.
constexpr std::size_t kMostForGraphviz = 1'500;

void frameBoxes(Drawing& drawing)
{
    constexpr qreal kMargin = 12;
    for (Frame& frame : drawing.frames) frame.rect = {};
    for (const Box& box : drawing.boxes)
        if (box.frame >= 0) drawing.frames[static_cast<std::size_t>(box.frame)].rect |= box.rect.adjusted(-kMargin, -kMargin - Frame::kHeader, kMargin, kMargin);
    for (std::size_t i = drawing.frames.size(); i-- > 0;) {
        const Frame& frame = drawing.frames[i];
        if (frame.parent >= 0 && !frame.rect.isNull())
            drawing.frames[static_cast<std::size_t>(frame.parent)].rect |= frame.rect.adjusted(-kMargin, -kMargin - Frame::kHeader, kMargin, kMargin);
    }
}

}  // namespace

std::vector<int> longestPathRanks(const Drawing& drawing)
{
    std::vector<int> ranks(drawing.boxes.size(), 0), waiting(drawing.boxes.size(), 0);
    std::vector<std::vector<int>> readers(drawing.boxes.size());
    for (const Wire& wire : drawing.wires) {
        readers[static_cast<std::size_t>(wire.from)].push_back(wire.to);
        ++waiting[static_cast<std::size_t>(wire.to)];
    }
    std::vector<int> ready;
    for (std::size_t i = 0; i < waiting.size(); ++i)
        if (waiting[i] == 0) ready.push_back(static_cast<int>(i));
    for (std::size_t next = 0; next < ready.size(); ++next)
        for (const int reader : readers[static_cast<std::size_t>(ready[next])]) {
            const auto r = static_cast<std::size_t>(reader);
            ranks[r] = std::max(ranks[r], ranks[static_cast<std::size_t>(ready[next])] + 1);
            if (--waiting[r] == 0) ready.push_back(reader);
        }
    return ranks;
}

std::vector<bool> longShortcuts(const Drawing& drawing, int most)
{
    const std::vector<int> ranks = longestPathRanks(drawing);
    std::vector<std::vector<std::size_t>> out(drawing.boxes.size());
    for (std::size_t i = 0; i < drawing.wires.size(); ++i) out[static_cast<std::size_t>(drawing.wires[i].from)].push_back(i);
    std::vector<bool> shortcuts(drawing.wires.size(), false);
    std::vector<std::size_t> seen(drawing.boxes.size(), 0), open;
    for (std::size_t i = 0; i < drawing.wires.size(); ++i) {
        const auto from = static_cast<std::size_t>(drawing.wires[i].from), to = static_cast<std::size_t>(drawing.wires[i].to);
        if (ranks[to] - ranks[from] <= most) continue;
        open.assign(1, from);
        while (!open.empty() && !shortcuts[i]) {
            const std::size_t at = open.back();
            open.pop_back();
            for (const std::size_t next : out[at]) {
                const auto reader = static_cast<std::size_t>(drawing.wires[next].to);
                if (next == i || ranks[reader] > ranks[to] || seen[reader] == i + 1) continue;
                seen[reader] = i + 1;
                if (reader == to) shortcuts[i] = true;
                open.push_back(reader);
            }
        }
    }
    return shortcuts;
}

std::vector<bool> onLongestPath(const Drawing& drawing)
{
    std::vector<bool> out(drawing.wires.size(), false);
    const std::vector<int> ranks = longestPathRanks(drawing);
    if (ranks.empty()) return out;
    std::vector<std::vector<std::size_t>> into(drawing.boxes.size());
    for (std::size_t i = 0; i < drawing.wires.size(); ++i) into[static_cast<std::size_t>(drawing.wires[i].to)].push_back(i);
    auto at = static_cast<std::size_t>(std::max_element(ranks.begin(), ranks.end()) - ranks.begin());
    while (ranks[at] > 0) {
        const auto& wires = into[at];
        const auto before = std::find_if(wires.begin(), wires.end(),
                                         [&](std::size_t i) { return ranks[static_cast<std::size_t>(drawing.wires[i].from)] == ranks[at] - 1; });
        if (before == wires.end()) break;  // on a cycle
        out[*before] = true;
        at = static_cast<std::size_t>(drawing.wires[*before].from);
    }
    return out;
}

void layOutInRanks(Drawing& drawing)
{
    const std::vector<int> ranks = longestPathRanks(drawing);
    const int last = ranks.empty() ? -1 : *std::max_element(ranks.begin(), ranks.end());
    std::vector<std::vector<int>> rows(static_cast<std::size_t>(last + 1));
    for (std::size_t i = 0; i < ranks.size(); ++i) rows[static_cast<std::size_t>(ranks[i])].push_back(static_cast<int>(i));
    qreal y = 0;
    for (const std::vector<int>& row : rows) {
        constexpr qreal kGap = 28;
        qreal x = -(static_cast<qreal>(row.size()) * (kBoxWidth + kGap) - kGap) / 2;
        qreal height = 0;
        for (const int i : row) {
            QRectF& rect = drawing.boxes[static_cast<std::size_t>(i)].rect;
            rect.moveTopLeft({x, y});
            x += kBoxWidth + kGap;
            height = std::max(height, rect.height());
        }
        y += height + kGap;
    }
    frameBoxes(drawing);
}

void layOut(Drawing& drawing)
{
    if (drawing.boxes.empty()) return;
    if (drawing.boxes.size() > kMostForGraphviz || !layOutWithGraphviz(drawing)) layOutInRanks(drawing);
    routeWires(drawing);
    drawing.bounds = {};
    for (const Box& box : drawing.boxes) drawing.bounds |= box.rect;
    for (const Frame& frame : drawing.frames) drawing.bounds |= frame.rect;
    for (const Wire& wire : drawing.wires) drawing.bounds |= wire.bounds;
}

}  // namespace fovea::studio
