#include "core/ops/classifier.h"

#include "core/graph/first_image.h"
#include "core/graph/names.h"
#include "core/ops/registry.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

namespace fovea {

namespace {

template <std::size_t Count>
bool isOneOf(const std::string& kind, const std::array<std::string_view, Count>& kinds)
{
    return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

constexpr std::array<std::string_view, 3> kLast{"Softmax", "LogSoftmax", "Identity"};
// Keep one channel a class, in the same order.
constexpr std::array<std::string_view, 10> kKeeping{"Flatten",  "Reshape",  "Squeeze", "Unsqueeze",
                                                    "Identity", "Dropout",  "ReLU",    "AdaptiveAvgPool2d",
                                                    "Mean",     "AvgPool2d"};

std::int64_t classesOf(const Shape& shape)
{
    const bool flat = shape.rank() == 2;
    const bool pooled = shape.rank() == 4 && shape.dims()[2] == 1 && shape.dims()[3] == 1;
    return flat || pooled ? std::max<std::int64_t>(shape.dims()[1], 0) : 0;
}

const char* sizeAttribute(const Node& node)
{
    if (node.kind == "Linear") return "out_features";
    if (node.kind == "Conv2d" && attrInt(node, "groups", 1) == 1) return "out_channels";
    return nullptr;
}

NodeId sizedLayer(const Graph& graph, Port port, std::int64_t classes)
{
    for (const Node* node = graph.find(port.node); node; node = graph.find(node->inputs[0].node)) {
        if (const char* attribute = sizeAttribute(*node))
            return attrInt(*node, attribute) == classes ? node->id : kNoNode;
        if (!isOneOf(node->kind, kKeeping) || node->inputs.empty()) return kNoNode;
    }
    return kNoNode;
}

// The inputs, beside the image, of what is computed there; "'a'", in the graph's order.
std::vector<std::string> inputsBeside(const Graph& graph, const Node& image, NodeId layer)
{
    std::set<NodeId> seen{layer};
    std::vector<NodeId> open{layer};
    while (!open.empty()) {
        const Node* node = graph.find(open.back());
        open.pop_back();
        if (!node) continue;
        for (const Port& port : node->inputs)
            if (seen.insert(port.node).second) open.push_back(port.node);
    }
    std::vector<std::string> out;
    for (const auto& node : graph.nodes())
        if (node->kind == "Input" && node->id != image.id && seen.contains(node->id)) out.push_back("'" + node->name + "'");
    return out;
}

void refuseOtherInputs(const Graph& graph, const Classifier& classifier)
{
    const Node* image = firstImage(graph);
    if (!image) throw Error(ErrorCode::Usage, "The network has no image input (NxCxHxW).");
    const std::vector<std::string> others = inputsBeside(graph, *image, classifier.logits.node);
    if (others.empty()) return;
    throw Error(ErrorCode::Usage, "The network reads " + firstNames(others) + " beside the image '" + image->name +
                                      "', and labelled images give one input: it cannot be trained, evaluated, probed or recalibrated on them.");
}

}  // namespace

std::optional<Classifier> classifierOf(const Graph& graph)
{
    const Prepared prepared = prepare(graph);
    std::vector<Issue> issues;
    const std::vector<Value> values = inferShapes(prepared, issues);
    for (const GraphOutput& output : graph.outputs()) {
        Port port = output.port;
        for (const Node* node = graph.find(port.node); node && isOneOf(node->kind, kLast) && !node->inputs.empty();
             node = graph.find(port.node))
            port = node->inputs[0];
        const std::int32_t entry = prepared.entryOf(port.node);
        if (entry < 0) continue;
        const std::size_t value =
            prepared.entries[static_cast<std::size_t>(entry)].firstOutput + static_cast<std::size_t>(port.output);
        const std::int64_t classes = classesOf(values[value].shape);
        if (classes > 0) return Classifier{output.name, port, classes, sizedLayer(graph, port, classes)};
    }
    return std::nullopt;
}

Classifier classifierIn(const Graph& graph)
{
    if (const auto found = classifierOf(graph)) {
        refuseOtherInputs(graph, *found);
        return *found;
    }
    std::vector<Issue> issues;
    inferShapes(prepare(graph), issues);
    for (const Issue& issue : issues)
        if (issue.severity == Severity::Error)
            throw Error(ErrorCode::Usage, "The network cannot be trained or evaluated at this input size: layer '" + issue.layer + "': " + issue.message);
    throw Error(ErrorCode::Usage, "The network has no classifier: none of its outputs has the shape [N, classes], so it cannot be "
                                  "trained or evaluated on labelled images.");
}

Graph withClasses(Graph graph, std::int64_t classes, std::vector<std::string>* fresh)
{
    const Classifier classifier = classifierIn(graph);
    if (classifier.classes == classes) return graph;
    const Node* layer = graph.find(classifier.layer);
    if (!layer)
        throw Error(ErrorCode::Usage,
                    "The network tells " + std::to_string(classifier.classes) + " classes apart and the images have " +
                        std::to_string(classes) +
                        ", but its last layer is no plain Linear or Conv2d that could be given another size.");
    if (fresh)
        for (const char* role : {"weight", "bias"}) fresh->push_back(layer->tensorName(role));
    const char* attribute = sizeAttribute(*layer);
    graph.update(layer->id, [&](Node& node) { node.attrs.set(attribute, classes); });
    return graph;
}

}  // namespace fovea
