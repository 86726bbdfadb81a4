#include "tests/engine/random_graph.h"

#include "core/ops/registry.h"

#include <algorithm>
#include <random>

namespace fovea::test {

namespace {

class Maker {
public:
    explicit Maker(std::uint64_t seed) : m_random(seed) {}

    Graph make()
    {
        Node input = makeNode("Input", "input");
        input.attrs.set("shape", Ints{1, 2, 28 + upTo(24), 24 + upTo(24)});
        NodeId at = m_graph.add(std::move(input));
        at = conv(at, true);
        const std::int64_t blocks = 2 + upTo(4);
        for (std::int64_t i = 0; i < blocks; ++i) at = upTo(2) == 0 ? branches(at) : step(at);
        m_graph.setOutputs({{"out", {at, 0}}});
        return std::move(m_graph);
    }

private:
    std::int64_t upTo(std::int64_t last)
    {
        return static_cast<std::int64_t>(m_random() % static_cast<std::uint64_t>(last + 1));
    }
    Ints pair(std::int64_t low, std::int64_t high) { return {low + upTo(high - low), low + upTo(high - low)}; }
    Ints sides(std::int64_t high) { return {upTo(high), upTo(high), upTo(high), upTo(high)}; }

    Shape shapeOf(NodeId id) const
    {
        const Prepared prepared = prepare(m_graph);
        std::vector<Issue> issues;
        const std::vector<Value> values = inferShapes(prepared, issues);
        return values[prepared.entries[static_cast<std::size_t>(prepared.entryOf(id))].firstOutput].shape;
    }

    // Adds the layer where it fits and leaves a map of a sensible size, else nothing.
    NodeId tried(Node node, NodeId from)
    {
        const Graph before = m_graph;
        const NodeId id = m_graph.add(std::move(node));
        const Shape shape = shapeOf(id);
        if (shape.isComplete() && shape.rank() == 4 && shape[2] >= 2 && shape[3] >= 2 && shape[2] <= 120 &&
            shape[3] <= 120)
            return id;
        m_graph = before;
        return from;
    }

    Node window(const char* kind, NodeId from, bool mayStride)
    {
        Node node = makeNode(kind, {}, {{from, 0}});
        node.attrs.set("kernel_size", pair(1, 5));
        node.attrs.set("stride", mayStride ? pair(1, 3) : Ints{1, 1});
        node.attrs.set("padding", sides(2));
        return node;
    }

    NodeId conv(NodeId from, bool mayStride)
    {
        Node node = window("Conv2d", from, mayStride);
        node.attrs.set("dilation", pair(1, 3));
        node.attrs.set("out_channels", std::int64_t{4});
        if (shapeOf(from)[1] == 4) node.attrs.set("groups", std::int64_t{1} << upTo(2));
        return tried(std::move(node), from);
    }

    NodeId pool(NodeId from)
    {
        Node node = window(upTo(1) ? "MaxPool2d" : "AvgPool2d", from, true);
        if (node.kind == "MaxPool2d") node.attrs.set("dilation", pair(1, 2));
        node.attrs.set("ceil_mode", upTo(1) == 1);
        return tried(std::move(node), from);
    }

    NodeId transposed(NodeId from)
    {
        Node node = window("ConvTranspose2d", from, true);
        node.attrs.set("dilation", pair(1, 2));
        node.attrs.set("out_channels", std::int64_t{4});
        return tried(std::move(node), from);
    }

    NodeId resample(NodeId from)
    {
        const bool shuffle = upTo(2) == 0 && shapeOf(from)[1] % 4 == 0;
        Node node = makeNode(shuffle ? "PixelShuffle" : "Upsample", {}, {{from, 0}});
        if (!shuffle) {
            static const char* const kModes[] = {"nearest", "bilinear", "bicubic"};
            node.attrs.set("scale_factor", pair(1, 4));
            node.attrs.set("scale_divisor", pair(1, 3));
            node.attrs.set("mode", std::string(kModes[upTo(2)]));
        }
        return tried(std::move(node), from);
    }

    NodeId crop(NodeId from)
    {
        const Shape shape = shapeOf(from);
        Node node = makeNode("Slice", {}, {{from, 0}});
        node.attrs.set("dim", Ints{2, 3});
        node.attrs.set("start", Ints{upTo(shape[2] / 3), upTo(shape[3] / 3)});
        node.attrs.set("end", Ints{shape[2] - upTo(shape[2] / 4), shape[3] - upTo(shape[3] / 4)});
        node.attrs.set("step", pair(1, 2));
        return tried(std::move(node), from);
    }

    NodeId padded(NodeId from)
    {
        Node node = makeNode("ZeroPad2d", {}, {{from, 0}});
        node.attrs.set("padding", Ints{upTo(5) - 2, upTo(5) - 2, upTo(5) - 2, upTo(5) - 2});
        return tried(std::move(node), from);
    }

    NodeId step(NodeId from)
    {
        switch (upTo(7)) {
        case 0: return pool(from);
        case 1: return transposed(from);
        case 2: return resample(from);
        case 3: return crop(from);
        case 4: return padded(from);
        default: return conv(from, true);
        }
    }

    // Two paths that end with the smaller map's size: the larger one is cropped at a random offset.
    NodeId branches(NodeId from)
    {
        const NodeId a = step(conv(from, false)), b = upTo(3) == 0 ? from : conv(conv(from, false), false);
        const Shape sa = shapeOf(a), sb = shapeOf(b);
        const std::int64_t h = std::min(sa[2], sb[2]), w = std::min(sa[3], sb[3]);
        const NodeId left = cropTo(a, h, w), right = cropTo(b, h, w);
        if (left == right) return left;
        const bool sameChannels = shapeOf(left)[1] == shapeOf(right)[1];
        Node node = makeNode(sameChannels && upTo(1) ? "Add" : "Concat", {}, {{left, 0}, {right, 0}});
        return m_graph.add(std::move(node));
    }

    NodeId cropTo(NodeId from, std::int64_t h, std::int64_t w)
    {
        const Shape shape = shapeOf(from);
        if (shape[2] == h && shape[3] == w) return from;
        const std::int64_t top = upTo(shape[2] - h), left = upTo(shape[3] - w);
        Node node = makeNode("Slice", {}, {{from, 0}});
        node.attrs.set("dim", Ints{2, 3});
        node.attrs.set("start", Ints{top, left});
        node.attrs.set("end", Ints{top + h, left + w});
        node.attrs.set("step", Ints{1, 1});
        return m_graph.add(std::move(node));
    }

    std::mt19937_64 m_random;
    Graph m_graph;
};

}  // namespace

Graph randomGraph(std::uint64_t seed) { return Maker(seed).make(); }

}  // namespace fovea::test
