#include "core/io/onnx/value_names.h"

#include <unordered_map>

namespace fovea {

namespace {

// `wanted`, with a number where it is taken.
std::string uniqueName(const std::string& wanted, const std::set<std::string>& taken)
{
    std::string name = wanted;
    for (int i = 1; taken.contains(name); ++i) name = wanted + "_" + std::to_string(i);
    return name;
}

class Namer {
public:
    Namer(const Model& model, const Prepared& graph, const onnx::ModelProto& skeleton) : m_model(model)
    {
        for (const auto& [name, tensor] : model.weights.tensors()) m_taken.insert(name);
        for (const auto& entry : graph.entries)
            if (entry.node->origin)
                for (const std::string& name : entry.node->origin->outputNames) m_taken.insert(name);
        m_original = m_taken;
        for (const auto& output : skeleton.graph().output()) m_original.insert(output.name());
        for (const GraphOutput& output : model.graph.outputs()) {
            if (output.port.output == 0) m_outputs.emplace(output.port.node, output.name);
            m_promised.emplace(output.name, output.port.node);
        }
    }

    std::string nameOf(const Prepared::Entry& entry, std::uint32_t output)
    {
        std::string name = chosen(entry, output);
        m_taken.insert(name);
        m_used.insert(name);
        return name;
    }

    std::set<std::string> taken() && { return std::move(m_taken); }

private:
    std::string chosen(const Prepared::Entry& entry, std::uint32_t output) const
    {
        const Node& node = *entry.node;
        if (entry.op->opClass == OpClass::Input) return node.name;
        const auto out = output == 0 ? m_outputs.find(node.id) : m_outputs.end();
        const bool givesOutput = out != m_outputs.end() && mayTake(out->second);
        // Another layer's value, which may be gone, was the output in the file.
        if (givesOutput && m_original.contains(out->second) && entry.op->opClass != OpClass::Opaque) return out->second;
        if (node.origin && output < node.origin->outputNames.size() &&
            mayKeep(node.origin->outputNames[output], node.id))
            return node.origin->outputNames[output];
        if (givesOutput) return out->second;
        return uniqueName(node.name + "_output_" + std::to_string(output), m_taken);
    }

    bool mayKeep(const std::string& name, NodeId layer) const
    {
        const auto owner = m_promised.find(name);
        return !m_used.contains(name) && (owner == m_promised.end() || owner->second == layer);
    }

    bool mayTake(const std::string& name) const { return !m_used.contains(name) && !m_model.weights.find(name); }

    const Model& m_model;
    std::set<std::string> m_taken, m_used;
    std::set<std::string> m_original;  // in the file
    std::unordered_map<NodeId, std::string> m_outputs;
    std::unordered_map<std::string, NodeId> m_promised;  // outputs of the network
};

}  // namespace

ValueNames nameValues(const Model& model, const Prepared& graph, const onnx::ModelProto& skeleton)
{
    ValueNames out;
    Namer namer(model, graph, skeleton);
    for (const Prepared::Entry& entry : graph.entries) {
        std::vector<std::string>& names = out.names.emplace_back();
        for (std::uint32_t i = 0; i < entry.outputCount; ++i) names.push_back(namer.nameOf(entry, i));
    }
    out.taken = std::move(namer).taken();
    return out;
}

}  // namespace fovea
