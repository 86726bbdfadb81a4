#include "core/io/onnx/wire.h"

#include "core/base/checked.h"
#include "core/base/error.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/wire_format_lite.h>

#include <charconv>
#include <cstring>
#include <limits>

namespace fovea {

namespace {

using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;

// Payloads of at most this many bytes stay in the proto.
constexpr std::uint32_t kInlineBytes = 64;
constexpr int kMaxDepth = 64;

enum class Message { Model, Graph, Node, Attribute, Tensor, Function, Other };

// The message type of a field that can hold tensors.
Message childOf(Message parent, int field)
{
    switch (parent) {
    case Message::Model: return field == 7 ? Message::Graph : field == 25 ? Message::Function : Message::Other;
    case Message::Graph: return field == 1 ? Message::Node : field == 5 ? Message::Tensor : Message::Other;
    case Message::Function: return field == 7 ? Message::Node : Message::Other;
    case Message::Node: return field == 5 ? Message::Attribute : Message::Other;
    case Message::Attribute: return field == 5 || field == 10 ? Message::Tensor : field == 6 || field == 11 ? Message::Graph : Message::Other;
    case Message::Tensor:
    case Message::Other: return Message::Other;
    }
    return Message::Other;
}

constexpr int kRawData = 9, kDocString = 12;

[[noreturn]] void broken(int position)
{
    throw Error(ErrorCode::Format, "This is not an ONNX model, or it is damaged: the data makes no sense at byte " + std::to_string(position) + ".");
}

void putVarint(std::string& out, std::uint64_t value)
{
    std::uint8_t buffer[10];
    const std::uint8_t* end = CodedOutputStream::WriteVarint64ToArray(value, buffer);
    out.append(reinterpret_cast<const char*>(buffer), static_cast<std::size_t>(end - buffer));
}

void putBytes(std::string& out, std::uint32_t tag, std::string_view bytes)
{
    putVarint(out, tag);
    putVarint(out, bytes.size());
    out.append(bytes);
}

class Stripper {
public:
    explicit Stripper(std::span<const std::byte> data)
        : m_data(reinterpret_cast<const char*>(data.data())), m_in(reinterpret_cast<const std::uint8_t*>(data.data()), static_cast<int>(data.size()))
    {
        m_in.SetTotalBytesLimit(std::numeric_limits<int>::max());
    }

    std::string strip(Message message, int end, int depth)
    {
        if (depth > kMaxDepth) throw Error(ErrorCode::Limit, "The model's subgraphs nest deeper than " + std::to_string(kMaxDepth / 3) + " levels, which Fovea does not open.");
        std::string out;
        while (m_in.CurrentPosition() < end) {
            const std::uint32_t tag = m_in.ReadTag();
            if (tag == 0) broken(m_in.CurrentPosition());
            field(message, tag, end, depth, out);
        }
        if (m_in.CurrentPosition() != end) broken(m_in.CurrentPosition());
        return out;
    }

private:
    void field(Message message, std::uint32_t tag, int end, int depth, std::string& out)
    {
        std::uint64_t number = 0;
        switch (tag & 7) {
        case 0:
            if (!m_in.ReadVarint64(&number)) broken(m_in.CurrentPosition());
            putVarint(out, tag);
            putVarint(out, number);
            return;
        case 1: copyFixed(tag, 8, end, out); return;
        case 5: copyFixed(tag, 4, end, out); return;
        case 2: lengthDelimited(message, tag, end, depth, out); return;
        default: broken(m_in.CurrentPosition());
        }
    }

    void copyFixed(std::uint32_t tag, int size, int end, std::string& out)
    {
        const int at = m_in.CurrentPosition();
        if (end - at < size || !m_in.Skip(size)) broken(at);
        putVarint(out, tag);
        out.append(m_data + at, static_cast<std::size_t>(size));
    }

    void lengthDelimited(Message message, std::uint32_t tag, int end, int depth, std::string& out)
    {
        std::uint32_t length = 0;
        if (!m_in.ReadVarint32(&length)) broken(m_in.CurrentPosition());
        const int at = m_in.CurrentPosition();
        if (length > static_cast<std::uint32_t>(end - at)) broken(at);
        const int fieldNumber = static_cast<int>(tag >> 3);
        const Message child = childOf(message, fieldNumber);
        if (child != Message::Other) {
            putBytes(out, tag, strip(child, at + static_cast<int>(length), depth + 1));
            return;
        }
        if (!m_in.Skip(static_cast<int>(length))) broken(at);
        // A tensor's description is nothing the program needs; in its place goes where the payload lies. The
        // file's own descriptions are dropped, so the mark cannot be forged.
        if (message == Message::Tensor && fieldNumber == kDocString) return;
        if (message == Message::Tensor && fieldNumber == kRawData && length > kInlineBytes) {
            putBytes(out, (kDocString << 3) | 2, std::to_string(at) + ":" + std::to_string(length));
            return;
        }
        putBytes(out, tag, std::string_view(m_data + at, length));
    }

