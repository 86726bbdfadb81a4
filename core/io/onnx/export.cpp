#include "core/base/checked.h"
#include "core/io/onnx/floor_mode.h"
#include "core/io/onnx/helper_nodes.h"
#include "core/io/onnx/layer_writer.h"
#include "core/io/onnx/metadata.h"
#include "core/io/onnx/model_writer.h"
#include "core/io/onnx/onnx.h"
#include "core/io/onnx/order.h"
#include "core/io/onnx/value_names.h"
#include "core/ops/clothes.h"
#include "core/ops/common.h"
#include "core/ops/registry.h"
#include "core/weights/weights.h"

#include <algorithm>
#include <optional>
#include <set>
#include <unordered_map>

namespace fovea {

namespace {

constexpr std::int64_t kOpset = 17;
constexpr std::uint64_t kExternalAbove = 1'900'000'000;

std::int64_t opsetOf(const onnx::ModelProto& model)
{
    for (const auto& import : model.opset_import())
        if (import.domain().empty() || import.domain() == "ai.onnx") return import.version();
    return 0;
}

// Of any image that it reads.
bool leavesSideOpen(const onnx::ModelProto& skeleton)
{
    for (const auto& input : skeleton.graph().input()) {
        const auto& shape = input.type().tensor_type().shape();
        for (int i = 2; shape.dim_size() == 4 && i < 4; ++i)
            if (shape.dim(i).dim_value() < 1) return true;
    }
    return false;
}

class Exporter {
public:
    Exporter(const Model& model, const OnnxWriteOptions& options)
        : m_model(model), m_options(options), m_graph(prepare(model.graph)), m_values(inferShapes(m_graph, m_issues)),
          m_writer(skeleton()), m_helpers(model, m_writer)
    {
        if (!m_graph.cyclic.empty())
            throw Error(ErrorCode::Usage, "The network feeds itself; remove the cycle before exporting it.");
        ValueNames values = nameValues(m_model, m_graph, m_writer.skeleton());
        m_names = std::move(values.names);
        m_taken = std::move(values.taken);
        m_fixedSide = !leavesSideOpen(m_writer.skeleton());
        chooseKept();
    }

