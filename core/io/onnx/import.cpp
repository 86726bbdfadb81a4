#include "core/base/checked.h"
#include "core/graph/first_image.h"
#include "core/io/onnx/draft.h"
#include "core/io/onnx/evaluate.h"
#include "core/io/onnx/follow_sizes.h"
#include "core/io/onnx/image_layout.h"
#include "core/io/onnx/inline_functions.h"
#include "core/io/onnx/order.h"
#include "core/io/onnx/why_not.h"
#include "core/io/onnx/wire.h"
#include "core/ops/clothes.h"
#include "core/ops/opaque.h"
#include "core/ops/registry.h"
#include "core/ops/tensor_sources.h"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <unordered_set>

namespace fovea {

namespace {

constexpr std::int64_t kAssumedSide = 224;

// One value name of the file.
struct Known {
    Port port;                        // where an activation comes from
    std::optional<Tensor> constant;   // or what it is
    bool initializer = false;
    // Of a computed constant, see OnnxArg.
    std::vector<SizeExpr> sizes, lengths;
    bool uniform = false;
    std::vector<TensorSource> sources;
    std::size_t madeBy = 0;  // its file node
};

class Importer {
public:
    // `layouts` of inputs by name, where they are known.
    Importer(onnx::ModelProto& model, std::shared_ptr<const MappedFile> file, std::map<std::string, std::string> layouts = {})
        : m_model(model), m_file(std::move(file)), m_layouts(std::move(layouts))
    {
        for (const auto& import : model.opset_import())
            if (import.domain().empty() || import.domain() == "ai.onnx") m_opset = import.version();
    }

    // Reads every layer; what it finds of the layouts of inputs is right only where it was told the same.
    std::map<std::string, std::string> read()
    {
        readInitializers();
        readInputs();
        m_draft.fileNodes = executionOrder(m_model.graph());
        findReaders();
        for (std::size_t i = 0; i < m_draft.fileNodes.size(); ++i) readNode(i);
        readOutputs();
        return imageLayouts(m_draft);
    }

    // Inputs of rank 3, each as if it were one picture, where none is an image of rank 4.
    std::map<std::string, std::string> singlePictures(const std::map<std::string, std::string>& layouts) const
    {
        std::map<std::string, std::string> out;
        for (const DraftLayer& layer : m_draft.layers) {
            const int rank = layer.node.kind == "Input" && !layer.out.empty() ? layer.out[0].shape.rank() : -1;
            const auto layout = layouts.find(layer.node.name);
            if (rank == 4 && (layout == layouts.end() || layout->second != "????")) return {};
            if (rank == 4) out.emplace(layer.node.name, "????");
            if (rank == 3) out.emplace(layer.node.name, "CHW");
        }
        return out;
    }

    // Whether, so read, any input is an image: one of rank 4 as usual, or one whose layout says so.
    bool hasImage(const std::map<std::string, std::string>& layouts) const
    {
        return std::any_of(m_draft.layers.begin(), m_draft.layers.end(), [&](const DraftLayer& layer) {
            if (layer.node.kind != "Input" || layer.out.empty()) return false;
            const auto layout = layouts.find(layer.node.name);
            return layout == layouts.end() ? layer.out[0].shape.rank() == 4 : layout->second.find('H') != std::string::npos;
        });
    }

