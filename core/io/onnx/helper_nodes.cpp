#include "core/io/onnx/helper_nodes.h"

#include <algorithm>

namespace fovea {

onnx::NodeProto parseNode(const std::string& bytes)
{
    onnx::NodeProto node;
    if (!node.ParseFromString(bytes)) throw Error(ErrorCode::Format, "A layer's original ONNX node is damaged.");
    return node;
}

HelperNodes::HelperNodes(const Model& model, ModelWriter& writer) : m_model(model), m_writer(writer)
{
    for (std::size_t i = 0; model.onnx && i < model.onnx->nodes.size(); ++i) {
        // A table that nodes compute is a layer where maps read it, and yet others may compute with it.
        const Node* layer = model.onnx->nodes[i].layer == kNoNode ? nullptr : model.graph.find(model.onnx->nodes[i].layer);
        if (model.onnx->nodes[i].layer != kNoNode && (!layer || layer->kind != "Constant")) continue;
        const onnx::NodeProto node = parseNode(model.onnx->nodes[i].bytes);
        for (const std::string& name : node.output()) m_nodes[name] = i;
        writer.uniqueNodeName(node.name());
    }
}

void HelperNodes::setWritten(const std::string& name)
{
    m_written.insert(name);
    m_writer.reserveValue(name);
}

std::optional<std::string> HelperNodes::value(const std::string& name)
{
    if (name.empty() || m_written.contains(name)) return name;
    const auto made = m_nodes.find(name);
    // A tensor that a node of the file makes is written by that node, unless a layer was given it as a tensor.
    if (const Tensor* tensor = m_model.weights.find(name);
        tensor && (made == m_nodes.end() || m_writer.hasInitializer(name)))
        return m_writer.addInitializer(name, *tensor);
    if (skeletonHas(name)) return name;
    if (made == m_nodes.end()) return std::nullopt;
    onnx::NodeProto node = parseNode(m_model.onnx->nodes[made->second].bytes);
    for (std::string& input : *node.mutable_input()) {
        const auto read = value(input);
        if (!read) return std::nullopt;
        input = *read;
    }
    // What it makes beside may be a tensor by now, which a layer was given.
    for (std::string& output : *node.mutable_output())
        if (output != name && m_writer.hasInitializer(output))
            for (int i = 0; m_writer.hasInitializer(output) || m_written.contains(output) || m_nodes.contains(output); ++i) output += "_" + std::to_string(i);
    m_writer.addNode(node.SerializeAsString());
    for (const std::string& output : node.output()) setWritten(output);
    return name;
}

std::optional<std::string> HelperNodes::tensor(const std::string& name)
{
    std::set<std::string> seen;
    if (!m_nodes.contains(name) || readsAnotherMap(name, true, {}, seen)) return std::nullopt;
    return value(name);
}

bool HelperNodes::readsAnotherMap(const std::string& name, bool sizesBaked, const Renamed& renamed,
                                  std::set<std::string>& seen) const
{
    if (!seen.insert(name).second) return false;
    if (const auto now = renamed.find(name); now != renamed.end()) return now->second != name;
    if (const auto map = m_maps.find(name); map != m_maps.end()) return sizesBaked && !map->second;
    const auto made = m_nodes.find(name);
    if (made == m_nodes.end()) return false;
    const onnx::NodeProto node = parseNode(m_model.onnx->nodes[made->second].bytes);
    return std::any_of(node.input().begin(), node.input().end(),
                       [&](const std::string& input) { return readsAnotherMap(input, sizesBaked, renamed, seen); });
}

bool HelperNodes::skeletonHas(const std::string& name) const
{
    const auto& tensors = m_writer.skeleton().graph().initializer();
    return std::any_of(tensors.begin(), tensors.end(), [&](const auto& tensor) { return tensor.name() == name; });
}

}  // namespace fovea
