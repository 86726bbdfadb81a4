#include "core/base/checked.h"
#include "core/graph/first_image.h"
#include "core/io/onnx/draft.h"
#include "core/io/onnx/fold.h"
#include "core/io/onnx/order.h"
#include "core/io/onnx/wire.h"
#include "core/ops/registry.h"

#include <algorithm>
#include <cstring>
#include <set>

namespace fovea {

namespace {

constexpr std::int64_t kAssumedSide = 224;

// One value name of the file.
struct Known {
    Port port;                        // where an activation comes from
    std::optional<Tensor> constant;   // or what it is
    bool initializer = false;
    std::vector<std::pair<Port, int>> sizes;
};

class Importer {
public:
    Importer(const onnx::ModelProto& model, std::shared_ptr<const MappedFile> file) : m_model(model), m_file(std::move(file))
    {
        for (const auto& import : model.opset_import())
            if (import.domain().empty() || import.domain() == "ai.onnx") m_opset = import.version();
    }

    Model run()
    {
        readInitializers();
        readInputs();
        m_draft.fileNodes = executionOrder(m_model.graph());
        for (std::size_t i = 0; i < m_draft.fileNodes.size(); ++i) readNode(i);
        readOutputs();
        followSiblings();
        fusePatterns(m_draft);
        return finishImport(m_draft, m_model, *m_file, m_initializers, m_notes);
    }

private:
    void readInitializers()
    {
        for (const auto& proto : m_model.graph().initializer()) {
            auto tensor = readTensor(proto, m_file);
            if (!tensor) continue;  // strings and the like stay in the skeleton
            m_draft.tensors[proto.name()] = *tensor;
            m_initializers.push_back(proto.name());
            m_known[proto.name()] = {{}, std::move(tensor), true, {}};
        }
    }

    void readInputs()
    {
        for (const auto& input : m_model.graph().input()) {
            if (m_known.contains(input.name())) continue;  // an initializer that is listed as an input too
            const auto& type = input.type().tensor_type();
            Ints dims;
            std::vector<std::string> symbols;
            bool assumedSide = false;
            const int rank = type.has_shape() ? type.shape().dim_size() : -1;
            for (int i = 0; i < rank; ++i) {
                const std::int64_t size = type.shape().dim(i).dim_value();
                const bool stated = type.shape().dim(i).has_dim_value() && size > 0;
                const bool side = rank == 4 && i >= 2;
                assumedSide = assumedSide || (side && !stated);
                const std::string& symbol = type.shape().dim(i).dim_param();
                symbols.push_back(stated ? "" : symbol.empty() ? kUnnamed : symbol);
                dims.push_back(stated ? size : side ? kAssumedSide : rank == 4 && i == 1 ? 3 : 1);
            }
            Node node = makeNode("Input", input.name());
            node.attrs.set("shape", dims);
            if (std::any_of(symbols.begin(), symbols.end(), [](const auto& symbol) { return !symbol.empty(); })) setSymbols(node, symbols);
            DraftLayer& layer = addLayer(std::move(node), {}, {}, {input.name()});
            if (rank < 0) layer.out = {Value{}};
            if (rank == 4 && m_image.node == kNoNode) m_image = {layer.node.id, 0};
            if (assumedSide)
                m_notes.push_back({"size-assumed", Severity::Info, "", "shape", "The model leaves the input's height and width open; " + std::to_string(kAssumedSide) + " px is assumed.",
                                   "Set the side that you use."});
        }
    }

    DraftLayer& addLayer(Node node, std::vector<Port> inputs, std::vector<std::string> inputNames, std::vector<std::string> outputNames)
    {
        DraftLayer layer;
        layer.node = std::move(node);
        layer.node.id = static_cast<NodeId>(m_draft.layers.size()) + 1;
        layer.node.inputs = std::move(inputs);
        layer.inputNames = std::move(inputNames);
        for (const Port& port : layer.node.inputs) layer.in.push_back(valueOf(port));
        std::vector<Issue> ignored;  // what does not fit is said by the analysis
        layer.out = inferNode(layer.node, layer.in, ignored);
        for (std::size_t i = 0; i < outputNames.size(); ++i)
            if (!outputNames[i].empty()) m_known[outputNames[i]] = {{layer.node.id, static_cast<int>(i)}, std::nullopt, false, {}};
        layer.outputNames = std::move(outputNames);
        m_draft.layers.push_back(std::move(layer));
        return m_draft.layers.back();
    }

