#include "tests/support/onnx_text.h"

#include "core/io/onnx/proto.h"
#include "tests/document/folder.h"

#include <fstream>
#include <stdexcept>

namespace fovea::test {

struct OnnxText::Proto {
    onnx::ModelProto model;
};

namespace {

onnx::TensorProto& named(onnx::TensorProto& tensor, const std::string& name, const Ints& dims, onnx::TensorProto::DataType type)
{
    tensor.set_name(name);
    tensor.set_data_type(type);
    for (const std::int64_t dim : dims) tensor.add_dims(dim);
    return tensor;
}

std::int64_t count(const Ints& dims)
{
    std::int64_t out = 1;
    for (const std::int64_t dim : dims) out *= dim;
    return out;
}

// "a,b" as names; an empty one is an input left out.
std::vector<std::string> names(std::string text)
{
    std::vector<std::string> out;
    for (std::size_t from = 0; from < text.size();) {
        const std::size_t to = std::min(text.find(',', from), text.size());
        out.push_back(text.substr(from, to - from));
        from = to + 1;
    }
    return out;
}

void set(onnx::NodeProto& node, const std::string& name, const OnnxText::Attribute& value)
{
    onnx::AttributeProto& attribute = *node.add_attribute();
    attribute.set_name(name);
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
        attribute.set_type(onnx::AttributeProto::INT);
        attribute.set_i(*number);
    } else if (const auto* real = std::get_if<double>(&value)) {
        attribute.set_type(onnx::AttributeProto::FLOAT);
        attribute.set_f(static_cast<float>(*real));
    } else if (const auto* text = std::get_if<std::string>(&value)) {
        attribute.set_type(onnx::AttributeProto::STRING);
        attribute.set_s(*text);
    } else {
        attribute.set_type(onnx::AttributeProto::INTS);
        for (const std::int64_t item : std::get<Ints>(value)) attribute.add_ints(item);
    }
}

}  // namespace

OnnxText::OnnxText(std::int64_t opset) : m_proto(std::make_unique<Proto>())
{
    m_proto->model.set_ir_version(7);
    m_proto->model.add_opset_import()->set_version(opset);
    m_proto->model.mutable_graph()->set_name("test");
}

OnnxText::~OnnxText() = default;
OnnxText::OnnxText(OnnxText&&) noexcept = default;

void OnnxText::input(const std::string& name, const std::vector<std::variant<std::int64_t, std::string>>& dims)
{
    auto& info = *m_proto->model.mutable_graph()->add_input();
    info.set_name(name);
    auto& type = *info.mutable_type()->mutable_tensor_type();
    type.set_elem_type(onnx::TensorProto::FLOAT);
    type.mutable_shape();
    for (const auto& dim : dims) {
        auto& to = *type.mutable_shape()->add_dim();
        if (const auto* size = std::get_if<std::int64_t>(&dim)) to.set_dim_value(*size);
        else to.set_dim_param(std::get<std::string>(dim));
    }
}

void OnnxText::wholeInput(const std::string& name, const std::vector<std::variant<std::int64_t, std::string>>& dims)
{
    input(name, dims);
    auto& graph = *m_proto->model.mutable_graph();
    graph.mutable_input(graph.input_size() - 1)->mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::UINT8);
}

void OnnxText::output(const std::string& name)
{
    auto& info = *m_proto->model.mutable_graph()->add_output();
    info.set_name(name);
    info.mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::FLOAT);
}

void OnnxText::reals(const std::string& name, const Ints& dims, std::vector<float> values)
{
    auto& tensor = named(*m_proto->model.mutable_graph()->add_initializer(), name, dims, onnx::TensorProto::FLOAT);
    for (std::int64_t i = static_cast<std::int64_t>(values.size()); i < count(dims); ++i) values.push_back(0.1f + 0.01f * static_cast<float>(i * 7 % 13));
    for (const float value : values) tensor.add_float_data(value);
}

void OnnxText::integers(const std::string& name, const Ints& dims, const Ints& values)
{
    auto& tensor = named(*m_proto->model.mutable_graph()->add_initializer(), name, dims, onnx::TensorProto::INT64);
    for (const std::int64_t value : values) tensor.add_int64_data(value);
}

void OnnxText::bytes(const std::string& name, const Ints& dims)
{
    auto& tensor = named(*m_proto->model.mutable_graph()->add_initializer(), name, dims, onnx::TensorProto::INT8);
    for (std::int64_t i = 0; i < count(dims); ++i) tensor.add_int32_data(static_cast<std::int32_t>(i * 7 % 255 - 127));
}

void OnnxText::constant(const std::string& name, const Ints& values)
{
    auto& node = *m_proto->model.mutable_graph()->add_node();
    node.set_op_type("Constant");
    node.add_output(name);
    auto& attribute = *node.add_attribute();
    attribute.set_name("value");
    attribute.set_type(onnx::AttributeProto::TENSOR);
    auto& tensor = named(*attribute.mutable_t(), name, {static_cast<std::int64_t>(values.size())}, onnx::TensorProto::INT64);
    for (const std::int64_t value : values) tensor.add_int64_data(value);
}

void OnnxText::node(const std::string& text, const Attributes& attributes)
{
    const std::size_t space = text.find(' '), arrow = text.find(" -> ");
    if (space == std::string::npos || arrow == std::string::npos) throw std::invalid_argument("no node: " + text);
    auto& node = *m_proto->model.mutable_graph()->add_node();
    node.set_op_type(text.substr(0, space));
    if (arrow > space)
        for (const std::string& name : names(text.substr(space + 1, arrow - space - 1))) node.add_input(name);
    for (const std::string& name : names(text.substr(arrow + 4))) node.add_output(name);
    node.set_name(node.output(0));
    for (const auto& [name, value] : attributes) set(node, name, value);
}

std::string OnnxText::serialized() const { return m_proto->model.SerializeAsString(); }

Model OnnxText::read() const
{
    const Folder folder;
    std::ofstream(folder / "test.onnx", std::ios::binary) << serialized();
    return readOnnx(folder / "test.onnx");
}

}  // namespace fovea::test
