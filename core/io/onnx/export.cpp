#include "core/base/checked.h"
#include "core/graph/first_image.h"
#include "core/io/onnx/element_types.h"
#include "core/io/onnx/floor_mode.h"
#include "core/io/onnx/helper_nodes.h"
#include "core/io/onnx/layer_writer.h"
#include "core/io/onnx/metadata.h"
#include "core/io/onnx/model_writer.h"
#include "core/io/onnx/onnx.h"
#include "core/io/onnx/order.h"
#include "core/io/onnx/value_names.h"
#include "core/io/onnx/written_sizes.h"
#include "core/ops/common.h"
#include "core/ops/registry.h"
#include "core/weights/weights.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <unordered_map>

namespace fovea {

namespace {

constexpr std::uint64_t kExternalAbove = 1'900'000'000;

std::int64_t opsetOf(const onnx::ModelProto& model)
{
    for (const auto& import : model.opset_import())
        if (import.domain().empty() || import.domain() == "ai.onnx") return import.version();
    return 0;
}

void setOpset(onnx::ModelProto& model, std::int64_t opset)
{
    for (auto& import : *model.mutable_opset_import())
        if (import.domain().empty() || import.domain() == "ai.onnx") return import.set_version(opset);
    model.add_opset_import()->set_version(opset);
}

// The version of the format that came with an opset (onnx/docs/Versioning.md), from 4 on: before it, initializers had to
// be inputs too.
std::int64_t irVersionOf(std::int64_t opset)
{
    constexpr std::array<std::int64_t, 15> kVersions{4, 4, 4, 5, 6, 7, 7, 7, 8, 8, 8, 8, 9, 9, 10};  // of opset 7 on
    return kVersions[static_cast<std::size_t>(std::clamp(opset, kOldestOpset, kNewestOpset) - kOldestOpset)];
}

OnnxWriteOptions checked(const Model& model, OnnxWriteOptions options)
{
    if (options.opset && (*options.opset < kOldestOpset || *options.opset > kNewestOpset))
        throw Error(ErrorCode::Usage, "Fovea writes opsets " + std::to_string(kOldestOpset) + " to " +
                                          std::to_string(kNewestOpset) + ", got " + std::to_string(*options.opset) + ".");
    if (options.opset && opsetOf(model) != options.opset) options.useOrigin = false;
    return options;
}

// Where the file leaves sizes open, they are those at which it was read, at which untouched layers are known to be as
// they were: what is written holds at every size. At the sizes in use where the network does not fit together there.
Graph atSizesOfImport(const Graph& graph)
{
    Graph out = graph;
    for (const auto& node : graph.nodes()) {
        if (!node->origin) continue;
        for (std::size_t i = 0; i < node->inputs.size() && i < node->origin->inputs.size(); ++i) {
            const Node* input = out.find(node->inputs[i].node);
            if (!input || input->kind != "Input") continue;
            const std::vector<std::string> symbols = symbolsOf(*input);
            const Shape& then = node->origin->inputs[i].shape;
            if (symbols.empty() || static_cast<int>(symbols.size()) != then.rank() || !then.isComplete()) continue;
            Ints shape = *input->attrs.getInts("shape");
            for (std::size_t dim = 0; dim < shape.size(); ++dim)
                if (!symbols[dim].empty()) shape[dim] = then[static_cast<int>(dim)];
            if (shape != *input->attrs.getInts("shape"))
                out.update(input->id, [&](Node& edited) { edited.attrs.set("shape", shape); });
        }
    }
    if (diff(graph, out).empty()) return graph;
    std::vector<Issue> issues;
    inferShapes(prepare(out), issues);
    const bool fits = std::none_of(issues.begin(), issues.end(),
                                   [](const Issue& issue) { return issue.severity == Severity::Error; });
    return fits ? out : graph;
}

class Exporter {
public:
    Exporter(const Model& model, const OnnxWriteOptions& options)
        : m_model(model), m_options(checked(model, options)), m_sized(atSizesOfImport(model.graph)), m_graph(prepare(m_sized)), m_values(inferShapes(m_graph, m_issues)),
          m_writer(skeleton()), m_helpers(model, m_writer)
    {
        if (!m_graph.cyclic.empty())
            throw Error(ErrorCode::Usage, "The network feeds itself; remove the cycle before exporting it.");
        ValueNames values = nameValues(m_model, m_graph, m_writer.skeleton());
        m_names = std::move(values.names);
        m_taken = std::move(values.taken);
        m_elements = elementTypes(m_model, m_graph, m_writer.skeleton(), m_opset);
        chooseKept();
    }

