// ONNX in and out. Payloads of tensors stay in the mapped file; an imported network that nobody edited goes
// out with the same nodes, names and byte-identical initializers, and after an edit untouched layers keep
// theirs.
#pragma once

#include "core/graph/graph.h"
#include "core/weights/weights.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fovea {

// What an ONNX file has beside its layers, kept so that it can be written back.
struct OnnxOrigin {
    std::string skeleton;  // serialized ModelProto without nodes and initializers
    struct FileNode {
        std::string bytes;  // serialized NodeProto (payloads of Constant nodes taken out, see `constants`)
        NodeId layer = kNoNode;  // the layer it belongs to; kNoNode: shape arithmetic and constants
    };
    std::vector<FileNode> nodes;              // in the file's order
    std::vector<std::string> initializers;    // names, in the file's order
    // Where nodes call functions of the model itself: the file's own list, in which they stand as calls; `nodes` are
    // those of their bodies.
    std::vector<std::string> calls;
};

// A network with its tensors and, for an import, what is needed to write it back as it was.
struct Model {
    Graph graph;
    Weights weights;
    std::shared_ptr<const OnnxOrigin> onnx;
};

Model readOnnx(const std::filesystem::path& path);

struct OnnxWriteOptions {
    bool useOrigin = true;     // false: every layer from Fovea's own records
    // Of a file from Fovea's own records, kOldestOpset to kNewestOpset; nullopt: kUsualOpset. Where the network keeps
    // nodes of a file, that file's opset is kept: another one writes it from the records.
    std::optional<std::int64_t> opset = std::nullopt;
    std::uint64_t seed = 0;    // for tensors that have no values yet
};
// Returns the names of tensors that were initialised because they had no values.
std::vector<std::string> writeOnnx(const Model& model, const std::filesystem::path& path, const OnnxWriteOptions& options = {});

// Why writeOnnx() would refuse, in a sentence; nullopt where it would write. It goes through all of it but the file.
std::optional<std::string> whyNotWritable(const Model& model, const OnnxWriteOptions& options = {});

// The same, asked of one network after the other that starts from `model`; empty where that has not come from an ONNX
// file, for what is made from Fovea's own records can always be written.
std::function<std::optional<std::string>(const Graph&)> refusalsFor(const Model& model);

// The opset that the network's own nodes are of, where it has come from an ONNX file.
std::optional<std::int64_t> opsetOf(const Model& model);

}  // namespace fovea
