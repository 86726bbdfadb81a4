#include "core/io/onnx/draft.h"
#include "core/io/onnx/names.h"
#include "core/ops/registry.h"

#include <algorithm>

namespace fovea {

namespace {

class DraftRewriter : public Rewriter {
public:
    explicit DraftRewriter(Draft& draft) : m_draft(draft), m_readers(draft.layers.size() + 1)
    {
        for (const DraftLayer& layer : draft.layers)
            for (const Port& port : layer.node.inputs)
                if (port.node != kNoNode) ++m_readers[static_cast<std::size_t>(port.node)];
        for (const GraphOutput& output : draft.outputs)
            if (output.port.node != kNoNode) ++m_readers[static_cast<std::size_t>(output.port.node)];
    }

    const Node* producer(const Node& node, std::size_t input, bool onlyHere) const override
    {
        if (input >= node.inputs.size() || node.inputs[input].node == kNoNode) return nullptr;
        const Node& from = m_draft.layer(node.inputs[input].node).node;
        return onlyHere && readers(from) != 1 ? nullptr : &from;
    }

    std::size_t readers(const Node& node) const override { return m_readers[static_cast<std::size_t>(node.id)]; }

    const Value& value(Port port) const override
    {
        static const Value unknown;
        if (port.node == kNoNode) return unknown;
        const auto& out = m_draft.layer(port.node).out;
        return port.output < static_cast<int>(out.size()) ? out[static_cast<std::size_t>(port.output)] : unknown;
    }

    const Tensor* boundTensor(const Node& node, std::string_view role) const override
    {
        const TensorBinding* binding = node.tensor(role);
        const auto it = binding ? m_draft.tensors.find(binding->tensor) : m_draft.tensors.end();
        return it == m_draft.tensors.end() ? nullptr : &it->second;
    }

    void replace(const Node& last, Node node, std::vector<NodeId> absorbed) override
    {
        DraftLayer& target = m_draft.layer(last.id);
        DraftLayer merged;
        merged.node = makeNode(node.kind);
        for (const auto& [name, value] : node.attrs.entries()) merged.node.attrs.set(name, value);
        merged.node.tensors = std::move(node.tensors);
        merged.node.inputs = std::move(node.inputs);
        merged.node.id = last.id;
        merged.outputNames = target.outputNames;
        merged.out = target.out;
        std::vector<std::string> names;
        for (const NodeId id : absorbed) {
            DraftLayer& part = m_draft.layer(id);
            merged.fileNodes.insert(merged.fileNodes.end(), part.fileNodes.begin(), part.fileNodes.end());
            merged.sizesBaked = merged.sizesBaked || part.sizesBaked;
            std::move(part.notes.begin(), part.notes.end(), std::back_inserter(merged.notes));
            names.push_back(part.node.name);
            for (const Port& port : part.node.inputs)
                if (port.node != kNoNode) --m_readers[static_cast<std::size_t>(port.node)];
            part.absorbed = true;
        }
        std::sort(merged.fileNodes.begin(), merged.fileNodes.end());
        for (const Port& port : merged.node.inputs) {
            const DraftLayer& from = m_draft.layer(port.node);
            merged.inputNames.push_back(from.outputNames[static_cast<std::size_t>(port.output)]);
            merged.in.push_back(value(port));
            ++m_readers[static_cast<std::size_t>(port.node)];
        }
        merged.node.name = nameOf(names, last, merged.node.kind);
        target = std::move(merged);
    }

private:
    // The file has no name for what several nodes are; their common scope and the kind say it best.
    static std::string nameOf(const std::vector<std::string>& names, const Node& last, const std::string& kind)
    {
        const std::size_t slash = last.name.rfind('/');
        if (slash == std::string::npos) return last.name;
        const std::string scope = last.name.substr(0, slash);
        const bool shared = std::all_of(names.begin(), names.end(), [&](const std::string& name) { return name.starts_with(scope + "/"); });
        return shared ? scope + "/" + kind : last.name;
    }

    Draft& m_draft;
    std::vector<std::size_t> m_readers;
};

}  // namespace

void fusePatterns(Draft& draft)
{
    std::vector<const OpDef*> fusing;
    for (const OpDef* op : allOps())
        if (op->onnx.fuse) fusing.push_back(op);
    DraftRewriter rewriter(draft);
    for (std::size_t i = 0; i < draft.layers.size(); ++i) {
        if (draft.layers[i].absorbed) continue;
        // A layer that was just recognised may be the end of a larger pattern.
        for (int round = 0; round < 4; ++round) {
            const Node last = draft.layers[i].node;
            const bool changed = std::any_of(fusing.begin(), fusing.end(), [&](const OpDef* op) { return op->onnx.fuse(rewriter, last); });
            if (!changed) break;
        }
    }
}

}  // namespace fovea
