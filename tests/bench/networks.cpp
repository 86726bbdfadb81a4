#include "tests/bench/networks.h"

#include "core/ops/registry.h"

namespace fovea::bench {

namespace {

constexpr std::int64_t kChannels = 16;

class ChainBuilder {
public:
    explicit ChainBuilder(std::int64_t layers) : m_layers(layers)
    {
        Node image = makeNode("Input", "input");
        image.attrs.set("shape", Ints{1, 3, 224, 224});
        m_last = place(std::move(image));
    }

    Graph build()
    {
        for (std::int64_t triple = 0; m_placed <= m_layers; ++triple) addTriple(triple % 3 == 2);
        m_graph.setOutputs({{"output", {m_last, 0}}});
        return std::move(m_graph);
    }

private:
    // Ids are given, as readers of files do: Graph::add would look for every name among all others.
    NodeId place(Node node)
    {
        node.id = ++m_placed;
        node.name += std::to_string(node.id);
        m_graph.insert(std::move(node));
        return m_placed;
    }

    void append(const char* kind, std::vector<Port> inputs, bool isConvolution = false)
    {
        if (m_placed > m_layers) return;
        Node node = makeNode(kind, kind, std::move(inputs));
        if (isConvolution) {
            node.attrs.set("out_channels", kChannels);
            node.attrs.set("kernel_size", Ints{3, 3});
            node.attrs.set("padding", Ints{1, 1, 1, 1});
        }
        m_last = place(std::move(node));
    }

    void addTriple(bool skips)
    {
        const Port start{m_last, 0};
        append("Conv2d", {start}, true);
        append("BatchNorm2d", {{m_last, 0}});
        if (skips) append("Add", {{m_last, 0}, start});
        else append("ReLU", {{m_last, 0}});
    }

    std::int64_t m_layers, m_placed = 0;
    NodeId m_last = kNoNode;
    Graph m_graph;
};

}  // namespace

Graph chain(std::int64_t layers) { return ChainBuilder(layers).build(); }

}  // namespace fovea::bench
