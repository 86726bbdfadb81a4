#include "core/base/checked.h"
#include "core/io/onnx/layer_writer.h"
#include "core/io/onnx/metadata.h"
#include "core/io/onnx/model_writer.h"
#include "core/io/onnx/onnx.h"
#include "core/io/onnx/order.h"
#include "core/ops/registry.h"
#include "core/weights/weights.h"

#include <algorithm>
#include <set>
#include <unordered_map>

namespace fovea {

namespace {

constexpr std::int64_t kOpset = 17;
constexpr std::uint64_t kExternalAbove = 1'900'000'000;

onnx::NodeProto parseNode(const std::string& bytes)
{
    onnx::NodeProto node;
    if (!node.ParseFromString(bytes)) throw Error(ErrorCode::Format, "A layer's original ONNX node is damaged.");
    return node;
}

std::int64_t opsetOf(const onnx::ModelProto& model)
{
    for (const auto& import : model.opset_import())
        if (import.domain().empty() || import.domain() == "ai.onnx") return import.version();
    return 0;
}

class Exporter {
public:
    Exporter(const Model& model, const OnnxWriteOptions& options)
        : m_model(model), m_options(options), m_graph(prepare(model.graph)), m_values(inferShapes(m_graph, m_issues)), m_writer(skeleton())
    {
        if (!m_graph.cyclic.empty()) throw Error(ErrorCode::Usage, "The network feeds itself; remove the cycle before exporting it.");
        nameValues();
        chooseKept();
    }

    std::vector<std::string> write(const std::filesystem::path& path)
    {
        if (writesOriginalList()) {
            for (const auto& node : m_model.onnx->nodes) m_writer.addNode(node.bytes);
            for (const std::string& name : m_model.onnx->initializers)
                if (const Tensor* tensor = m_model.weights.find(name)) m_writer.addInitializer(name, *tensor);
        } else {
            refuseWhatDoesNotFit();
            for (std::size_t i = 0; i < m_graph.entries.size(); ++i) writeLayer(i);
            writeOutputs();
        }
        m_writer.write(path, kExternalAbove);
        return m_fresh;
    }

private:
    // No program could run such a file; better said here than there.
    void refuseWhatDoesNotFit() const
    {
        for (const Issue& issue : m_issues)
            if (issue.severity == Severity::Error)
                throw Error(ErrorCode::Usage, "The network does not fit together at this input size, so it was not exported: '" + issue.layer + "': " + issue.message + " " + issue.hint);
    }

    bool isInput(std::size_t index) const { return m_graph.entries[index].op->opClass == OpClass::Input; }

    onnx::ModelProto skeleton()
    {
        onnx::ModelProto model;
        if (m_model.onnx) {
            if (!model.ParseFromString(m_model.onnx->skeleton)) throw Error(ErrorCode::Format, "What was kept of the original ONNX file is damaged.");
            m_opset = opsetOf(model);
            writePreprocessing(m_model.graph.preprocessing(), model);
            return model;
        }
        m_opset = kOpset;
        model.set_ir_version(8);
        model.set_producer_name("fovea");
        model.set_producer_version(FOVEA_VERSION);
        model.add_opset_import()->set_version(kOpset);
        model.mutable_graph()->set_name(m_model.graph.name().empty() ? "network" : m_model.graph.name());
        writePreprocessing(m_model.graph.preprocessing(), model);
        return model;
    }