    const char* m_data;
    CodedInputStream m_in;
};

struct Place {
    std::size_t offset, length;
};

std::optional<Place> placeOf(const onnx::TensorProto& proto)
{
    const std::string& text = proto.doc_string();
    const std::size_t colon = text.find(':');
    if (colon == std::string::npos) return std::nullopt;
    Place place{};
    std::from_chars(text.data(), text.data() + colon, place.offset);
    std::from_chars(text.data() + colon + 1, text.data() + text.size(), place.length);
    return place;
}

struct TypeRow {
    int onnx;
    DType type;
};
constexpr TypeRow kTypes[] = {{onnx::TensorProto::FLOAT, DType::Float32},   {onnx::TensorProto::DOUBLE, DType::Float64}, {onnx::TensorProto::FLOAT16, DType::Float16},
                              {onnx::TensorProto::BFLOAT16, DType::BFloat16}, {onnx::TensorProto::INT8, DType::Int8},    {onnx::TensorProto::UINT8, DType::UInt8},
                              {onnx::TensorProto::INT16, DType::Int16},     {onnx::TensorProto::UINT16, DType::UInt16}, {onnx::TensorProto::INT32, DType::Int32},
                              {onnx::TensorProto::UINT32, DType::UInt32},   {onnx::TensorProto::INT64, DType::Int64},   {onnx::TensorProto::UINT64, DType::UInt64},
                              {onnx::TensorProto::BOOL, DType::Bool}};

std::optional<DType> dtypeOf(int type)
{
    for (const TypeRow& row : kTypes)
        if (row.onnx == type) return row.type;
    return std::nullopt;
}

template <typename To, typename From>
void narrow(std::vector<std::byte>& out, const From& values)
{
    out.resize(static_cast<std::size_t>(values.size()) * sizeof(To));
    std::size_t at = 0;
    for (const auto value : values) {
        const To narrowed = static_cast<To>(value);
        std::memcpy(out.data() + at, &narrowed, sizeof narrowed);
        at += sizeof narrowed;
    }
}

// Values that the file keeps in typed fields instead of raw bytes.
std::vector<std::byte> typedBytes(const onnx::TensorProto& proto, DType type)
{
    std::vector<std::byte> out;
    switch (type) {
    case DType::Float32: narrow<float>(out, proto.float_data()); break;
    case DType::Float64: narrow<double>(out, proto.double_data()); break;
    case DType::Int64: narrow<std::int64_t>(out, proto.int64_data()); break;
    case DType::UInt64: narrow<std::uint64_t>(out, proto.uint64_data()); break;
    case DType::UInt32: narrow<std::uint32_t>(out, proto.uint64_data()); break;
    case DType::Int32: narrow<std::int32_t>(out, proto.int32_data()); break;
    case DType::Int16: narrow<std::int16_t>(out, proto.int32_data()); break;
    case DType::UInt16:
    case DType::Float16:
    case DType::BFloat16: narrow<std::uint16_t>(out, proto.int32_data()); break;
    case DType::Int8: narrow<std::int8_t>(out, proto.int32_data()); break;
    case DType::UInt8:
    case DType::Bool: narrow<std::uint8_t>(out, proto.int32_data()); break;
    }
    return out;
}

std::int64_t numberOf(const std::string& text, const std::string& tensor)
{
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < 0)
        throw Error(ErrorCode::Format, "Tensor '" + tensor + "' has external data at '" + text + "', which is no position.");
    return value;
}

void attachExternal(Tensor& tensor, const onnx::TensorProto& proto, const std::filesystem::path& model, std::int64_t expected)
{
    std::string location;
    std::int64_t offset = 0;
    for (const auto& entry : proto.external_data()) {
        if (entry.key() == "location") location = entry.value();
        else if (entry.key() == "offset") offset = numberOf(entry.value(), proto.name());
        else if (entry.key() == "length" && numberOf(entry.value(), proto.name()) != expected)
            throw Error(ErrorCode::Format, "Tensor '" + proto.name() + "' needs " + std::to_string(expected) + " bytes for its shape but its external data says " + entry.value() + ".");
    }
    namespace fs = std::filesystem;
    std::error_code ignored;
    const fs::path folder = fs::weakly_canonical(model.has_parent_path() ? model.parent_path() : fs::path("."), ignored);
    const fs::path path = fs::weakly_canonical(folder / location, ignored);
    const auto inside = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first == folder.end();
    if (location.empty() || fs::path(location).is_absolute() || !inside)
        throw Error(ErrorCode::Format, "Tensor '" + proto.name() + "' keeps its data in '" + location + "', which is outside the model's folder.");
    const auto data = MappedFile::open(path);
    const auto size = static_cast<std::int64_t>(data->bytes().size());
    if (offset > size || expected > size - offset)
        throw Error(ErrorCode::Format, "Tensor '" + proto.name() + "' needs " + std::to_string(expected) + " bytes at " + std::to_string(offset) + " of '" + location +
                                           "', which has only " + std::to_string(size) + ".");
    tensor.bytes = data->bytes().subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(expected));
    tensor.owner = data;
}

}  // namespace