    // Everything but the file.
    void make()
    {
        if (writesOriginalList()) {
            for (const auto& node : m_model.onnx->nodes)
                if (m_model.onnx->calls.empty()) m_writer.addNode(node.bytes);
            for (const std::string& call : m_model.onnx->calls) m_writer.addNode(call);
            for (const std::string& name : m_model.onnx->initializers)
                if (const Tensor* tensor = m_model.weights.find(name)) m_writer.addInitializer(name, *tensor);
        } else {
            refuseWhatDoesNotFit();
            for (const GraphOutput& output : m_model.graph.outputs()) m_writer.promiseValue(output.name);
            for (std::size_t i = 0; i < m_graph.entries.size(); ++i) writeLayer(i);
            writeOutputs();
        }
    }

    std::vector<std::string> write(const std::filesystem::path& path)
    {
        make();
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
            if (!m_options.useOrigin) chooseOpset(model);
            writePreprocessing(m_model.graph.preprocessing(), model);
            return model;
        }
        model.set_producer_name("fovea");
        model.set_producer_version(FOVEA_VERSION);
        chooseOpset(model);
        model.mutable_graph()->set_name(m_model.graph.name().empty() ? "network" : m_model.graph.name());
        writePreprocessing(m_model.graph.preprocessing(), model);
        return model;
    }