    Model finish()
    {
        followSizes(m_draft, m_fixed);
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
            m_known[proto.name()] = {.constant = std::move(tensor), .initializer = true};
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
            const auto known = m_layouts.find(input.name());
            const std::string layout = known != m_layouts.end() ? known->second : rank == 4 ? "NCHW" : "";
            for (int i = 0; i < rank; ++i) {
                const std::int64_t size = type.shape().dim(i).dim_value();
                const bool stated = type.shape().dim(i).has_dim_value() && size > 0;
                const char axis = layout.empty() ? '?' : layout[static_cast<std::size_t>(i)];
                const bool side = axis == 'H' || axis == 'W';
                assumedSide = assumedSide || (side && !stated);
                const std::string& symbol = type.shape().dim(i).dim_param();
                symbols.push_back(stated ? "" : symbol.empty() ? kUnnamed : symbol);
                dims.push_back(stated ? size : side ? kAssumedSide : axis == 'C' ? 3 : 1);
            }
            Node node = makeNode("Input", input.name());
            node.attrs.set("shape", dims);
            if (known != m_layouts.end()) node.attrs.set("layout", layout);
            if (std::any_of(symbols.begin(), symbols.end(), [](const auto& symbol) { return !symbol.empty(); })) setSymbols(node, symbols);
            if (layout.size() == 3)
                m_notes.push_back({"batch-assumed", Severity::Info, input.name(), "shape", "The input has no batch dimension; it is read as a batch of one image.", "Nothing needs to be done."});
            DraftLayer& layer = addLayer(std::move(node), {}, {}, {input.name()});
            if (rank < 0) layer.out = {Value{}};
            if (layout.find('H') != std::string::npos && m_image.node == kNoNode)
                for (int i = 0; i < rank; ++i) {
                    const char axis = layout[static_cast<std::size_t>(i)];
                    const bool stated = type.shape().dim(i).has_dim_value() && type.shape().dim(i).dim_value() > 0;
                    if (axis == 'H') m_fixed.height = stated;
                    if (axis == 'W') m_fixed.width = stated;
                }
            if (layout.find('H') != std::string::npos && m_image.node == kNoNode) m_image = {layer.node.id, 0};
            layer.raw = rank >= 3;
            for (int i = 0; i < rank; ++i)
                if (type.shape().dim(i).has_dim_param()) m_symbols.emplace(type.shape().dim(i).dim_param(), dims[static_cast<std::size_t>(i)]);
            if (assumedSide)
                m_notes.push_back({"size-assumed", Severity::Info, "", "shape", "The model leaves the input's height and width open; " + std::to_string(kAssumedSide) + " px is assumed.",
                                   "Set the side that you use."});
        }
    }

    // Who makes a value, and which values anybody reads.
    void findReaders()
    {
        for (const onnx::NodeProto* node : m_draft.fileNodes) {
            m_read.insert(node->input().begin(), node->input().end());
            for (const std::string& name : outerReads(*node)) m_read.insert(name);
            for (const std::string& name : node->output()) m_makers[name] = node;
        }
        for (const auto& output : m_model.graph().output()) m_read.insert(output.name());
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
            if (!outputNames[i].empty()) m_known[outputNames[i]] = {.port = {layer.node.id, static_cast<int>(i)}};
        layer.outputNames = std::move(outputNames);
        mark(layer);
        m_draft.layers.push_back(std::move(layer));
        return m_draft.layers.back();
    }

    // Arithmetic before the first window, and on the numbers of a quantisation, is made of settings.
    void mark(DraftLayer& layer) const
    {
        const OpClass opClass = opFor(layer.node.kind).opClass;
        const bool arithmetic = opClass == OpClass::Merge || opClass == OpClass::Math || opClass == OpClass::Activation || opClass == OpClass::Normalization ||
                                opClass == OpClass::Shape || opClass == OpClass::Resample;
        bool anyRaw = false, allRaw = true, anySetting = false, allSetting = true;
        for (const Port& port : layer.node.inputs) {
            if (port.node == kNoNode || m_draft.layer(port.node).node.kind == "Constant") continue;
            const bool raw = m_draft.layer(port.node).raw, setting = isSetting(port);
            anyRaw = anyRaw || raw;
            allRaw = allRaw && raw;
            anySetting = anySetting || setting;
            allSetting = allSetting && setting;
        }
        layer.raw = arithmetic && anyRaw && allRaw;
        layer.setting = arithmetic && anySetting && allSetting;
    }

    bool isSetting(Port port) const
    {
        const DraftLayer& layer = m_draft.layer(port.node);
        const int paths = opFor(layer.node.kind).pathOutputs;
        return layer.setting || (paths >= 0 && port.output >= paths);
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
        call.type = isStandard(proto) ? proto.op_type() : proto.domain() + "::" + proto.op_type();
        call.opset = m_opset;
        call.outputCount = proto.output_size();
        while (call.outputCount > 0 && proto.output(call.outputCount - 1).empty()) --call.outputCount;
        call.image = m_image;
        call.imageValue = valueOf(m_image);
        call.heightOpen = !m_fixed.height;
        call.widthOpen = !m_fixed.width;
        for (const auto& attribute : proto.attribute()) addAttribute(call.attrs, attribute);
        call.args.reserve(static_cast<std::size_t>(proto.input_size()));
        for (const std::string& name : proto.input()) call.args.push_back(argOf(name));
        return call;
    }

