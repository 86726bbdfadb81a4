// Collects the pieces of an ONNX file and streams them out: tensors go from where they are straight into the
// file.
#pragma once

#include "core/graph/tensor.h"
#include "core/io/onnx/proto.h"

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace fovea {

class ModelWriter {
public:
    explicit ModelWriter(onnx::ModelProto skeleton) : m_skeleton(std::move(skeleton)) {}

    onnx::ModelProto& skeleton() { return m_skeleton; }
    const onnx::ModelProto& skeleton() const { return m_skeleton; }
    void importDomain(const std::string& domain);  // version 1 where the file does not import it yet
    void addNode(std::string serialized) { m_nodes.push_back(std::move(serialized)); }
    // ONNX Runtime refuses two nodes of one name: `wanted`, with a number where it is taken.
    std::string uniqueNodeName(const std::string& wanted);
    // A name that a node makes: no initializer gets it.
    void reserveValue(const std::string& name) { m_values.insert(name); }
    // A name that a node will make at the end: no initializer gets it either.
    void promiseValue(const std::string& name) { m_promised.insert(name); }
    bool isValue(const std::string& name) const { return m_values.contains(name); }
    bool hasInitializer(const std::string& name) const { return m_index.contains(name); }
    // Adds a tensor once; under another name where something else already has this name. Returns its name.
    std::string addInitializer(const std::string& name, const Tensor& tensor);
    // The name under which a tensor called `name` of these dimensions was added; empty where none was.
    std::string made(const std::string& name, const std::vector<std::int64_t>& dims) const;

    // Writes atomically. Above `externalAbove` bytes of tensors they go into PATH.data beside the file,
    // because protobuf ends at 2 GiB.
    void write(const std::filesystem::path& path, std::uint64_t externalAbove) const;

private:
    onnx::ModelProto m_skeleton;
    std::vector<std::string> m_nodes;
    std::vector<std::pair<std::string, Tensor>> m_tensors;
    std::map<std::string, std::size_t> m_index;
    std::set<std::string> m_nodeNames, m_values, m_promised;
};

}  // namespace fovea