    // The value name of every output of every layer: the file's where it came from one.
    void nameValues()
    {
        std::set<std::string> taken;
        for (const auto& [name, tensor] : m_model.weights.tensors()) taken.insert(name);
        for (const auto& entry : m_graph.entries)
            if (entry.node->origin)
                for (const std::string& name : entry.node->origin->outputNames) taken.insert(name);
        const std::set<std::string> original = taken;
        std::set<std::string> used;
        std::unordered_map<NodeId, std::string> outputNames;
        std::unordered_map<std::string, NodeId> promised;  // a network's output keeps its name, whoever makes it now
        for (const GraphOutput& output : m_model.graph.outputs()) {
            if (output.port.output == 0) outputNames.emplace(output.port.node, output.name);
            promised.emplace(output.name, output.port.node);
        }
        const auto mayKeep = [&](const std::string& name, NodeId layer) {
            const auto owner = promised.find(name);
            return !used.contains(name) && (owner == promised.end() || owner->second == layer);
        };
        const auto mayTake = [&](const std::string& name) { return !used.contains(name) && !m_model.weights.find(name); };
        for (const auto& entry : m_graph.entries) {
            std::vector<std::string> names;
            for (std::uint32_t i = 0; i < entry.outputCount; ++i) {
                const auto& origin = entry.node->origin;
                std::string name;
                const auto output = i == 0 ? outputNames.find(entry.node->id) : outputNames.end();
                // Another layer's value was the output in the file.
                const bool inherits = output != outputNames.end() && original.contains(output->second) && mayTake(output->second) &&
                                      entry.op->opClass != OpClass::Opaque;
                if (entry.op->opClass == OpClass::Input) name = entry.node->name;
                else if (inherits) name = output->second;
                else if (origin && i < origin->outputNames.size() && mayKeep(origin->outputNames[i], entry.node->id)) name = origin->outputNames[i];
                else if (output != outputNames.end() && mayTake(output->second)) name = output->second;
                else name = unique(entry.node->name + "_output_" + std::to_string(i), taken);
                taken.insert(name);
                used.insert(name);
                names.push_back(std::move(name));
            }
            m_names.push_back(std::move(names));
        }
        m_taken = std::move(taken);
    }

    static std::string unique(const std::string& wanted, const std::set<std::string>& taken)
    {
        std::string name = wanted;
        for (int i = 1; taken.contains(name); ++i) name = wanted + "_" + std::to_string(i);
        return name;
    }

    std::string nameOf(std::int32_t source) const
    {
        if (source < 0) return {};
        const auto at = std::upper_bound(m_graph.entries.begin(), m_graph.entries.end(), source,
                                         [](std::int32_t value, const Prepared::Entry& entry) { return value < static_cast<std::int32_t>(entry.firstOutput); });
        const auto index = static_cast<std::size_t>(at - m_graph.entries.begin()) - 1;
        return m_names[index][static_cast<std::size_t>(source) - m_graph.entries[index].firstOutput];
    }

    // In the file, a constant that became a layer goes by the name of its tensor.
    std::string originalNameOf(Port port, std::int32_t source) const
    {
        const Node* node = m_model.graph.find(port.node);
        const bool tensor = node && node->kind == "Constant" && !node->origin && !node->tensors.empty();
        return tensor ? node->tensors[0].tensor : nameOf(source);
    }

    std::span<const std::int32_t> sources(const Prepared::Entry& entry) const { return {m_graph.sources.data() + entry.firstInput, entry.inputCount}; }

    bool sameShapes(const Prepared::Entry& entry) const
    {
        const Origin& origin = *entry.node->origin;
        const auto from = sources(entry);
        for (std::size_t i = 0; i < from.size(); ++i)
            if (i >= origin.inputs.size() || from[i] < 0 || m_values[static_cast<std::size_t>(from[i])].shape != origin.inputs[i].shape) return false;
        for (std::uint32_t i = 0; i < entry.outputCount; ++i)
            if (i >= origin.outputs.size() || m_values[entry.firstOutput + i].shape != origin.outputs[i].shape) return false;
        return true;
    }

    // Whether its tensors are those that it needs now: more or fewer channels may reach it than in the file.
    bool sameTensors(const Prepared::Entry& entry) const
    {
        if (entry.node->tensors.empty()) return true;
        std::vector<Value> in;
        for (const std::int32_t from : sources(entry)) in.push_back(from < 0 ? Value{} : m_values[static_cast<std::size_t>(from)]);
        for (const NamedParam& param : paramsOf(*entry.node, in, std::span(m_values).subspan(entry.firstOutput, entry.outputCount))) {
            const Tensor* stored = m_model.weights.find(param.tensor);
            const auto needed = Shape(std::span<const std::int64_t>(param.spec.dims)).elements();
            if (stored && needed != kUnknown && stored->elements() != needed) return false;
        }
        return true;
    }