    OnnxArg argOf(const std::string& name) const
    {
        OnnxArg arg;
        arg.name = name;
        const auto known = m_known.find(name);
        if (name.empty() || known == m_known.end()) return arg;
        const Known& from = known->second;
        arg.constant = from.constant;
        arg.named = from.initializer || std::any_of(from.sources.begin(), from.sources.end(), [](const TensorSource& source) { return source.real && source.stored; });
        arg.sizes = from.sizes;
        arg.lengths = from.lengths;
        arg.uniform = from.uniform;
        arg.sources = from.sources;
        if (arg.constant) {
            arg.value.shape = Shape(std::span<const std::int64_t>(arg.constant->dims));
        } else {
            arg.port = from.port;
            arg.value = valueOf(arg.port);
            arg.raw = arg.port.node != kNoNode && m_draft.layer(arg.port.node).raw;
            arg.setting = arg.port.node != kNoNode && isSetting(arg.port);
        }
        if (const auto maker = m_makers.find(name); maker != m_makers.end()) arg.maker = maker->second->op_type();
        return arg;
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
            if (isStandard(proto) && readStatic(index, proto, call)) return;
            if (isStandard(proto) && readDecidedBranch(index, call)) return;
            std::string why;
            for (const OpDef* op : opsForOnnx(call.type))
                if (readLayer(index, op->kind, op->onnx.read, call, &why)) return;
            for (const OtherClothes& clothes : clothesFor(call.type))
                if (readLayer(index, clothes.kind, clothes.read, call, &why)) return;
            readOpaque(index, call, why.empty() ? whyNot(call) : why);
        } catch (Error& error) {
            throw error.within("node '" + (proto.name().empty() ? proto.op_type() : proto.name()) + "'");
        }
    }

    // What depends on no more than the file and on sizes of maps is no layer.
    bool readStatic(std::size_t index, const onnx::NodeProto& proto, const OnnxCall& call)
    {
        const bool ofMap = (call.type == "Shape" || call.type == "Size") && call.args.size() == 1 && !call.args[0].constant;
        const auto values = ofMap ? shapeOf(call) : m_evaluator.evaluate(call);
        if (!values) return false;
        for (int i = 0; i < call.outputCount; ++i) {
            const StaticValue& value = (*values)[static_cast<std::size_t>(i)];
            if (!proto.output(i).empty()) define(proto.output(i), value, index, call);
        }
        return true;
    }

    // The lengths of a map are known where it has them at the declared size, and follow it at others.
    std::optional<std::vector<StaticValue>> shapeOf(const OnnxCall& call)
    {
        const Shape& shape = call.args[0].value.shape;
        if (!shape.isComplete()) return std::nullopt;
        OnnxCall of = call;
        of.args[0].constant = Tensor{DType::Bool, Ints(shape.dims().begin(), shape.dims().end()), {}, nullptr};
        for (int i = 0; i < shape.rank(); ++i) of.args[0].lengths.push_back(SizeExpr::dimension(call.args[0].port, i));
        return m_evaluator.evaluate(of);
    }

    void define(const std::string& name, const StaticValue& value, std::size_t index, const OnnxCall& call)
    {
        Known known{.constant = value.tensor, .sizes = value.sizes, .lengths = value.lengths, .uniform = value.uniform, .madeBy = index};
        // An Identity of an initializer or a Constant is how an exporter repeats a tensor that two layers happen to share.
        const std::vector<TensorSource>* repeated = call.type == "Identity" ? &call.args[0].sources : nullptr;
        if (repeated && repeated->empty()) known.initializer = call.args[0].named;
        else if (call.type == "Constant" || (repeated && repeated->size() == 1 && repeated->front().name == call.args[0].name))
            known.sources = {{name, value.tensor.elements(), isFloating(value.tensor.dtype), false}};
        else known.sources = sourcesOf(call);
        m_known[name] = std::move(known);
    }

