#include "app/studio/canvas/drawing.h"

#include "core/ops/registry.h"

#include <QHash>

#include <algorithm>
#include <set>

namespace fovea::studio {

namespace {

// The groups of a graph that are worth a frame: those with at least two layers and not the same layers as
// the group around them.
class Groups {
public:
    explicit Groups(const Graph& graph)
    {
        for (const auto& node : graph.nodes())
            for (const std::string& path : prefixes(node->group)) ++m_counts[QString::fromStdString(path)];
        for (const auto& node : graph.nodes())
            if (!m_chains.contains(QString::fromStdString(node->group))) m_chains.insert(QString::fromStdString(node->group), makeChain(node->group));
    }

    const std::vector<QString>& around(const std::string& group) const { return *m_chains.constFind(QString::fromStdString(group)); }
    int count(const QString& path) const { return m_counts.value(path); }

private:
    static std::vector<std::string> prefixes(const std::string& group)
    {
        std::vector<std::string> out;
        if (group.empty()) return out;
        for (std::size_t dot = group.find('.'); dot != std::string::npos; dot = group.find('.', dot + 1)) out.push_back(group.substr(0, dot));
        out.push_back(group);
        return out;
    }

    std::vector<QString> makeChain(const std::string& group) const
    {
        std::vector<QString> out;
        int around = -1;
        for (const std::string& path : prefixes(group)) {
            const QString name = QString::fromStdString(path);
            const int members = m_counts.value(name);
            if (members >= 2 && members != around) out.push_back(name);
            around = members;
        }
        return out;
    }

    QHash<QString, int> m_counts;
    QHash<QString, std::vector<QString>> m_chains;
};

bool isCompact(const Node& node)
{
    switch (opFor(node.kind).opClass) {
    case OpClass::Normalization:
    case OpClass::Activation:
    case OpClass::Merge:
    case OpClass::Shape:
    case OpClass::Math:
    case OpClass::Regularization: return true;
    case OpClass::Input:
    case OpClass::Convolution:
    case OpClass::Transposed:
    case OpClass::Pooling:
    case OpClass::GlobalPooling:
    case OpClass::Linear:
    case OpClass::Resample:
    case OpClass::Opaque: break;
    }
    return false;
}

class Describer {
public:
    Describer(const Graph& graph, const QSet<QString>& folded) : m_graph(graph), m_folded(folded), m_groups(graph) {}

    Drawing run()
    {
        for (const auto& node : m_graph.nodes()) place(*node);
        for (const auto& node : m_graph.nodes()) wire(*node);
        spreadPorts();
        return std::move(m_out);
    }

private:
    void place(const Node& node)
    {
        int frame = -1;
        for (const QString& path : m_groups.around(node.group)) {
            if (m_folded.contains(path)) {
                m_out.index.emplace_back(node.id, foldedBox(path, frame));
                m_out.boxes[static_cast<std::size_t>(m_out.index.back().second)].members.push_back(node.id);
                return;
            }
            frame = frameOf(path, frame);
        }
        Box box;
        box.type = isCompact(node) ? BoxType::Compact : BoxType::Layer;
        box.node = node.id;
        box.frame = frame;
        box.rect = QRectF(0, 0, kBoxWidth, box.type == BoxType::Compact ? kCompactHeight : kLayerHeight);
        m_out.index.emplace_back(node.id, static_cast<int>(m_out.boxes.size()));
        m_out.boxes.push_back(std::move(box));
    }

    int foldedBox(const QString& path, int frame)
    {
        if (const auto it = m_foldedBoxes.constFind(path); it != m_foldedBoxes.constEnd()) return *it;
        Box box;
        box.type = BoxType::Group;
        box.group = path;
        box.frame = frame;
        box.rect = QRectF(0, 0, kBoxWidth, kGroupHeight);
        m_out.boxes.push_back(std::move(box));
        return *m_foldedBoxes.insert(path, static_cast<int>(m_out.boxes.size()) - 1);
    }

    int frameOf(const QString& path, int parent)
    {
        if (const auto it = m_frames.constFind(path); it != m_frames.constEnd()) return *it;
        m_out.frames.push_back(Frame{path, parent, m_groups.count(path), {}});
        return *m_frames.insert(path, static_cast<int>(m_out.frames.size()) - 1);
    }

    void wire(const Node& node)
    {
        const int to = m_out.boxOf(node.id);
        for (const Port& port : node.inputs) {
            const int from = m_out.boxOf(port.node);
            if (from < 0 || from == to || !m_seen.emplace(from, to).second) continue;
            m_out.wires.push_back(Wire{from, to, 0, 1, {}, {}, {}, false});
        }
    }

    void spreadPorts()
    {
        std::vector<int> counts(m_out.boxes.size(), 0);
        for (Wire& wire : m_out.wires) wire.port = counts[static_cast<std::size_t>(wire.to)]++;
        for (Wire& wire : m_out.wires) wire.ports = counts[static_cast<std::size_t>(wire.to)];
    }

    const Graph& m_graph;
    const QSet<QString>& m_folded;
    Groups m_groups;
    Drawing m_out;
    QHash<QString, int> m_foldedBoxes, m_frames;
    std::set<std::pair<int, int>> m_seen;
};

int boxesFoldedAt(const Graph& graph, const Groups& groups, std::size_t depth)
{
    QSet<QString> seen;
    int boxes = 0;
    for (const auto& node : graph.nodes()) {
        const auto& around = groups.around(node->group);
        if (around.size() <= depth)
            ++boxes;
        else
            seen.insert(around[depth]);
    }
    return boxes + static_cast<int>(seen.size());
}

}  // namespace

int Drawing::boxOf(NodeId id) const
{
    const auto it = std::lower_bound(index.begin(), index.end(), id, [](const auto& entry, NodeId wanted) { return entry.first < wanted; });
    return it != index.end() && it->first == id ? it->second : -1;
}

Drawing describe(const Graph& graph, const QSet<QString>& folded) { return Describer(graph, folded).run(); }

QSet<QString> initialFolds(const Graph& graph, int budget)
{
    QSet<QString> out;
    if (static_cast<int>(graph.nodes().size()) <= budget) return out;
    const Groups groups(graph);
    std::size_t deepest = 0;
    for (const auto& node : graph.nodes()) deepest = std::max(deepest, groups.around(node->group).size());
    std::size_t depth = 0;
    while (depth + 1 < deepest && boxesFoldedAt(graph, groups, depth + 1) <= budget) ++depth;
    for (const auto& node : graph.nodes()) {
        const auto& around = groups.around(node->group);
        for (std::size_t level = depth; level < around.size(); ++level) out.insert(around[level]);
    }
    return out;
}

QSet<QString> allGroups(const Graph& graph)
{
    QSet<QString> out;
    const Groups groups(graph);
    for (const auto& node : graph.nodes())
        for (const QString& path : groups.around(node->group)) out.insert(path);
    return out;
}

std::vector<QString> groupsAround(const Graph& graph, NodeId id)
{
    const Node* node = graph.find(id);
    return node ? Groups(graph).around(node->group) : std::vector<QString>{};
}

}  // namespace fovea::studio
