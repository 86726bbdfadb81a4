// How an image becomes the network's input, as JSON: {"resize": 256, "order": "rgb" | "bgr", "mean": [...],
// "deviation": [...]}. The same object stands in documents, in messages and in an ONNX file's metadata.
#pragma once

#include "core/graph/preprocessing.h"
#include "core/io/json/json_reader.h"

namespace fovea {

Json toJson(const Preprocessing& preprocessing);
// Error(Format): a deviation of 0, lists of different lengths, sides that no image has.
Preprocessing preprocessingFrom(const JsonAt& at);

}  // namespace fovea