    // What the numbers of a computed constant are made of, each once. Constant nodes count where they are moved or
    // stored in another type; in arithmetic they are settings.
    std::vector<TensorSource> sourcesOf(const OnnxCall& call) const
    {
        std::vector<TensorSource> out;
        for (std::size_t i = 0; i < call.args.size(); ++i) {
            const OnnxArg& arg = call.args[i];
            if (!arg.constant || !carriesNumbers(call.type, i)) continue;
            std::vector<TensorSource> sources = arg.sources;
            if (sources.empty() && m_known.at(arg.name).initializer) sources = {{arg.name, arg.constant->elements(), isFloating(arg.constant->dtype), true}};
            for (TensorSource& source : sources)
                if ((source.stored || movesNumbers(call.type)) && std::find(out.begin(), out.end(), source) == out.end()) out.push_back(std::move(source));
        }
        return out;
    }

    // `why` receives what the reader says where it gives up.
    bool readLayer(std::size_t index, const char* kind, bool (*read)(OnnxCall&), const OnnxCall& original, std::string* why = nullptr)
    {
        const onnx::NodeProto& proto = *m_draft.fileNodes[index];
        OnnxCall call = original;
        call.node = makeNode(kind, proto.name());
        call.dataInputs = {0};
        call.outputCount = countRead(proto, opFor(kind), call.outputCount);
        const auto giveUp = [&] {
            if (why && !call.reason.empty()) *why = call.reason;
            return false;
        };
        if (call.outputCount < 1 || !read(call)) return giveUp();
        if (const int most = opFor(call.node.kind).outputCount(call.node); most < call.outputCount) {
            call.refuse("its output '" + proto.output(most) + "' is read too");
            return giveUp();
        }
        std::vector<Port> ports;
        std::vector<std::string> names;
        for (const std::size_t arg : call.dataInputs) {
            if (!call.has(arg) || (!call.args[arg].constant && m_known[call.args[arg].name].port.node == kNoNode)) return giveUp();
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

    // Outputs behind the last one that anybody reads are left out, where the kind has a fixed number of them.
    int countRead(const onnx::NodeProto& proto, const OpDef& op, int count) const
    {
        const bool fixed = !op.outputs || std::string_view(op.kind) == "LSTM" || std::string_view(op.kind) == "GRU" || std::string_view(op.kind) == "RNN";
        while (fixed && count > 1 && !m_read.contains(proto.output(count - 1))) --count;
        return count;
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
                if (inner.op_type() == "Constant" && readStatic(index, inner, callOf(inner))) continue;
                if (only || !isStandard(inner) || inner.output_size() != 1) return false;
                only = &inner;
            }
            if (!only) return false;
            OnnxCall taken = callOf(*only);
            taken.outputCount = 1;
            for (const OpDef* op : opsForOnnx(taken.type))
                if (readLayer(index, op->kind, op->onnx.read, taken)) {
                    m_draft.layers.back().sizesBaked = true;
                    return true;
                }
        }
        return false;
    }

    // A tensor that was computed counts as what it is made of; as a kernel also what is stored as whole numbers.
    void bind(Node& node, const std::string& role, const OnnxArg& arg)
    {
        m_draft.tensors.try_emplace(arg.name, *arg.constant);
        node.tensors.push_back({role, arg.name});
        const bool kernel = hasKernel(opFor(node.kind).opClass) && (role == "weight" || role == "bias");
        Ints counts{arg.constant->elements()};
        for (const TensorSource& source : arg.sources) {
            if ((!source.real && !kernel) || source.name == arg.name) continue;
            node.tensors.push_back({sourceRole(role, counts.size() - 1), source.name});
            counts.push_back(source.elements);
        }
        if (counts.size() > 1) node.attrs.set(sourcesAttr(role), counts);
    }