    std::vector<std::string> write(const std::filesystem::path& path)
    {
        if (writesOriginalList()) {
            for (const auto& node : m_model.onnx->nodes)
                if (m_model.onnx->calls.empty()) m_writer.addNode(node.bytes);
            for (const std::string& call : m_model.onnx->calls) m_writer.addNode(call);
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
                throw Error(ErrorCode::Usage,
                            "The network does not fit together at this input size, so it was not exported: '" +
                                issue.layer + "': " + issue.message + " " + issue.hint);
    }

    bool isInput(std::size_t index) const { return m_graph.entries[index].op->opClass == OpClass::Input; }

    onnx::ModelProto skeleton()
    {
        onnx::ModelProto model;
        if (m_model.onnx) {
            if (!model.ParseFromString(m_model.onnx->skeleton))
                throw Error(ErrorCode::Format, "What was kept of the original ONNX file is damaged.");
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

    std::string nameOf(std::int32_t source) const
    {
        if (source < 0) return {};
        const auto at = std::upper_bound(m_graph.entries.begin(), m_graph.entries.end(), source,
                                         [](std::int32_t value, const Prepared::Entry& entry) {
                                             return value < static_cast<std::int32_t>(entry.firstOutput);
                                         });
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

    std::span<const std::int32_t> sources(const Prepared::Entry& entry) const
    {
        return {m_graph.sources.data() + entry.firstInput, entry.inputCount};
    }

    bool sameShapes(const Prepared::Entry& entry) const
    {
        const Origin& origin = *entry.node->origin;
        const auto from = sources(entry);
        for (std::size_t i = 0; i < from.size(); ++i)
            if (i >= origin.inputs.size() || from[i] < 0 ||
                m_values[static_cast<std::size_t>(from[i])].shape != origin.inputs[i].shape)
                return false;
        for (std::uint32_t i = 0; i < entry.outputCount; ++i)
            if (i >= origin.outputs.size() || m_values[entry.firstOutput + i].shape != origin.outputs[i].shape)
                return false;
        return true;
    }

    // Whether its tensors are those that it needs now: more or fewer channels may reach it than in the file.
    bool sameTensors(std::size_t index) const
    {
        const auto& entry = m_graph.entries[index];
        // A table that follows sizes has other elements at every one.
        if (entry.node->tensors.empty() || entry.node->attrs.has("sizes")) return true;
        for (const NamedParam& param : paramsOf(*entry.node, inputValues(index), outputValues(index))) {
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
                    throw Error(ErrorCode::Usage,
                                "The layer '" + entry.node->name +
                                    "' is unknown to Fovea and its original node is gone, so it cannot be written.");
                m_kept[i] = true;
            } else if (m_options.useOrigin && m_model.onnx && entry.node->origin) {
                m_kept[i] = entry.node->origin->inputNames.size() == entry.inputCount &&
                            (!entry.node->origin->sizesBaked || sameShapes(entry)) && sameTensors(i);
            }
            if (m_kept[i]) addInternalNames(*entry.node->origin);
        }
        if (!m_model.onnx) return;
        for (std::size_t i = 0; i < m_graph.entries.size(); ++i)
            if (const auto& origin = m_graph.entries[i].node->origin)
                for (std::size_t k = 0;
                     k < origin->outputNames.size() && k < origin->outputs.size() && k < m_graph.entries[i].outputCount;
                     ++k)
                    m_helpers.addMap(origin->outputNames[k],
                                     m_values[m_graph.entries[i].firstOutput + k].shape == origin->outputs[k].shape);
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
                if (shape.dim(i).dim_value() > 0 && shape.dim(i).dim_value() != (*dims)[static_cast<std::size_t>(i)])
                    return false;
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
        } else if (!(m_kept[index] && !floorMode(index) && writeKept(index))) {
            if (entry.op->opClass == OpClass::Opaque)
                throw Error(ErrorCode::Usage,
                            "The layer '" + entry.node->name + "' (" + entry.node->attrs.getText("onnx_op") +
                                ") is unknown to Fovea and reads something that the edited network no longer has.");
            writeRecord(index);
        }
        for (const std::string& name : m_names[index]) m_helpers.setWritten(name);
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
            auto* dim = static_cast<int>(i) < type->shape().dim_size()
                            ? type->mutable_shape()->mutable_dim(static_cast<int>(i))
                            : type->mutable_shape()->add_dim();
            // A dimension that the file left open stays open.
            if (dim->has_dim_param() ||
                (m_model.onnx && !dim->has_dim_value() && type->shape().dim_size() == static_cast<int>(dims->size()) &&
                 dim->value_case() != 0))
                continue;
            dim->set_dim_value((*dims)[i]);
        }
    }

    bool writeKept(std::size_t index)
    {
        const auto& entry = m_graph.entries[index];
        const Origin& origin = *entry.node->origin;
        const auto from = sources(entry);
        HelperNodes::Renamed renamed;
        for (std::size_t i = 0; i < from.size(); ++i)
            if (from[i] < 0) return false;
            else renamed[origin.inputNames[i]] = nameOf(from[i]);
        for (std::size_t i = 0; i < origin.outputNames.size() && i < m_names[index].size(); ++i)
            if (m_names[index][i] != origin.outputNames[i]) return false;
        std::vector<onnx::NodeProto> nodes;
        std::set<std::string> inside, seen;
        for (const std::string& bytes : origin.nodes) {
            nodes.push_back(parseNode(bytes));
            for (const std::string& name : nodes.back().output()) inside.insert(name);
        }
        for (const onnx::NodeProto& node : nodes) {
            for (const std::string& name : node.input())
                if (!inside.contains(name) && !renamed.contains(name)) {
                    if (m_helpers.readsAnotherMap(name, origin.sizesBaked, renamed, seen)) return false;
                    const auto value = m_helpers.value(name);
                    if (!value) return false;
                    renamed[name] = *value;
                }
            for (const std::string& name : outerReads(node))
                if (!writeOuter(name, renamed)) return false;
        }
        for (onnx::NodeProto& node : nodes) {
            for (std::string& name : *node.mutable_input())
                if (const auto it = renamed.find(name); it != renamed.end()) name = it->second;
            // Of several tables that one node makes the first has brought it.
            const auto written = [&](const std::string& name) { return m_helpers.isWritten(name); };
            if (std::any_of(node.output().begin(), node.output().end(), written)) continue;
            m_writer.addNode(node.SerializeAsString());
        }
        for (const std::string& name : inside) m_helpers.setWritten(name);
        return true;
    }

    // What a subgraph reads keeps its name: a value that has another one now is passed on under the old.
    bool writeOuter(const std::string& name, const HelperNodes::Renamed& renamed)
    {
        if (m_helpers.isWritten(name)) return true;
        const auto it = renamed.find(name);
        if (it == renamed.end()) return m_helpers.value(name) == name;
        onnx::NodeProto node;
        node.set_op_type("Identity");
        node.add_input(it->second);
        node.add_output(name);
        m_writer.addNode(node.SerializeAsString());
        m_helpers.setWritten(name);
        return true;
    }

    // Inputs of a layer, unknown where not connected.
    std::vector<Value> inputValues(std::size_t index) const
    {
        std::vector<Value> in;
        for (const std::int32_t source : sources(m_graph.entries[index]))
            in.push_back(source < 0 ? Value{} : m_values[static_cast<std::size_t>(source)]);
        return in;
    }

    std::span<const Value> outputValues(std::size_t index) const
    {
        return std::span(m_values).subspan(m_graph.entries[index].firstOutput, m_graph.entries[index].outputCount);
    }

    std::optional<Node> floorMode(std::size_t index) const
    {
        const auto& entry = m_graph.entries[index];
        if (entry.op->opClass != OpClass::Pooling || !m_fixedSide) return std::nullopt;
        const std::vector<Value> in = inputValues(index);
        return inFloorMode({*entry.node, in, outputValues(index)});
    }

    void writeRecord(std::size_t index)
    {
        const auto& entry = m_graph.entries[index];
        if (!entry.op->onnx.write && !wearsClothes(*entry.node))
            throw Error(ErrorCode::Usage,
                        "Fovea cannot write '" + entry.node->kind + "' ('" + entry.node->name + "') as ONNX yet.");
        std::vector<std::string> inputs;
        for (const std::int32_t source : sources(entry)) inputs.push_back(nameOf(source));
        if (entry.op->minInputs > 0 && (inputs.empty() || inputs[0].empty()))
            throw Error(ErrorCode::Usage, "The layer '" + entry.node->name +
                                              "' has an input that is not connected; connect it before exporting.");
        const std::vector<Value> in = inputValues(index);
        const std::optional<Node> floor = floorMode(index);
        const Node node = settled({floor ? *floor : *entry.node, in, outputValues(index)});
        LayerWriter writer({node, in, outputValues(index)}, m_opset, inputs, m_names[index],
                           m_writer, m_taken, m_model.weights, m_options.seed, m_fresh);
        wearsClothes(*entry.node) ? writeInClothes(writer) : entry.op->onnx.write(writer);
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
            const std::string& value =
                m_names[static_cast<std::size_t>(at)][static_cast<std::size_t>(output.port.output)];
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
            const Shape& shape = m_values[m_graph.entries[static_cast<std::size_t>(at)].firstOutput +
                                          static_cast<std::size_t>(output.port.output)]
                                     .shape;
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
    bool m_fixedSide = false;
    ModelWriter m_writer;
    HelperNodes m_helpers;
    std::vector<std::vector<std::string>> m_names;  // per entry and output
    std::vector<bool> m_kept;
    std::set<std::string> m_taken;
    std::vector<std::string> m_fresh;
};

}  // namespace

std::vector<std::string> writeOnnx(const Model& model, const std::filesystem::path& path,
                                   const OnnxWriteOptions& options)
{
    return Exporter(model, options).write(path);
}

}  // namespace fovea