    // A layer keeps its original nodes where nobody edited it and their constants still hold.
    void chooseKept()
    {
        m_kept.assign(m_graph.entries.size(), false);
        for (std::size_t i = 0; i < m_graph.entries.size(); ++i) {
            const auto& entry = m_graph.entries[i];
            if (entry.op->opClass == OpClass::Opaque) {
                if (!entry.node->origin || !m_model.onnx)
                    throw Error(ErrorCode::Usage, "The layer '" + entry.node->name + "' is unknown to Fovea and its original node is gone, so it cannot be written.");
                m_kept[i] = true;
            } else if (m_options.useOrigin && m_model.onnx && entry.node->origin) {
                m_kept[i] = entry.node->origin->inputNames.size() == entry.inputCount && (!entry.node->origin->sizesBaked || sameShapes(entry)) &&
                             sameTensors(entry);
            }
            if (m_kept[i]) addInternalNames(*entry.node->origin);
        }
        if (!m_model.onnx) return;
        for (std::size_t i = 0; i < m_model.onnx->nodes.size(); ++i) {
            if (m_model.onnx->nodes[i].layer != kNoNode) continue;
            const onnx::NodeProto node = parseNode(m_model.onnx->nodes[i].bytes);
            for (const std::string& name : node.output()) m_helpers[name] = i;
            m_writer.uniqueNodeName(node.name());
        }
    }

    void addInternalNames(const Origin& origin)
    {
        for (const std::string& bytes : origin.nodes) {
            const onnx::NodeProto node = parseNode(bytes);
            m_taken.insert(node.output().begin(), node.output().end());
            m_writer.uniqueNodeName(node.name());
        }
    }

    // Nobody touched anything: the file's own list of nodes is right as it is.
    bool writesOriginalList() const
    {
        if (!m_options.useOrigin || !m_model.onnx) return false;
        std::set<NodeId> present;
        for (std::size_t i = 0; i < m_graph.entries.size(); ++i) {
            const auto& entry = m_graph.entries[i];
            present.insert(entry.node->id);
            if (isInput(i)) {
                if (!inputUnchanged(*entry.node)) return false;
                continue;
            }
            if (entry.node->kind == "Constant" && !entry.node->origin) continue;
            if (!m_kept[i]) return false;
            const auto from = sources(entry);
            for (std::size_t k = 0; k < from.size(); ++k)
                if (originalNameOf(entry.node->inputs[k], from[k]) != entry.node->origin->inputNames[k]) return false;
            for (std::size_t k = 0; k < entry.node->origin->outputNames.size() && k < m_names[i].size(); ++k)
                if (m_names[i][k] != entry.node->origin->outputNames[k]) return false;
        }
        for (const auto& node : m_model.onnx->nodes)
            if (node.layer != kNoNode && !present.contains(node.layer)) return false;
        return outputsUnchanged();
    }

    bool inputUnchanged(const Node& node) const
    {
        for (const auto& input : m_writer.skeleton().graph().input()) {
            if (input.name() != node.name) continue;
            const Ints* dims = node.attrs.getInts("shape");
            const auto& shape = input.type().tensor_type().shape();
            for (int i = 0; dims && i < shape.dim_size() && i < static_cast<int>(dims->size()); ++i)
                if (shape.dim(i).dim_value() > 0 && shape.dim(i).dim_value() != (*dims)[static_cast<std::size_t>(i)]) return false;
            return true;
        }
        return false;
    }

    bool outputsUnchanged() const
    {
        const auto& outputs = m_model.graph.outputs();
        if (static_cast<int>(outputs.size()) != m_writer.skeleton().graph().output_size()) return false;
        for (std::size_t i = 0; i < outputs.size(); ++i)
            if (m_writer.skeleton().graph().output(static_cast<int>(i)).name() != outputs[i].name) return false;
        return true;
    }

    void writeLayer(std::size_t index)
    {
        const auto& entry = m_graph.entries[index];
        if (isInput(index)) {
            writeInput(index);
        } else if (!(m_kept[index] && writeKept(index))) {
            if (entry.op->opClass == OpClass::Opaque)
                throw Error(ErrorCode::Usage, "The layer '" + entry.node->name + "' (" + entry.node->attrs.getText("onnx_op") +
                                                  ") is unknown to Fovea and reads something that the edited network no longer has.");
            writeRecord(index);
        }
        for (const std::string& name : m_names[index]) m_written.insert(name);
    }