    Value valueOf(Port port) const
    {
        if (port.node == kNoNode) return {};
        const auto& out = m_draft.layer(port.node).out;
        return static_cast<std::size_t>(port.output) < out.size() ? out[static_cast<std::size_t>(port.output)] : Value{};
    }

    OnnxCall callOf(const onnx::NodeProto& proto) const
    {
        OnnxCall call;
        call.type = proto.op_type();
        call.opset = m_opset;
        call.outputCount = proto.output_size();
        while (call.outputCount > 0 && proto.output(call.outputCount - 1).empty()) --call.outputCount;
        call.image = m_image;
        call.imageValue = valueOf(m_image);
        for (const auto& attribute : proto.attribute()) addAttribute(call.attrs, attribute);
        for (const std::string& name : proto.input()) {
            OnnxArg arg;
            arg.name = name;
            const auto known = m_known.find(name);
            if (!name.empty() && known != m_known.end()) {
                arg.constant = known->second.constant;
                arg.named = known->second.initializer;
                arg.sizes = known->second.sizes;
                if (arg.constant) arg.value.shape = Shape(std::span<const std::int64_t>(arg.constant->dims));
                else arg.value = valueOf(known->second.port);
            }
            call.args.push_back(std::move(arg));
        }
        return call;
    }

    void addAttribute(OnnxAttrs& attrs, const onnx::AttributeProto& proto) const
    {
        switch (proto.type()) {
        case onnx::AttributeProto::INT: attrs[proto.name()] = proto.i(); break;
        case onnx::AttributeProto::FLOAT: attrs[proto.name()] = static_cast<double>(proto.f()); break;
        case onnx::AttributeProto::STRING: attrs[proto.name()] = proto.s(); break;
        case onnx::AttributeProto::INTS: attrs[proto.name()] = Ints(proto.ints().begin(), proto.ints().end()); break;
        case onnx::AttributeProto::FLOATS: attrs[proto.name()] = std::vector<double>(proto.floats().begin(), proto.floats().end()); break;
        case onnx::AttributeProto::TENSOR:
            if (auto tensor = readTensor(proto.t(), m_file)) attrs[proto.name()] = std::move(*tensor);
            break;
        default: break;
        }
    }

    static bool isStandard(const onnx::NodeProto& proto) { return proto.domain().empty() || proto.domain() == "ai.onnx"; }

    void readNode(std::size_t index)
    {
        const onnx::NodeProto& proto = *m_draft.fileNodes[index];
        try {
            OnnxCall call = callOf(proto);
            if (isStandard(proto) && (readConstant(proto, call) || readShape(proto, call) || readFolded(proto, call))) return;
            if (isStandard(proto) && readDecidedBranch(index, call)) return;
            if (isStandard(proto))
                for (const OpDef* op : opsForOnnx(call.type))
                    if (readLayer(index, *op, call)) return;
            readOpaque(index, call);
        } catch (Error& error) {
            throw error.within("node '" + (proto.name().empty() ? proto.op_type() : proto.name()) + "'");
        }
    }

    void define(const std::string& name, Tensor tensor, bool initializer, std::vector<std::pair<Port, int>> sizes = {})
    {
        m_known[name] = {{}, std::move(tensor), initializer, std::move(sizes)};
    }

