// Parses an ONNX file without copying its tensors: a bounded walk over the wire format takes large payloads
// out and leaves their place in the file, so that protobuf sees only the small rest.
#pragma once

#include "core/base/files.h"
#include "core/graph/tensor.h"
#include "core/io/onnx/proto.h"

#include <filesystem>
#include <memory>
#include <optional>

namespace fovea {

// Throws Error(Format | Limit) where the file is not ONNX, is cut off, or nests too deeply.
onnx::ModelProto parseModel(const MappedFile& file);

// The tensor of a proto that parseModel made. nullopt for element types that Fovea does not read (strings,
// complex numbers); Error(Format | File) where sizes and payload disagree or external data is not where it
// is said to be. `folder` holds external data.
std::optional<Tensor> readTensor(const onnx::TensorProto& proto, const std::shared_ptr<const MappedFile>& file);

// A payload that parseModel took out is put back as plain bytes.
void restorePayloads(onnx::NodeProto& node, const MappedFile& file);

// The proto's fields but the payload.
onnx::TensorProto describeTensor(const Tensor& tensor, const std::string& name);

}  // namespace fovea
