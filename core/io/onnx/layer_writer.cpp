#include "core/io/onnx/layer_writer.h"

#include "core/io/onnx/names.h"
#include "core/io/onnx/wire.h"
#include "core/ops/registry.h"

#include <algorithm>

namespace fovea {

LayerWriter::LayerWriter(const NodeView& view, DType element, std::vector<std::string> inputs,
                         std::vector<std::string> outputs, const File& file)
    : m_view(view), m_element(element), m_inputs(std::move(inputs)), m_outputs(std::move(outputs)), m_file(file)
{}

namespace {

const Value& at(std::span<const Value> values, std::size_t index)
{
    static const Value unknown;
    return index < values.size() ? values[index] : unknown;
}

const ParamSpec* find(const std::vector<ParamSpec>& specs, std::string_view role)
{
    for (const ParamSpec& spec : specs)
        if (spec.role == role) return &spec;
    return nullptr;
}

std::int64_t count(const Ints& dims)
{
    std::int64_t total = 1;
    for (const std::int64_t dim : dims) total *= dim;
    return total;
}

}  // namespace

const Value& LayerWriter::inputValue(std::size_t index) const { return at(m_view.in, index); }

const Value& LayerWriter::outputValue(std::size_t index) const { return at(m_view.out, index); }

bool LayerWriter::hasTensor(std::string_view role) const { return m_view.node.tensor(role) != nullptr; }

std::string LayerWriter::freshName(const std::string& suffix)
{
    std::string name = m_view.node.name + "/" + suffix;
    for (int i = 1; !m_file.taken.insert(name).second; ++i) name = m_view.node.name + "/" + suffix + "_" + std::to_string(i);
    return name;
}

Tensor LayerWriter::valuesOf(const ParamSpec& spec, const std::string& name)
{
    const Tensor* stored = m_file.weights.find(name);
    const bool known = std::all_of(spec.dims.begin(), spec.dims.end(), [](std::int64_t dim) { return dim >= 0; });
    if (!known && stored) return *stored;
    if (!known)
        throw Error(ErrorCode::Usage,
                    "The size of '" + name + "' is unknown at this input size; mend the findings before exporting.");
    // An exporter may have flattened it, say to one value per channel.
    if (stored && stored->dims != spec.dims && stored->elements() == count(spec.dims)) {
        Tensor view = *stored;
        view.dims = spec.dims;
        return view;
    }
    Tensor values = fovea::valuesFor(spec, name, m_view.node, stored, m_file.seed, &m_file.fresh);
    const bool real = m_element == DType::Float16 || m_element == DType::BFloat16 || m_element == DType::Float64;
    return stored || !real ? values : ofType(std::move(values), m_element);
}

std::string LayerWriter::tensor(std::string_view role, const Ints& dims)
{
    const auto specs = specsOf(m_view);
    const ParamSpec* spec = find(specs, role);
    const std::string name = m_view.node.tensorName(role);
    const Tensor* stored = m_file.weights.find(name);
    if (!spec && !stored)
        throw Error(ErrorCode::Usage,
                    "The layer '" + m_view.node.name + "' needs the tensor '" + name + "', which is not there.");
    // A tensor that several layers share is written once, whether a node of the file makes it or it had to be made.
    const Ints& wanted = !dims.empty() ? dims : spec ? spec->dims : stored->dims;
    if (stored && m_file.writer.isValue(name) && stored->dims == wanted) return name;
    if (stored && stored->dims == wanted && m_file.helpers)
        if (const auto computed = m_file.helpers->tensor(name)) return *computed;
    if (!spec) return m_file.writer.addInitializer(name, *stored);
    if (const std::string done = m_file.writer.made(name, wanted); !done.empty()) return done;
    Tensor values = valuesOf(*spec, name);
    if (!dims.empty() && count(dims) == values.elements()) values.dims = dims;
    return m_file.writer.addInitializer(name, values);
}

std::string LayerWriter::constant(const Tensor& tensor)
{
    return m_file.writer.addInitializer(freshName("constant"), tensor);
}

std::string LayerWriter::emit(std::string_view type, std::vector<std::string> inputs, OnnxAttrs attrs,
                              std::vector<std::string> outputs)
{
    onnx::NodeProto node;
    const std::size_t colons = type.find("::");
    const std::string domain(colons == std::string_view::npos ? std::string_view() : type.substr(0, colons));
    if (!domain.empty()) m_file.writer.importDomain(domain);
    type = domain.empty() ? type : type.substr(colons + 2);
    node.set_op_type(std::string(type));
    node.set_domain(domain);
    node.set_name(m_file.writer.uniqueNodeName(m_view.node.name));
    node.set_doc_string(tagText({m_view.node.kind, m_view.node.name, m_view.node.group}));
    if (outputs.empty()) outputs.push_back(freshName(std::string(type) + "_output"));
    while (!inputs.empty() && inputs.back().empty()) inputs.pop_back();
    for (const std::string& input : inputs) node.add_input(input);
    for (const std::string& output : outputs) node.add_output(output);
    for (const auto& [name, value] : attrs) {
        auto* attribute = node.add_attribute();
        attribute->set_name(name);
        if (const auto* number = std::get_if<std::int64_t>(&value)) {
            attribute->set_type(onnx::AttributeProto::INT);
            attribute->set_i(*number);
        } else if (const auto* real = std::get_if<double>(&value)) {
            attribute->set_type(onnx::AttributeProto::FLOAT);
            attribute->set_f(static_cast<float>(*real));
        } else if (const auto* text = std::get_if<std::string>(&value)) {
            attribute->set_type(onnx::AttributeProto::STRING);
            attribute->set_s(*text);
        } else if (const auto* list = std::get_if<Ints>(&value)) {
            attribute->set_type(onnx::AttributeProto::INTS);
            for (const std::int64_t item : *list) attribute->add_ints(item);
        } else if (const auto* reals = std::get_if<std::vector<double>>(&value)) {
            attribute->set_type(onnx::AttributeProto::FLOATS);
            for (const double item : *reals) attribute->add_floats(static_cast<float>(item));
        } else {
            const Tensor& tensor = std::get<Tensor>(value);
            attribute->set_type(onnx::AttributeProto::TENSOR);
            *attribute->mutable_t() = describeTensor(tensor, name);
            attribute->mutable_t()->set_raw_data(tensor.bytes.data(), tensor.bytes.size());
        }
    }
    m_file.writer.addNode(node.SerializeAsString());
    return outputs[0];
}

}  // namespace fovea