onnx::ModelProto parseModel(const MappedFile& file)
{
    const auto bytes = file.bytes();
    if (bytes.empty()) throw Error(ErrorCode::Format, "The file is empty; an ONNX model was expected.");
    if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
        throw Error(ErrorCode::Limit, "The file has " + std::to_string(bytes.size()) + " bytes; an ONNX file holds at most 2 GiB and keeps the rest as external data.");
    const std::string small = Stripper(bytes).strip(Message::Model, static_cast<int>(bytes.size()), 0);
    onnx::ModelProto model;
    if (!model.ParseFromString(small)) throw Error(ErrorCode::Format, "This is not an ONNX model, or it is damaged: its fields cannot be read.");
    if (!model.has_graph()) throw Error(ErrorCode::Format, "The file holds no network: there is no graph in it.");
    return model;
}

std::optional<Tensor> readTensor(const onnx::TensorProto& proto, const std::shared_ptr<const MappedFile>& file)
{
    if (!onnx::TensorProto::DataType_IsValid(proto.data_type()) || proto.data_type() == onnx::TensorProto::UNDEFINED)
        throw Error(ErrorCode::Format, "Tensor '" + proto.name() + "' has the element type " + std::to_string(proto.data_type()) + ", which does not exist.");
    const auto type = dtypeOf(proto.data_type());
    if (!type || proto.has_segment()) return std::nullopt;
    Tensor tensor;
    tensor.dtype = *type;
    std::int64_t expected = static_cast<std::int64_t>(byteSize(*type));
    for (const std::int64_t dim : proto.dims()) {
        const auto next = dim < 0 ? std::nullopt : checkedMul(expected, dim);
        if (!next) throw Error(ErrorCode::Format, "Tensor '" + proto.name() + "' has a dimension of " + std::to_string(dim) + ", which cannot be.");
        expected = *next;
        tensor.dims.push_back(dim);
    }
    if (proto.data_location() == onnx::TensorProto::EXTERNAL) {
        attachExternal(tensor, proto, file->path(), expected);
        return tensor;
    }
    if (const auto place = placeOf(proto)) {
        tensor.bytes = file->bytes().subspan(place->offset, place->length);
        tensor.owner = file;
    } else {
        auto buffer = std::make_shared<std::vector<std::byte>>();
        if (proto.has_raw_data()) {
            const auto raw = std::as_bytes(std::span(proto.raw_data().data(), proto.raw_data().size()));
            buffer->assign(raw.begin(), raw.end());
        } else {
            *buffer = typedBytes(proto, *type);
        }
        tensor.bytes = *buffer;
        tensor.owner = buffer;
    }
    if (static_cast<std::int64_t>(tensor.bytes.size()) != expected)
        throw Error(ErrorCode::Format, "Tensor '" + proto.name() + "' should have " + std::to_string(expected) + " bytes for its shape but has " +
                                           std::to_string(tensor.bytes.size()) + ".");
    return tensor;
}

namespace {

void restore(onnx::TensorProto& tensor, const MappedFile& file)
{
    const auto place = placeOf(tensor);
    if (!place) return;
    const auto bytes = file.bytes().subspan(place->offset, place->length);
    tensor.set_raw_data(bytes.data(), bytes.size());
    tensor.clear_doc_string();
}

void restore(onnx::GraphProto& graph, const MappedFile& file)
{
    for (auto& tensor : *graph.mutable_initializer()) restore(tensor, file);
    for (auto& node : *graph.mutable_node()) restorePayloads(node, file);
}

}  // namespace

void restorePayloads(onnx::NodeProto& node, const MappedFile& file)
{
    for (auto& attribute : *node.mutable_attribute()) {
        if (attribute.has_t()) restore(*attribute.mutable_t(), file);
        for (auto& tensor : *attribute.mutable_tensors()) restore(tensor, file);
        if (attribute.has_g()) restore(*attribute.mutable_g(), file);
        for (auto& graph : *attribute.mutable_graphs()) restore(graph, file);
    }
}

onnx::TensorProto describeTensor(const Tensor& tensor, const std::string& name)
{
    onnx::TensorProto proto;
    proto.set_name(name);
    for (const TypeRow& row : kTypes)
        if (row.type == tensor.dtype) proto.set_data_type(row.onnx);
    for (const std::int64_t dim : tensor.dims) proto.add_dims(dim);
    return proto;
}

}  // namespace fovea
