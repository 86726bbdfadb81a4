// The safetensors format: an 8-byte length, a JSON header, then the tensors' bytes, little-endian.
// https://github.com/huggingface/safetensors
#pragma once

#include "core/weights/weights.h"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace fovea {

// A file laid out but not written: what goes before the tensors, and the tensors in their order. Points
// into the Weights it was made from.
struct SafetensorsLayout {
    std::string head;  // length and header, a multiple of 8 bytes
    std::vector<const Tensor*> tensors;
    std::uint64_t size = 0;  // of the whole file
};
using SafetensorsMetadata = std::map<std::string, std::string>;
SafetensorsLayout layOutSafetensors(const Weights& weights, const SafetensorsMetadata& metadata = {});

// Tensors of a .safetensors file, mapped; and a file written from tensors, atomically. Error(File | Format | Limit).
Weights readSafetensors(const std::filesystem::path& path, SafetensorsMetadata* metadata = nullptr);
void writeSafetensors(const Weights& weights, const std::filesystem::path& path,
                      const SafetensorsMetadata& metadata = {});

}  // namespace fovea