    // A constant that goes where maps go becomes a layer of its own.
    Port portOf(const OnnxArg& arg)
    {
        if (!arg.constant) return m_known[arg.name].port;
        if (const auto made = m_constants.find(arg.name); made != m_constants.end()) return made->second;
        Node node = makeNode("Constant", arg.name);
        node.attrs.set("shape", Ints(arg.constant->dims));
        if (arg.named && isFloating(arg.constant->dtype) && arg.constant->elements() > 1) node.attrs.set("learned", true);
        bind(node, "value", arg);
        const Known kept = m_known[arg.name];
        const std::vector<Port> followed = follow(node, arg);
        std::vector<std::string> names;
        for (const Port& port : followed) names.push_back(m_draft.layer(port.node).outputNames[static_cast<std::size_t>(port.output)]);
        DraftLayer& layer = addLayer(std::move(node), followed, std::move(names), {arg.name});
        // What follows sizes is best written by the nodes that compute it.
        if (!arg.sizes.empty() || !arg.lengths.empty()) layer.fileNodes = {kept.madeBy};
        m_known[arg.name] = kept;
        return m_constants[arg.name] = {layer.node.id, 0};
    }

    // How a constant follows sizes; the maps that they are sizes of.
    std::vector<Port> follow(Node& node, const OnnxArg& arg) const
    {
        OnnxCall call;
        call.dataInputs.clear();
        call.image = m_image;
        call.imageValue = valueOf(m_image);
        std::vector<SizeExpr> known = arg.lengths;
        for (std::size_t i = 0; i < known.size(); ++i)
            if (!known[i].known()) known[i] = call.onlyHere(arg.constant->dims[i]);
        if (const auto lengths = call.sizesText(known); lengths && !lengths->empty()) node.attrs.set("sizes", *lengths);
        if (const auto numbers = arg.sizes.size() <= 64 ? call.sizesText(arg.sizes) : std::nullopt; numbers && !numbers->empty()) {
            node.attrs.set("numbers", *numbers);
            node.attrs.set("dtype", std::string(toString(arg.constant->dtype)));
        }
        return call.extraInputs;
    }

    void readOpaque(std::size_t index, const OnnxCall& call, const std::string& why)
    {
        const onnx::NodeProto& proto = *m_draft.fileNodes[index];
        Node node = makeNode("opaque", proto.name());
        node.attrs.set("onnx_op", call.type);
        node.attrs.set("why", why);
        node.attrs.set("counted", true);
        node.attrs.set("outputs", static_cast<std::int64_t>(std::max(1, proto.output_size())));
        std::vector<Port> ports;
        std::vector<std::string> names;
        for (std::size_t i = 0; i < call.args.size(); ++i) {
            const OnnxArg& arg = call.args[i];
            if (arg.name.empty()) continue;
            if (arg.constant) {
                const std::string role = "arg" + std::to_string(i);
                bind(node, role, arg);
                if (arg.named && isFloating(arg.constant->dtype)) setLearned(node, role, arg.constant->dims);
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
                if (known->second.initializer && isFloating(known->second.constant->dtype)) setLearned(node, "outer:" + name, known->second.constant->dims);
            } else if (std::find(names.begin(), names.end(), name) == names.end()) {
                ports.push_back(known->second.port);
                names.push_back(name);
            }
        }
        declareShapes(node, proto, ports);
        DraftLayer& layer = addLayer(std::move(node), std::move(ports), std::move(names), {proto.output().begin(), proto.output().end()});
        layer.fileNodes = {index};
    }

    // What the file says of the outputs, for inputs of the shapes that they have now.
    void declareShapes(Node& node, const onnx::NodeProto& proto, const std::vector<Port>& ports) const
    {
        const auto numbered = [](const char* name, std::size_t i) { return i == 0 ? std::string(name) : name + std::to_string(i); };
        for (int i = 0; i < proto.output_size(); ++i)
            if (const auto declared = declaredShape(proto.output(i))) node.attrs.set(numbered("declared_out", static_cast<std::size_t>(i)), *declared);
        for (std::size_t i = 0; i < ports.size(); ++i)
            if (const Shape shape = valueOf(ports[i]).shape; shape.hasRank())
                node.attrs.set(numbered("declared_in", i), Ints(shape.dims().begin(), shape.dims().end()));
    }

