// What Fovea keeps in an ONNX file's metadata_props: "fovea.preprocessing" holds the JSON of preprocessing_json.h.
#pragma once

#include "core/graph/graph.h"
#include "core/io/onnx/proto.h"

#include <optional>
#include <vector>

namespace fovea {

// Of an image of whole numbers (uint8) without a word: its values as they are, 0 to 255. Else nullopt where the file says
// nothing, or nothing that can be read: that is noted (where `notes` is given).
std::optional<Preprocessing> readPreprocessing(const onnx::ModelProto& model, std::vector<Issue>* notes);

// Leaves the metadata as it is where it says the same already.
void writePreprocessing(const std::optional<Preprocessing>& preprocessing, onnx::ModelProto& model);

}  // namespace fovea