    bool readConstant(const onnx::NodeProto& proto, const OnnxCall& call)
    {
        if (call.type != "Constant" || proto.output_size() != 1) return false;
        if (const Tensor* tensor = call.getTensor("value")) {
            define(proto.output(0), *tensor, false);
            m_draft.tensors[proto.output(0)] = *tensor;
        } else if (const auto ints = call.getInts("value_ints")) {
            define(proto.output(0), Tensor::fromIntegers({static_cast<std::int64_t>(ints->size())}, *ints), false);
        } else if (call.attrs.contains("value_int")) {
            define(proto.output(0), Tensor::fromIntegers({}, {call.getInt("value_int", 0)}), false);
        } else if (call.attrs.contains("value_float")) {
            define(proto.output(0), Tensor::fromFloats({}, {static_cast<float>(call.getReal("value_float", 0))}), false);
        } else if (const auto it = call.attrs.find("value_floats"); it != call.attrs.end() && std::holds_alternative<std::vector<double>>(it->second)) {
            const auto& reals = std::get<std::vector<double>>(it->second);
            define(proto.output(0), Tensor::fromFloats({static_cast<std::int64_t>(reals.size())}, std::vector<float>(reals.begin(), reals.end())), false);
        } else {
            return false;
        }
        return true;
    }

    bool readShape(const onnx::NodeProto& proto, const OnnxCall& call)
    {
        if (call.type != "Shape" || call.args.size() != 1 || !call.args[0].value.shape.isComplete() || call.attrs.contains("start") || call.attrs.contains("end")) return false;
        const Shape& shape = call.args[0].value.shape;
        Ints dims(shape.dims().begin(), shape.dims().end());
        std::vector<std::pair<Port, int>> sizes;
        if (!call.args[0].constant)
            for (int i = 0; i < shape.rank(); ++i) sizes.emplace_back(m_known[proto.input(0)].port, i);
        define(proto.output(0), Tensor::fromIntegers({static_cast<std::int64_t>(dims.size())}, dims), false, std::move(sizes));
        return true;
    }

    bool readFolded(const onnx::NodeProto& proto, const OnnxCall& call)
    {
        if (proto.output_size() != 1 || call.args.empty()) return false;
        for (const OnnxArg& arg : call.args)
            if (!arg.name.empty() && !arg.constant) return false;
        // An Identity of an initializer is how an exporter repeats a tensor that two layers happen to share.
        const bool alias = call.type == "Identity";
        if (alias) {
            m_draft.tensors[proto.output(0)] = *call.args[0].constant;
            define(proto.output(0), *call.args[0].constant, call.args[0].named, call.args[0].sizes);
            return true;
        }
        if (call.type == "Transpose" && call.args[0].constant->dims.size() == 2 && byteSize(call.args[0].constant->dtype) == 4 &&
            call.getInts("perm").value_or(Ints{1, 0}) == Ints{1, 0}) {
            Tensor turned = transposed(*call.args[0].constant);
            m_draft.tensors[proto.output(0)] = turned;
            define(proto.output(0), std::move(turned), call.args[0].named);
            return true;
        }
        std::vector<std::pair<Port, int>> sizes;
        auto folded = foldConstant(call, sizes);
        if (!folded) return false;
        const bool moved = call.type == "Unsqueeze" || call.type == "Squeeze" || call.type == "Reshape" || call.type == "Transpose";
        m_draft.tensors[proto.output(0)] = *folded;
        define(proto.output(0), std::move(*folded), moved && call.args[0].named, std::move(sizes));
        return true;
    }

    static Tensor transposed(const Tensor& in)
    {
        const auto rows = static_cast<std::size_t>(in.dims[0]), columns = static_cast<std::size_t>(in.dims[1]);
        auto buffer = std::make_shared<std::vector<std::byte>>(in.bytes.size());
        for (std::size_t r = 0; r < rows; ++r)
            for (std::size_t c = 0; c < columns; ++c) std::memcpy(buffer->data() + (c * rows + r) * 4, in.bytes.data() + (r * columns + c) * 4, 4);
        return {in.dtype, {in.dims[1], in.dims[0]}, *buffer, buffer};
    }

