// Opens and writes networks of every format, by the file's ending or a zoo name.
#pragma once

#include "core/io/onnx/onnx.h"

#include <string>
#include <vector>

namespace fovea {

// Opens "x.onnx", "x.fovea", "zoo:NAME[,key=value...]" or the folder of a training run (core/recipe/run_folder.h), with
// the best weights there. Throws Error(File | Format | Usage | Limit).
Model openModel(const std::string& name);

// Writes by ending (.onnx, .fovea; .py with .safetensors beside it), atomically; returns the names of tensors that had no values yet and
// were initialised as PyTorch does (empty: none). Error(Usage) for an ending that nobody writes.
std::vector<std::string> saveModel(const Model& model, const std::string& path);

// Endings that openModel / saveModel take, with the dot.
std::vector<std::string> readableEndings();
std::vector<std::string> writableEndings();

}  // namespace fovea