    // As far as its dimensions are numbers, or symbols of an input; nullopt where the file says nothing.
    std::optional<Ints> declaredShape(const std::string& name) const
    {
        if (m_declared.empty())
            for (const auto* list : {&m_model.graph().output(), &m_model.graph().value_info()})
                for (const auto& info : *list)
                    if (info.type().tensor_type().has_shape()) m_declared[info.name()] = &info.type().tensor_type().shape();
        const auto it = m_declared.find(name);
        if (it == m_declared.end() || it->second->dim_size() > Shape::kMaxRank) return std::nullopt;
        Ints dims;
        for (const auto& dim : it->second->dim()) {
            const auto symbol = dim.has_dim_param() ? m_symbols.find(dim.dim_param()) : m_symbols.end();
            dims.push_back(dim.dim_value() > 0 ? dim.dim_value() : symbol != m_symbols.end() ? symbol->second : kUnknown);
        }
        return dims;
    }

    void readOutputs()
    {
        for (const auto& output : m_model.graph().output()) {
            const auto known = m_known.find(output.name());
            if (known == m_known.end()) throw Error(ErrorCode::Format, "The output '" + output.name() + "' is made by no node.");
            const Port port = known->second.constant ? portOf(argOf(output.name())) : known->second.port;
            m_draft.outputs.push_back({output.name(), port});
        }
    }

    onnx::ModelProto& m_model;
    std::shared_ptr<const MappedFile> m_file;
    std::map<std::string, std::string> m_layouts;
    std::int64_t m_opset = 13;
    Evaluator m_evaluator;
    Draft m_draft;
    FixedSides m_fixed;
    std::unordered_map<std::string, Known> m_known;
    std::map<std::string, Port> m_constants;
    std::vector<std::string> m_initializers;
    std::vector<Issue> m_notes;
    Port m_image;
    std::unordered_set<std::string> m_read;  // values that a node, a subgraph or the network's outputs read
    std::unordered_map<std::string, const onnx::NodeProto*> m_makers;
    std::map<std::string, std::int64_t> m_symbols;  // of inputs: what each is taken for
    mutable std::map<std::string, const onnx::TensorShapeProto*> m_declared;
};

// An unedited network goes out with the nodes that its file has, calls of functions included.
Model asInFile(Model model, const onnx::ModelProto& proto, const MappedFile& file)
{
    auto origin = std::make_shared<OnnxOrigin>(*model.onnx);
    for (onnx::NodeProto node : proto.graph().node()) {
        restorePayloads(node, file);
        origin->calls.push_back(node.SerializeAsString());
    }
    model.onnx = std::move(origin);
    return model;
}

}  // namespace

namespace {

// Inputs whose channels look as if they came last: few, behind sizes that are left open or are many.
std::map<std::string, std::string> likelyLayouts(const onnx::ModelProto& proto)
{
    std::map<std::string, std::string> out;
    const auto areFew = [](const auto& dim) { return dim.dim_value() == 1 || dim.dim_value() == 3 || dim.dim_value() == 4; };
    for (const auto& input : proto.graph().input()) {
        const auto& shape = input.type().tensor_type().shape();
        if (shape.dim_size() == 4 && areFew(shape.dim(3)) && !areFew(shape.dim(1))) out.emplace(input.name(), "NHWC");
    }
    return out;
}

Model imported(onnx::ModelProto& proto, const std::shared_ptr<const MappedFile>& file)
{
    const auto likely = likelyLayouts(proto);
    Importer importer(proto, file, likely);
    auto layouts = importer.read();
    if (const auto single = importer.singlePictures(layouts); !single.empty()) layouts = Importer(proto, file, single).read();
    if (!importer.hasImage(layouts)) layouts = likely;  // nothing slides over any input: the usual reading tells more than none
    if (layouts == likely) return importer.finish();
    Importer again(proto, file, layouts);  // sizes are read by which of them are height and width
    again.read();
    return again.finish();
}

}  // namespace

Model readOnnx(const std::filesystem::path& path)
{
    const auto file = MappedFile::open(path);
    try {
        onnx::ModelProto proto = parseModel(*file);
        if (auto whole = withFunctionsInlined(proto)) return asInFile(imported(*whole, file), proto, *file);
        return imported(proto, file);
    } catch (Error& error) {
        throw error.within(path.filename().string());
    }
}

}  // namespace fovea