    void writeInput(std::size_t index)
    {
        const Node& node = *m_graph.entries[index].node;
        onnx::ValueInfoProto* info = nullptr;
        for (auto& input : *m_writer.skeleton().mutable_graph()->mutable_input())
            if (input.name() == node.name) info = &input;
        if (!info) {
            info = m_writer.skeleton().mutable_graph()->add_input();
            info->set_name(node.name);
        }
        auto* type = info->mutable_type()->mutable_tensor_type();
        if (type->elem_type() == 0) type->set_elem_type(onnx::TensorProto::FLOAT);
        const Ints* dims = node.attrs.getInts("shape");
        for (std::size_t i = 0; dims && i < dims->size(); ++i) {
            auto* dim = static_cast<int>(i) < type->shape().dim_size() ? type->mutable_shape()->mutable_dim(static_cast<int>(i)) : type->mutable_shape()->add_dim();
            // A dimension that the file left open stays open.
            if (dim->has_dim_param() || (m_model.onnx && !dim->has_dim_value() && type->shape().dim_size() == static_cast<int>(dims->size()) && dim->value_case() != 0)) continue;
            dim->set_dim_value((*dims)[i]);
        }
    }

    // Nodes that compute sizes for a kept layer, in front of it. False where they read what is not there.
    bool writeHelper(const std::string& name)
    {
        if (name.empty() || m_written.contains(name)) return true;
        if (const Tensor* tensor = initializer(name)) {
            m_writer.addInitializer(name, *tensor);
            m_written.insert(name);
            return true;
        }
        if (skeletonHas(name)) return true;
        const auto helper = m_helpers.find(name);
        if (helper == m_helpers.end()) return false;
        const std::string& bytes = m_model.onnx->nodes[helper->second].bytes;
        const onnx::NodeProto node = parseNode(bytes);
        for (const std::string& input : node.input())
            if (!writeHelper(input)) return false;
        m_writer.addNode(bytes);
        for (const std::string& output : node.output()) m_written.insert(output);
        return true;
    }

    const Tensor* initializer(const std::string& name) const
    {
        // A tensor that a helper node makes is written by that node.
        return m_helpers.contains(name) ? nullptr : m_model.weights.find(name);
    }

    bool skeletonHas(const std::string& name) const
    {
        for (const auto& tensor : m_writer.skeleton().graph().initializer())
            if (tensor.name() == name) return true;
        return false;
    }

    bool writeKept(std::size_t index)
    {
        const auto& entry = m_graph.entries[index];
        const Origin& origin = *entry.node->origin;
        const auto from = sources(entry);
        std::unordered_map<std::string, std::string> renamed;
        for (std::size_t i = 0; i < from.size(); ++i)
            if (from[i] < 0) return false;
            else renamed[origin.inputNames[i]] = nameOf(from[i]);
        for (std::size_t i = 0; i < origin.outputNames.size() && i < m_names[index].size(); ++i)
            if (m_names[index][i] != origin.outputNames[i]) return false;
        std::vector<onnx::NodeProto> nodes;
        std::set<std::string> inside;
        for (const std::string& bytes : origin.nodes) {
            nodes.push_back(parseNode(bytes));
            for (const std::string& name : nodes.back().output()) inside.insert(name);
        }
        for (const onnx::NodeProto& node : nodes) {
            for (const std::string& name : node.input())
                if (!inside.contains(name) && !renamed.contains(name) && !writeHelper(name)) return false;
            for (const std::string& name : outerReads(node))
                if (!writeOuter(name, renamed)) return false;
        }
        for (onnx::NodeProto& node : nodes) {
            for (std::string& name : *node.mutable_input())
                if (const auto it = renamed.find(name); it != renamed.end()) name = it->second;
            m_writer.addNode(node.SerializeAsString());
        }
        m_written.insert(inside.begin(), inside.end());
        return true;
    }

    // What a subgraph reads keeps its name: a value that has another one now is passed on under the old.
    bool writeOuter(const std::string& name, const std::unordered_map<std::string, std::string>& renamed)
    {
        if (m_written.contains(name)) return true;
        const auto it = renamed.find(name);
        if (it == renamed.end()) return writeHelper(name);
        onnx::NodeProto node;
        node.set_op_type("Identity");
        node.add_input(it->second);
        node.add_output(name);
        m_writer.addNode(node.SerializeAsString());
        m_written.insert(name);
        return true;
    }

