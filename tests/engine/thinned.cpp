#include "tests/engine/thinned.h"

#include "core/analysis/report.h"
#include "core/ops/registry.h"

#include <algorithm>
#include <numeric>

namespace fovea::test {

namespace {

// Channels become a multiple of `multiple`, so that shuffles and splits still divide them.
struct Scheme {
    std::int64_t divisor, multiple;
    std::int64_t fewer(std::int64_t channels) const
    {
        const std::int64_t step = divisor * multiple;
        return std::max<std::int64_t>(1, (channels + step - 1) / step) * multiple;
    }
};

std::vector<Value> valuesOf(const Prepared& prepared)
{
    std::vector<Issue> issues;
    return inferShapes(prepared, issues);
}

Shape inputShape(const Prepared& prepared, const std::vector<Value>& values, NodeId id)
{
    const auto& entry = prepared.entries[static_cast<std::size_t>(prepared.entryOf(id))];
    const std::int32_t source = prepared.sources[entry.firstInput];
    return source < 0 ? Shape{} : values[static_cast<std::size_t>(source)].shape;
}

std::int64_t channelsOf(const Shape& shape) { return shape.rank() > 1 ? shape[1] : kUnknown; }

void thinConvolution(Node& node, std::int64_t oldIn, std::int64_t newIn, const Scheme& scheme)
{
    const std::int64_t out = node.attrs.getInt("out_channels", 1), groups = node.attrs.getInt("groups", 1);
    node.attrs.set("in_channels", std::int64_t{0});
    if (groups > 1 && groups == oldIn) {  // depthwise, with its multiplier
        node.attrs.set("out_channels", newIn * (out / oldIn));
        node.attrs.set("groups", newIn);
        return;
    }
    node.attrs.set("out_channels", scheme.fewer(out));
    node.attrs.set("groups", std::gcd(groups, std::gcd(newIn, scheme.fewer(out))));
}

// Channels added before and behind, as a shortcut without weights has them.
void thinPadding(Node& node, std::int64_t oldIn, std::int64_t newIn, const Scheme& scheme)
{
    const std::int64_t added = node.attrs.at("channel_padding", 0, 0) + node.attrs.at("channel_padding", 1, 0);
    if (added == 0) return;
    const std::int64_t wanted = scheme.fewer(oldIn + added) - newIn;
    node.attrs.set("channel_padding", Ints{wanted / 2, wanted - wanted / 2});
}

// A learned scale of [c, 1, 1] follows the dimensions that it is laid on.
void thinOperand(Node& node, const Shape& in)
{
    Ints shape = *node.attrs.getInts("other_shape");
    const int shift = in.rank() - static_cast<int>(shape.size());
    for (std::size_t i = 0; i < shape.size(); ++i)
        if (shape[i] > 1 && static_cast<int>(i) + shift >= 0) shape[i] = in[static_cast<int>(i) + shift];
    node.attrs.set("other_shape", shape);
}

// Per position it is a 1x1 convolution; on a vector it is a head.
void thinLinear(Node& node, const Shape& in, const Scheme& scheme)
{
    node.attrs.set("in_features", std::int64_t{0});
    if (in.rank() > 2) node.attrs.set("out_features", scheme.fewer(node.attrs.getInt("out_features", 1)));
}

Graph thinnedBy(const Graph& graph, const Scheme& scheme, Graph out)
{
    const Prepared before = prepare(graph);
    const std::vector<Value> old = valuesOf(before);
    for (const NodeId id : executionOrder(graph)) {
        const Node& node = graph.at(id);
        const bool convolution = node.kind == "Conv2d" || node.kind == "ConvTranspose2d",
                   linear = node.kind == "Linear";
        const bool padding = node.kind == "ZeroPad2d" && node.attrs.has("channel_padding"),
                   operand = node.attrs.getInts("other_shape") != nullptr;
        if (!convolution && !linear && !padding && !operand) continue;
        // Shapes change as layers do, so each layer asks again: quadratic, but these networks are small.
        const Prepared now = prepare(out);
        const Shape was = inputShape(before, old, id), is = inputShape(now, valuesOf(now), id);
        out.update(id, [&](Node& edited) {
            if (convolution) thinConvolution(edited, channelsOf(was), channelsOf(is), scheme);
            else if (operand) thinOperand(edited, is);
            else if (padding) thinPadding(edited, channelsOf(was), channelsOf(is), scheme);
            else thinLinear(edited, is, scheme);
        });
    }
    return out;
}

bool isBroken(const Graph& graph)
{
    std::vector<Issue> issues;
    inferShapes(prepare(graph), issues);
    return std::any_of(issues.begin(), issues.end(), [](const Issue& issue) {
        return issue.code == "shape-mismatch" || issue.code == "groups-mismatch";
    });
}

}  // namespace

Graph thinned(const Graph& graph, std::int64_t height, std::int64_t width)
{
    const Graph sized = withSide(graph, height, width);
    // The second keeps the proportions of networks whose cells join halves (NASNet: 11, 22, 44, ...).
    for (const Scheme& scheme : {Scheme{32, 4}, Scheme{11, 1}})
        if (Graph out = thinnedBy(graph, scheme, sized); !isBroken(out)) return out;
    return sized;
}

}  // namespace fovea::test
