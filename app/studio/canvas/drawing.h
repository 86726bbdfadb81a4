// The network as boxes, frames and wires: what is drawn, before and after it has places. Units: scene
// pixels, y downwards.
#pragma once

#include "core/graph/graph.h"

#include <QPainterPath>
#include <QPointF>
#include <QRectF>
#include <QSet>
#include <QString>

#include <vector>

namespace fovea::studio {

enum class BoxType {
    Layer,    // a layer with a window, weights or a meaning of its own
    Compact,  // a layer between those: activation, normalisation, merge, reshape
    Group,    // a folded group
};

struct Box {
    BoxType type = BoxType::Layer;
    NodeId node = kNoNode;        // kNoNode for a folded group
    QString group;                // a folded group's path
    std::vector<NodeId> members;  // of a folded group
    int frame = -1;               // the innermost frame around it
    QRectF rect;
};

// An unfolded group.
struct Frame {
    QString path;
    int parent = -1;
    int members = 0;
    QRectF rect;
    QRectF header() const { return {rect.left(), rect.top(), rect.width(), kHeader}; }
    static constexpr qreal kHeader = 20;
};

struct Wire {
    int from = 0, to = 0;  // boxes
    int port = 0, ports = 1;  // which of the reader's wires this is, from the left
    std::vector<QPointF> knots;  // straight version, for small zooms
    QPainterPath path;
    QRectF bounds;
    bool routed = false;  // led around other boxes: a skip connection
};

struct Drawing {
    std::vector<Box> boxes;
    std::vector<Frame> frames;  // parents before children
    std::vector<Wire> wires;
    QRectF bounds;

    int boxOf(NodeId id) const;  // the box of a layer or of the folded group that hides it; -1: none
    std::vector<std::pair<NodeId, int>> index;  // by id
};

inline constexpr qreal kBoxWidth = 184;
inline constexpr qreal kLayerHeight = 56;
inline constexpr qreal kCompactHeight = 24;
inline constexpr qreal kGroupHeight = 58;

// Boxes with sizes, but without places.
Drawing describe(const Graph& graph, const QSet<QString>& folded);

// Which groups are folded at first: as deep as about `budget` boxes allow.
QSet<QString> initialFolds(const Graph& graph, int budget = 80);
// Every group that can be folded.
QSet<QString> allGroups(const Graph& graph);
// The groups around a layer, outermost first.
std::vector<QString> groupsAround(const Graph& graph, NodeId id);

}  // namespace fovea::studio
