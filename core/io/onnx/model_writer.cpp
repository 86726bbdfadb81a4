#include "core/io/onnx/model_writer.h"

#include "core/base/files.h"
#include "core/io/onnx/wire.h"

#include <memory>

#include <google/protobuf/io/coded_stream.h>

namespace fovea {

namespace {

constexpr std::uint32_t kNodeTag = (1 << 3) | 2, kInitializerTag = (5 << 3) | 2, kGraphTag = (7 << 3) | 2,
                        kRawDataTag = (9 << 3) | 2;

std::string varint(std::uint64_t value)
{
    std::uint8_t buffer[10];
    const std::uint8_t* end = google::protobuf::io::CodedOutputStream::WriteVarint64ToArray(value, buffer);
    return {reinterpret_cast<const char*>(buffer), static_cast<std::size_t>(end - buffer)};
}

// Bytes in front of a tensor's payload: the field's tag and length, the description, the payload's tag and length.
std::string tensorHead(const onnx::TensorProto& description, std::size_t payload, bool inFile)
{
    std::string body = description.SerializeAsString();
    if (inFile) body += varint(kRawDataTag) + varint(payload);
    return varint(kInitializerTag) + varint(body.size() + (inFile ? payload : 0)) + body;
}

bool sameTensor(const Tensor& a, const Tensor& b)
{
    return a.dtype == b.dtype && a.dims == b.dims && a.bytes.sameAs(b.bytes);
}

void addEntry(onnx::TensorProto& proto, const char* key, const std::string& value)
{
    auto* entry = proto.add_external_data();
    entry->set_key(key);
    entry->set_value(value);
}

}  // namespace

std::string ModelWriter::addInitializer(const std::string& name, const Tensor& tensor)
{
    std::string free = name;
    for (int i = 1;; ++i) {
        const auto found = m_index.find(free);
        if (found == m_index.end() && !m_values.contains(free) && !m_promised.contains(free)) break;
        if (found != m_index.end() && sameTensor(m_tensors[found->second].second, tensor)) return free;
        free = name + "_" + std::to_string(i);
    }
    m_index[free] = m_tensors.size();
    m_tensors.emplace_back(free, tensor);
    return free;
}

void ModelWriter::importDomain(const std::string& domain)
{
    for (const auto& import : m_skeleton.opset_import())
        if (import.domain() == domain) return;
    auto* import = m_skeleton.add_opset_import();
    import->set_domain(domain);
    import->set_version(1);
}

std::string ModelWriter::uniqueNodeName(const std::string& wanted)
{
    std::string name = wanted;
    for (int i = 1; !m_nodeNames.insert(name).second; ++i) name = wanted + "/" + std::to_string(i);
    return name;
}

std::string ModelWriter::made(const std::string& name, const std::vector<std::int64_t>& dims) const
{
    const auto found = m_index.find(name);
    return found != m_index.end() && m_tensors[found->second].second.dims == dims ? name : std::string();
}

void ModelWriter::write(const std::filesystem::path& path, std::uint64_t externalAbove) const
{
    std::uint64_t payload = 0;
    for (const auto& [name, tensor] : m_tensors) payload += tensor.bytes.size();
    const bool external = payload > externalAbove;
    const std::filesystem::path dataPath = path.string() + ".data";
    std::unique_ptr<AtomicFile> data;
    if (external) data = std::make_unique<AtomicFile>(dataPath);

    onnx::ModelProto outer = m_skeleton;
    const std::string graphRest = m_skeleton.graph().SerializeAsString();
    outer.clear_graph();
    const std::string outerBytes = outer.SerializeAsString();

    std::vector<std::string> heads;
    std::uint64_t graphSize = graphRest.size(), offset = 0;
    for (const std::string& node : m_nodes)
        graphSize += varint(kNodeTag).size() + varint(node.size()).size() + node.size();
    for (const auto& [name, tensor] : m_tensors) {
        onnx::TensorProto description = describeTensor(tensor, name);
        if (external) {
            description.set_data_location(onnx::TensorProto::EXTERNAL);
            addEntry(description, "location", dataPath.filename().string());
            addEntry(description, "offset", std::to_string(offset));
            addEntry(description, "length", std::to_string(tensor.bytes.size()));
            data->write(tensor.bytes);
            offset += tensor.bytes.size();
        }
        heads.push_back(tensorHead(description, tensor.bytes.size(), !external));
        graphSize += heads.back().size() + (external ? 0 : tensor.bytes.size());
    }
    if (data) data->commit();

    AtomicFile file(path);
    file.write(outerBytes + varint(kGraphTag) + varint(graphSize));
    std::string nodes;
    for (const std::string& node : m_nodes) nodes += varint(kNodeTag) + varint(node.size()) + node;
    file.write(nodes);
    for (std::size_t i = 0; i < heads.size(); ++i) {
        file.write(heads[i]);
        if (!external) file.write(m_tensors[i].second.bytes);
    }
    file.write(graphRest);
    file.commit();
}

}  // namespace fovea
