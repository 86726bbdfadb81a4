// The .fovea format: versioned JSON, stable order, one node a line; weights beside it as
// NAME.HASH.safetensors, written before the document that names them is renamed into place.
#pragma once

#include "core/io/onnx/onnx.h"

#include <filesystem>
#include <string>

namespace fovea {

// Throws Error(File | Format | Limit). Missing weights are an error; a document without weights is fine.
Model readDocument(const std::filesystem::path& path);
void writeDocument(const Model& model, const std::filesystem::path& path);

// The JSON text alone, without weights: for tests, the clipboard and autosave.
std::string documentText(const Graph& graph);
Graph graphFromText(const std::string& text);

}  // namespace fovea
