#include "core/io/safetensors/safetensors.h"

#include "core/base/checked.h"
#include "core/base/files.h"
#include "core/io/json/base64.h"
#include "core/io/json/json_reader.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace fovea {

namespace {

constexpr std::size_t kMaxHeader = 100'000'000;  // as the reference implementation bounds it
constexpr std::int64_t kHighest = std::numeric_limits<std::int64_t>::max();
constexpr const char* kMetadata = "__metadata__";
constexpr std::string_view kEscape = "base64:";

// A header's keys must be UTF-8 and "__metadata__" is taken; ONNX names may be anything.
std::string keyOf(const std::string& name)
{
    const bool plain = isUtf8(name) && name != kMetadata && !name.starts_with(kEscape);
    return plain ? name : std::string(kEscape) + toBase64(name);
}

std::string nameOf(const std::string& key)
{
    if (!key.starts_with(kEscape)) return key;
    return fromBase64(std::string_view(key).substr(kEscape.size())).value_or(key);
}

void appendEntry(std::string& header, const std::string& name, const Tensor& tensor, std::uint64_t offset)
{
    header += header.size() > 1 ? ",\n" : "";
    header += Json(keyOf(name)).dump() + ":{\"dtype\":\"" + std::string(toString(tensor.dtype)) + "\",\"shape\":[";
    for (std::size_t i = 0; i < tensor.dims.size(); ++i) header += (i ? "," : "") + std::to_string(tensor.dims[i]);
    header += "],\"data_offsets\":[" + std::to_string(offset) + "," + std::to_string(offset + tensor.bytes.size()) + "]}";
}

// Bytes that dims and type ask for; Error(Format) where that is no number.
std::int64_t bytesFor(const JsonAt& shape, const Ints& dims, DType type)
{
    std::int64_t count = static_cast<std::int64_t>(byteSize(type));
    for (const std::int64_t dim : dims) {
        const auto next = checkedMul(count, dim);
        if (!next) shape.wrong("describes more bytes than can be counted");
        count = *next;
    }
    return count;
}

Tensor tensorAt(const std::string& name, const JsonAt& at, std::span<const std::byte> data, std::shared_ptr<const MappedFile> file)
{
    Tensor tensor;
    const std::string typeName = at.at("dtype").text();
    const auto type = dtypeFromText(typeName);
    if (!type) at.at("dtype").wrong("is '" + typeName + "', a type that Fovea does not read");
    tensor.dtype = *type;
    const JsonAt shape = at.at("shape"), offsets = at.at("data_offsets");
    for (std::size_t i = 0; i < shape.size(); ++i) tensor.dims.push_back(shape[i].integer(0, kHighest));
    if (offsets.size() != 2) offsets.wrong("must have 2 elements, but has " + std::to_string(offsets.size()));
    const std::int64_t size = static_cast<std::int64_t>(data.size());
    const std::int64_t begin = offsets[0].integer(0, kHighest), end = offsets[1].integer(begin, kHighest);
    if (end > size)
        throw Error(ErrorCode::Format, "The file is cut: tensor '" + nameOf(name) + "' would end at byte " + std::to_string(end) +
                                           " of the data, but there are " + std::to_string(size) + ".");
    const std::int64_t wanted = bytesFor(shape, tensor.dims, *type);
    if (end - begin != wanted)
        offsets.wrong("span " + std::to_string(end - begin) + " bytes, but the shape needs " + std::to_string(wanted));
    tensor.bytes = data.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(wanted));
    tensor.owner = std::move(file);
    return tensor;
}

Weights parse(const std::shared_ptr<const MappedFile>& file, SafetensorsMetadata* metadata)
{
    const std::span<const std::byte> bytes = file->bytes();
    std::uint64_t length = 0;
    if (bytes.size() < sizeof length)
        throw Error(ErrorCode::Format, "The file has " + std::to_string(bytes.size()) + " bytes; a safetensors file has at least 8.");
    std::memcpy(&length, bytes.data(), sizeof length);
    const std::size_t room = std::min(bytes.size() - sizeof length, kMaxHeader);
    if (length > room)
        throw Error(ErrorCode::Format, "The header claims " + std::to_string(length) + " bytes, but at most " +
                                           std::to_string(room) + " are possible here: the file is cut or not safetensors.");
    const std::string_view header(reinterpret_cast<const char*>(bytes.data()) + sizeof length, static_cast<std::size_t>(length));
    const auto data = bytes.subspan(sizeof length + static_cast<std::size_t>(length));
    // Real networks have some thousand tensors; looking a key up is linear, so an absurd header is refused.
    const Json root = parseJson(header, {.depth = 4, .keys = 20'000});
    const JsonAt top(root);
    Weights out;
    for (const auto& [key, value] : top.object().items())
        if (key != kMetadata) out.set(nameOf(key), tensorAt(key, top.inside(value), data, file));
    if (const auto found = top.find(kMetadata); found && metadata)
        for (const auto& [key, value] : found->object().items()) (*metadata)[key] = found->inside(value).text();
    return out;
}

}  // namespace

SafetensorsLayout layOutSafetensors(const Weights& weights, const SafetensorsMetadata& metadata)
{
    SafetensorsLayout layout;
    std::vector<std::pair<const std::string*, const Tensor*>> order;
    for (const auto& [name, tensor] : weights.tensors()) order.emplace_back(&name, &tensor);
    // Wide types first keeps every tensor aligned to its own size without holes, which readers refuse.
    std::stable_sort(order.begin(), order.end(),
                     [](const auto& a, const auto& b) { return byteSize(a.second->dtype) > byteSize(b.second->dtype); });
    std::string header = "{";
    if (!metadata.empty()) header += Json(kMetadata).dump() + ":" + Json(metadata).dump();
    std::uint64_t offset = 0;
    for (const auto& [name, tensor] : order) {
        appendEntry(header, *name, *tensor, offset);
        offset += tensor->bytes.size();
        layout.tensors.push_back(tensor);
    }
    header += "}";
    header.resize((header.size() + 7) / 8 * 8, ' ');
    const std::uint64_t length = header.size();
    layout.head.assign(reinterpret_cast<const char*>(&length), sizeof length);
    layout.head += header;
    layout.size = layout.head.size() + offset;
    return layout;
}

Weights readSafetensors(const std::filesystem::path& path, SafetensorsMetadata* metadata)
{
    const auto file = MappedFile::open(path);
    try {
        return parse(file, metadata);
    } catch (Error& error) {
        throw error.within(path.filename().string());
    }
}

void writeSafetensors(const Weights& weights, const std::filesystem::path& path, const SafetensorsMetadata& metadata)
{
    const SafetensorsLayout layout = layOutSafetensors(weights, metadata);
    AtomicFile file(path);
    file.write(layout.head);
    for (const Tensor* tensor : layout.tensors) file.write(tensor->bytes);
    file.commit();
}

}  // namespace fovea