    // Of a file from Fovea's own records, unless a layer keeps its node, which is of the file's opset.
    void chooseOpset(onnx::ModelProto& model)
    {
        const auto keeps = [](const Prepared::Entry& entry) { return entry.op->opClass == OpClass::Opaque; };
        const auto kept = std::find_if(m_graph.entries.begin(), m_graph.entries.end(), keeps);
        if (kept == m_graph.entries.end()) {
            m_opset = m_options.opset.value_or(kUsualOpset);
            setOpset(model, m_opset);
            model.set_ir_version(irVersionOf(m_opset));
        } else if (m_options.opset && *m_options.opset != m_opset) {
            throw Error(ErrorCode::Usage, "The network cannot be written at opset " + std::to_string(*m_options.opset) +
                                              ": '" + kept->node->name + "' (" + kept->node->attrs.getText("onnx_op") +
                                              ") is unknown to Fovea and keeps its node, which is of opset " +
                                              std::to_string(m_opset) + ".");
        }
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
                            (!entry.node->origin->sizesBaked || sameShapes(entry)) && sameTensors(i) && !writesNumbers(i);
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

    // Whether the file's dimension of an input is what the network has: the number, or still open.
    static bool saysSame(const onnx::TensorShapeProto::Dimension& dim, const Node& node, std::size_t index)
    {
        const std::vector<std::string> symbols = symbolsOf(node);
        const bool open = !symbols.empty() && !symbols[index].empty();
        if (dim.dim_value() > 0) return !open && dim.dim_value() == (*node.attrs.getInts("shape"))[index];
        return symbols.empty() || open;
    }

    bool inputUnchanged(const Node& node) const
    {
        for (const auto& input : m_writer.skeleton().graph().input()) {
            if (input.name() != node.name) continue;
            const Ints* dims = node.attrs.getInts("shape");
            const auto& shape = input.type().tensor_type().shape();
            for (int i = 0; dims && i < shape.dim_size() && i < static_cast<int>(dims->size()); ++i)
                if (!saysSame(shape.dim(i), node, static_cast<std::size_t>(i))) return false;
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
        const std::vector<std::string> symbols = symbolsOf(node);
        for (std::size_t i = 0; dims && i < dims->size(); ++i) {
            auto* dim = static_cast<int>(i) < type->shape().dim_size()
                            ? type->mutable_shape()->mutable_dim(static_cast<int>(i))
                            : type->mutable_shape()->add_dim();
            if (i >= symbols.size() || symbols[i].empty()) dim->set_dim_value((*dims)[i]);
            else if (dim->has_dim_value() || dim->value_case() == 0) {  // else it has the file's own name
                dim->Clear();
                if (symbols[i] != kUnnamed) dim->set_dim_param(symbols[i]);
            }
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

    // A file of one size says the padding that ONNX Runtime does not work out.
    bool writesNumbers(std::size_t index) const
    {
        const auto& entry = m_graph.entries[index];
        if (m_open.sides()) return false;
        if (entry.op->torch.op == TorchOp::Interpolate && entry.node->attrs.has("sizes")) return missesItsSizes(index);
        if (!entry.node->attrs.has("auto_pad")) return false;
        const std::vector<Value> in = inputValues(index);
        return needsNumbers({*entry.node, in, outputValues(index)});
    }

    // Before opset 11 a resize has scales alone. Those that the file computes are rounded: times the input's size they
    // may give less than the size that they are for, and before opset 10 they may not be smaller than 1.
    bool missesItsSizes(std::size_t index) const
    {
        if (m_opset >= 11) return false;
        const Value in = inputValues(index)[0], made = outputValues(index)[0];
        const auto misses = [this](std::int64_t size, std::int64_t units) {
            const float scale = static_cast<float>(units) / static_cast<float>(size);
            return size > 0 && (static_cast<std::int64_t>(static_cast<double>(scale) * static_cast<double>(size)) != units || (m_opset < 10 && scale < 1));
        };
        return misses(in.height(), made.height()) || misses(in.width(), made.width());
    }

    std::optional<Node> floorMode(std::size_t index) const
    {
        const auto& entry = m_graph.entries[index];
        if (entry.op->opClass != OpClass::Pooling || m_open.sides()) return std::nullopt;
        const std::vector<Value> in = inputValues(index);
        return inFloorMode({*entry.node, in, outputValues(index)});
    }

    void writeRecord(std::size_t index)
    {
        const auto& entry = m_graph.entries[index];
        std::vector<std::string> inputs;
        for (const std::int32_t source : sources(entry)) inputs.push_back(nameOf(source));
        if (entry.op->minInputs > 0 && (inputs.empty() || inputs[0].empty()))
            throw Error(ErrorCode::Usage, "The layer '" + entry.node->name +
                                              "' has an input that is not connected; connect it before exporting.");
        const std::vector<Value> in = inputValues(index);
        const std::optional<Node> floor = floorMode(index);
        const std::int32_t first = entry.inputCount > 0 ? sources(entry)[0] : -1;
        const DType element = m_elements[first < 0 ? entry.firstOutput : static_cast<std::size_t>(first)];
        const Node node = settled({floor ? *floor : *entry.node, in, outputValues(index)});
        LayerWriter writer({node, in, outputValues(index)}, element, inputs, m_names[index],
                           {m_opset, m_open, m_writer, m_taken, m_model.weights, m_options.seed, m_fresh, m_options.useOrigin ? &m_helpers : nullptr});
        fovea::writeLayer(writer);
    }

    void writeOutputs()
    {
        onnx::GraphProto& graph = *m_writer.skeleton().mutable_graph();
        google::protobuf::RepeatedPtrField<onnx::ValueInfoProto> old;
        old.Swap(graph.mutable_output());
        graph.clear_value_info();
        keepImageInputsOnly(m_writer.skeleton());
        WrittenSizes sizes(m_sized, m_graph, m_values);
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
            const std::size_t place = m_graph.entries[static_cast<std::size_t>(at)].firstOutput +
                                      static_cast<std::size_t>(output.port.output);
            if (type->elem_type() == 0) type->set_elem_type(static_cast<int>(onnxType(m_elements[place])));
            const auto given = type->shape();
            type->clear_shape();
            if (m_values[place].shape.hasRank()) sizes.set(*type->mutable_shape(), place, given);
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
    Graph m_sized;  // the network at the sizes that it is written from
    Prepared m_graph;
    std::vector<Value> m_values;
    std::int64_t m_opset = kUsualOpset;
    OpenSizes m_open = openSizes(m_graph, m_values);
    ModelWriter m_writer;
    HelperNodes m_helpers;
    std::vector<std::vector<std::string>> m_names;  // per entry and output
    std::vector<DType> m_elements;                  // per value
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

std::optional<std::string> whyNotWritable(const Model& model, const OnnxWriteOptions& options)
{
    try {
        Exporter(model, options).make();
    } catch (const Error& error) {
        return error.what();
    }
    return std::nullopt;
}

std::function<std::optional<std::string>(const Graph&)> refusalsFor(const Model& model)
{
    if (!model.onnx) return {};
    return [asked = std::make_shared<Model>(model)](const Graph& graph) {
        asked->graph = graph;
        return whyNotWritable(*asked);
    };
}

std::optional<std::int64_t> opsetOf(const Model& model)
{
    onnx::ModelProto skeleton;
    if (!model.onnx || !skeleton.ParseFromString(model.onnx->skeleton)) return std::nullopt;
    return opsetOf(skeleton);
}

}  // namespace fovea