    void writeRecord(std::size_t index)
    {
        const auto& entry = m_graph.entries[index];
        if (!entry.op->onnx.write) throw Error(ErrorCode::Usage, "Fovea cannot write '" + entry.node->kind + "' ('" + entry.node->name + "') as ONNX yet.");
        std::vector<std::string> inputs;
        std::vector<Value> in;
        for (const std::int32_t source : sources(entry)) {
            inputs.push_back(nameOf(source));
            in.push_back(source < 0 ? Value{} : m_values[static_cast<std::size_t>(source)]);
        }
        if (entry.op->minInputs > 0 && (inputs.empty() || inputs[0].empty()))
            throw Error(ErrorCode::Usage, "The layer '" + entry.node->name + "' has an input that is not connected; connect it before exporting.");
        const std::span<const Value> out(m_values.data() + entry.firstOutput, entry.outputCount);
        LayerWriter writer({*entry.node, in, out}, m_opset, inputs, m_names[index], m_writer, m_taken, m_model.weights, m_options.seed, m_fresh);
        entry.op->onnx.write(writer);
    }

    void writeOutputs()
    {
        onnx::GraphProto& graph = *m_writer.skeleton().mutable_graph();
        google::protobuf::RepeatedPtrField<onnx::ValueInfoProto> old;
        old.Swap(graph.mutable_output());
        graph.clear_value_info();
        keepImageInputsOnly(m_writer.skeleton());
        for (const GraphOutput& output : m_model.graph.outputs()) {
            const std::int32_t at = m_graph.entryOf(output.port.node);
            if (at < 0) continue;
            const std::string& value = m_names[static_cast<std::size_t>(at)][static_cast<std::size_t>(output.port.output)];
            if (value != output.name) {
                onnx::NodeProto node;
                node.set_op_type("Identity");
                node.add_input(value);
                node.add_output(output.name);
                m_writer.addNode(node.SerializeAsString());
            }
            auto* info = graph.add_output();
            for (const auto& before : old)
                if (before.name() == output.name) *info = before;
            info->set_name(output.name);
            auto* type = info->mutable_type()->mutable_tensor_type();
            if (type->elem_type() == 0) type->set_elem_type(onnx::TensorProto::FLOAT);
            const Shape& shape = m_values[m_graph.entries[static_cast<std::size_t>(at)].firstOutput + static_cast<std::size_t>(output.port.output)].shape;
            const auto given = type->shape();
            type->clear_shape();
            for (int i = 0; i < shape.rank(); ++i) {
                auto* dim = type->mutable_shape()->add_dim();
                if (i < given.dim_size() && given.dim(i).has_dim_param()) dim->set_dim_param(given.dim(i).dim_param());
                else if (shape[i] >= 0) dim->set_dim_value(shape[i]);
            }
        }
    }

    // Inputs that were removed go from the list, and so do initializers that old files had to list as inputs
    // too: an edit may have given them another shape.
    void keepImageInputsOnly(onnx::ModelProto& model) const
    {
        std::set<std::string> inputs;
        for (std::size_t i = 0; i < m_graph.entries.size(); ++i)
            if (isInput(i)) inputs.insert(m_names[i][0]);
        auto& list = *model.mutable_graph()->mutable_input();
        for (int i = list.size(); i-- > 0;)
            if (!inputs.contains(list[i].name())) list.DeleteSubrange(i, 1);
        // Initializers that are no inputs came with version 4.
        if (model.ir_version() < 4) model.set_ir_version(4);
    }

    const Model& m_model;
    OnnxWriteOptions m_options;
    std::vector<Issue> m_issues;
    Prepared m_graph;
    std::vector<Value> m_values;
    std::int64_t m_opset = kOpset;
    ModelWriter m_writer;
    std::vector<std::vector<std::string>> m_names;  // per entry and output
    std::vector<bool> m_kept;
    std::set<std::string> m_taken;
    std::set<std::string> m_written;
    std::unordered_map<std::string, std::size_t> m_helpers;  // value name -> node of the file that computes sizes
    std::vector<std::string> m_fresh;
};

}  // namespace

std::vector<std::string> writeOnnx(const Model& model, const std::filesystem::path& path, const OnnxWriteOptions& options)
{
    return Exporter(model, options).write(path);
}

}  // namespace fovea