    bool readLayer(std::size_t index, const OpDef& op, const OnnxCall& original)
    {
        const onnx::NodeProto& proto = *m_draft.fileNodes[index];
        OnnxCall call = original;
        call.node = makeNode(op.kind, proto.name());
        call.dataInputs = {0};
        if (call.outputCount < 1 || !op.onnx.read(call)) return false;
        if (opFor(call.node.kind).outputCount(call.node) < call.outputCount) return false;
        std::vector<Port> ports;
        std::vector<std::string> names;
        for (const std::size_t arg : call.dataInputs) {
            if (!call.has(arg)) return false;
            ports.push_back(portOf(call.args[arg]));
            names.push_back(call.args[arg].name);
        }
        for (const Port& port : call.extraInputs) {
            ports.push_back(port);
            names.push_back(m_draft.layer(port.node).outputNames[static_cast<std::size_t>(port.output)]);
        }
        for (const auto& [role, arg] : call.bindings) bind(call.node, role, call.args[arg]);
        DraftLayer& layer = addLayer(std::move(call.node), std::move(ports), std::move(names), {proto.output().begin(), proto.output().begin() + call.outputCount});
        layer.fileNodes = {index};
        layer.sizesBaked = call.sizesBaked;
        layer.notes = std::move(call.notes);
        return true;
    }

    // An If whose condition is known is the one layer of the branch that is taken.
    bool readDecidedBranch(std::size_t index, const OnnxCall& call)
    {
        const onnx::NodeProto& proto = *m_draft.fileNodes[index];
        if (call.type != "If" || proto.output_size() != 1 || !call.isConstant(0)) return false;
        const char* wanted = call.args[0].constant->integer(0) != 0 ? "then_branch" : "else_branch";
        for (const auto& attribute : proto.attribute()) {
            if (attribute.name() != wanted || !attribute.has_g()) continue;
            const onnx::NodeProto* only = nullptr;
            for (const auto& inner : attribute.g().node()) {
                if (inner.op_type() == "Constant" && readConstant(inner, callOf(inner))) continue;
                if (only || !isStandard(inner) || inner.output_size() != 1) return false;
                only = &inner;
            }
            if (!only) return false;
            OnnxCall taken = callOf(*only);
            taken.outputCount = 1;
            for (const OpDef* op : opsForOnnx(taken.type))
                if (readLayer(index, *op, taken)) {
                    m_draft.layers.back().sizesBaked = true;
                    return true;
                }
        }
        return false;
    }

    void bind(Node& node, const std::string& role, const OnnxArg& arg)
    {
        m_draft.tensors.try_emplace(arg.name, *arg.constant);
        node.tensors.push_back({role, arg.name});
    }

    // A constant that goes where maps go becomes a layer of its own.
    Port portOf(const OnnxArg& arg)
    {
        if (!arg.constant) return m_known[arg.name].port;
        if (const auto made = m_constants.find(arg.name); made != m_constants.end()) return made->second;
        Node node = makeNode("Constant", arg.name);
        node.attrs.set("shape", Ints(arg.constant->dims));
        if (arg.named && arg.constant->dtype == DType::Float32) node.attrs.set("learned", true);
        bind(node, "value", arg);
        const Known kept = m_known[arg.name];
        const DraftLayer& layer = addLayer(std::move(node), {}, {}, {arg.name});
        m_known[arg.name] = kept;
        return m_constants[arg.name] = {layer.node.id, 0};
    }

