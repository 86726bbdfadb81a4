#include "app/studio/canvas/layout.h"

#include <graphviz/cgraph.h>
#include <graphviz/gvc.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace fovea::studio {

namespace {

constexpr double kPointsPerInch = 72;  // one scene pixel is one point
constexpr double kClusterMargin = 12;
constexpr int kLongWire = 12;       // ranks; in a large drawing the place for longer wires costs more than it gives
constexpr std::size_t kEasy = 400;  // boxes and wires that are laid out quickly without limits

// Graphviz keeps its state in globals, so one layout runs at a time.
std::mutex& graphvizMutex()
{
    static std::mutex mutex;
    return mutex;
}

GVC_t* context()
{
    static GVC_t* const context = gvContext();
    return context;
}

// Graphviz takes char* where it reads only.
char* c(const char* text) { return const_cast<char*>(text); }

void set(void* object, const char* name, const std::string& value) { agsafeset(object, c(name), c(value.c_str()), c("")); }

// Numbers of named things in the order in which they are made. Graphviz itself numbers a name by its address and goes
// through clusters by number, so that a layout would depend on where the heap happens to have room.
class Numbers {
public:
    static Agiddisc_t* discipline()
    {
        static Agiddisc_t discipline{open, map, alloc, free, print, close, hear};
        return &discipline;
    }

private:
    static void* open(Agraph_t*, Agdisc_t*) { return new Numbers; }
    static void close(void* numbers) { delete static_cast<Numbers*>(numbers); }
    static long map(void* numbers, int, char* name, IDTYPE* number, int create)
    {
        return static_cast<Numbers*>(numbers)->find(name, *number, create != 0) ? 1 : 0;
    }
    static long alloc(void*, int, IDTYPE) { return 0; }  // nobody chooses a number
    static void free(void*, int, IDTYPE) {}
    static void hear(void*, int, void*) {}
    static char* print(void* numbers, int, IDTYPE number)
    {
        auto& names = static_cast<Numbers*>(numbers)->m_names;
        return number < names.size() && !names[number].empty() ? names[number].data() : nullptr;
    }

    bool find(const char* name, IDTYPE& number, bool create)
    {
        const std::string key = name ? name : "";
        if (const auto it = key.empty() ? m_numbers.end() : m_numbers.find(key); it != m_numbers.end()) {
            number = it->second;
            return true;
        }
        if (!create) return false;
        number = m_names.size();
        m_names.push_back(key);
        if (!key.empty()) m_numbers[key] = number;
        return true;
    }

    std::vector<std::string> m_names{""};
    std::map<std::string, IDTYPE> m_numbers;
};

Agraph_t* openGraph()
{
    static Agdisc_t disciplines{&AgMemDisc, Numbers::discipline(), &AgIoDisc};
    return agopen(c("network"), Agdirected, &disciplines);
}

struct Closer {
    void operator()(Agraph_t* graph) const
    {
        gvFreeLayout(context(), graph);
        agclose(graph);
    }
};

class Job {
public:
    explicit Job(Drawing& drawing) : m_drawing(drawing), m_graph(openGraph()) {}

    bool run()
    {
        setOptions();
        addFrames();
        addBoxes();
        const std::vector<bool> main = onLongestPath(m_drawing);
        const std::vector<bool> left = isEasy() ? std::vector<bool>(m_drawing.wires.size(), false) : longShortcuts(m_drawing, kLongWire);
        for (std::size_t i = 0; i < m_drawing.wires.size(); ++i) {
            if (left[i]) continue;  // led around the boxes when they have their places
            const Wire& wire = m_drawing.wires[i];
            Agedge_t* edge = agedge(m_graph.get(), m_nodes[static_cast<std::size_t>(wire.from)], m_nodes[static_cast<std::size_t>(wire.to)], nullptr, 1);
            // The longest path goes straight down, branches lie beside it.
            agsafeset(edge, c("weight"), c(main[i] ? "24" : "1"), c("1"));
        }
        if (gvLayout(context(), m_graph.get(), "dot") != 0) return false;
        readPlaces();
        return true;
    }

private:
    void setOptions()
    {
        // Wires are drawn by us, so none are routed. Boxes get their ranks from all wires at once: from group to group,
        // as dot has it by default, wires may point upwards.
        for (const auto& [name, value] : {std::pair{"splines", "none"}, {"newrank", "true"}, {"rankdir", "TB"}, {"ranksep", "0.36"}, {"nodesep", "0.42"}})
            set(m_graph.get(), name, value);
        if (isEasy()) return;
        // Without these limits a dense block takes nine seconds; with them long chains drift sideways.
        for (const auto& [name, value] : {std::pair{"nslimit", "1"}, {"nslimit1", "1"}, {"mclimit", "0.05"}}) set(m_graph.get(), name, value);
    }

    bool isEasy() const { return m_drawing.boxes.size() + m_drawing.wires.size() < kEasy; }

    void addFrames()
    {
        for (const Frame& frame : m_drawing.frames) {
            Agraph_t* parent = frame.parent < 0 ? m_graph.get() : m_clusters[static_cast<std::size_t>(frame.parent)];
            const std::string name = "cluster" + std::to_string(m_clusters.size());
            Agraph_t* cluster = agsubg(parent, c(name.c_str()), 1);
            set(cluster, "margin", std::to_string(kClusterMargin));
            // A label that nobody sees makes room for the frame's header.
            set(cluster, "label", " ");
            set(cluster, "fontsize", "8");
            m_clusters.push_back(cluster);
        }
    }

    void addBoxes()
    {
        for (const Box& box : m_drawing.boxes) {
            const std::string name = std::to_string(m_nodes.size());
            Agnode_t* node = agnode(m_graph.get(), c(name.c_str()), 1);
            if (box.frame >= 0) agsubnode(m_clusters[static_cast<std::size_t>(box.frame)], node, 1);
            set(node, "shape", "box");
            set(node, "fixedsize", "true");
            set(node, "label", "");
            set(node, "width", std::to_string(box.rect.width() / kPointsPerInch));
            set(node, "height", std::to_string(box.rect.height() / kPointsPerInch));
            m_nodes.push_back(node);
        }
    }

    void readPlaces()
    {
        for (std::size_t i = 0; i < m_nodes.size(); ++i) {
            const pointf at = ND_coord(m_nodes[i]);
            m_drawing.boxes[i].rect.moveCenter({at.x, -at.y});
        }
        for (std::size_t i = 0; i < m_clusters.size(); ++i) {
            const boxf box = GD_bb(m_clusters[i]);
            m_drawing.frames[i].rect = QRectF(QPointF(box.LL.x, -box.UR.y), QPointF(box.UR.x, -box.LL.y));
        }
    }

    Drawing& m_drawing;
    std::unique_ptr<Agraph_t, Closer> m_graph;
    std::vector<Agnode_t*> m_nodes;
    std::vector<Agraph_t*> m_clusters;
};

}  // namespace

bool layOutWithGraphviz(Drawing& drawing)
{
    const std::scoped_lock lock(graphvizMutex());
    return Job(drawing).run();
}

}  // namespace fovea::studio