    void readOpaque(std::size_t index, const OnnxCall& call)
    {
        const onnx::NodeProto& proto = *m_draft.fileNodes[index];
        Node node = makeNode("opaque", proto.name());
        node.attrs.set("onnx_op", isStandard(proto) ? proto.op_type() : proto.domain() + "::" + proto.op_type());
        node.attrs.set("outputs", static_cast<std::int64_t>(std::max(1, proto.output_size())));
        std::vector<Port> ports;
        std::vector<std::string> names;
        for (std::size_t i = 0; i < call.args.size(); ++i) {
            const OnnxArg& arg = call.args[i];
            if (arg.name.empty()) continue;
            if (arg.constant) {
                bind(node, "arg" + std::to_string(i), arg);
                continue;
            }
            if (m_known[arg.name].port.node == kNoNode) continue;  // a tensor of a type that stays in the skeleton
            ports.push_back(m_known[arg.name].port);
            names.push_back(arg.name);
        }
        for (const std::string& name : outerReads(proto)) {
            const auto known = m_known.find(name);
            if (known == m_known.end()) continue;
            if (known->second.constant) {
                m_draft.tensors.try_emplace(name, *known->second.constant);
                node.tensors.push_back({"outer:" + name, name});
            } else if (std::find(names.begin(), names.end(), name) == names.end()) {
                ports.push_back(known->second.port);
                names.push_back(name);
            }
        }
        if (proto.output_size() > 0)
            if (const auto declared = declaredShape(proto.output(0)); !declared.empty()) node.attrs.set("declared_out", declared);
        if (!ports.empty() && valueOf(ports[0]).shape.isComplete()) {
            const Value in = valueOf(ports[0]);
            node.attrs.set("declared_in", Ints(in.shape.dims().begin(), in.shape.dims().end()));
        }
        DraftLayer& layer = addLayer(std::move(node), std::move(ports), std::move(names), {proto.output().begin(), proto.output().end()});
        layer.fileNodes = {index};
    }

    // A resize to sizes that an exporter wrote as numbers, whose result is joined with another map of that
    // size, follows that map at other sides.
    void followSiblings()
    {
        for (DraftLayer& layer : m_draft.layers)
            for (const Port& port : layer.node.inputs) {
                if (port.node == kNoNode || layer.node.inputs.size() < 2 || opFor(layer.node.kind).opClass != OpClass::Merge) continue;
                DraftLayer& resize = m_draft.layer(port.node);
                if (resize.node.kind != "Upsample" || resize.node.inputs.size() != 1 || !resize.sizesBaked) continue;
                for (const Port& sibling : layer.node.inputs) {
                    const Value value = valueOf(sibling), made = valueOf(port);
                    if (sibling.node == kNoNode || sibling.node >= port.node || value.height() != made.height() || value.width() != made.width()) continue;
                    resize.node.inputs.push_back(sibling);
                    resize.inputNames.push_back(m_draft.layer(sibling.node).outputNames[static_cast<std::size_t>(sibling.output)]);
                    resize.in.push_back(value);
                    break;
                }
            }
    }

    Ints declaredShape(const std::string& name) const
    {
        const auto shapeIn = [&](const auto& list) -> Ints {
            for (const auto& info : list) {
                if (info.name() != name || !info.type().tensor_type().has_shape()) continue;
                Ints dims;
                for (const auto& dim : info.type().tensor_type().shape().dim()) dims.push_back(dim.dim_value() > 0 ? dim.dim_value() : kUnknown);
                return dims;
            }
            return {};
        };
        Ints dims = shapeIn(m_model.graph().value_info());
        if (dims.empty()) dims = shapeIn(m_model.graph().output());
        if (std::find(dims.begin(), dims.end(), kUnknown) != dims.end()) dims.clear();
        return dims;
    }

    void readOutputs()
    {
        for (const auto& output : m_model.graph().output()) {
            const auto known = m_known.find(output.name());
            if (known == m_known.end()) throw Error(ErrorCode::Format, "The output '" + output.name() + "' is made by no node.");
            const Port port = known->second.constant ? portOf({output.name(), {}, known->second.constant, known->second.initializer, {}}) : known->second.port;
            m_draft.outputs.push_back({output.name(), port});
        }
    }

    const onnx::ModelProto& m_model;
    std::shared_ptr<const MappedFile> m_file;
    std::int64_t m_opset = 13;
    Draft m_draft;
    std::map<std::string, Known> m_known;
    std::map<std::string, Port> m_constants;
    std::vector<std::string> m_initializers;
    std::vector<Issue> m_notes;
    Port m_image;
};

}  // namespace

Model readOnnx(const std::filesystem::path& path)
{
    const auto file = MappedFile::open(path);
    try {
        const onnx::ModelProto proto = parseModel(*file);
        return Importer(proto, file).run();
    } catch (Error& error) {
        throw error.within(path.filename().string());
    }
}

}  // namespace fovea
