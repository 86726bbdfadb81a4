// The text of a .fovea file: what it holds, and the text itself.
#pragma once

#include "core/io/onnx/onnx.h"

#include <memory>
#include <string>
#include <string_view>

namespace fovea {

struct DocumentParts {
    Graph graph;
    std::shared_ptr<const OnnxOrigin> onnx;  // null: not imported
    std::string weights;                     // file name beside the document; empty: none
};

std::string composeDocument(const Graph& graph, const OnnxOrigin* onnx, const std::string& weights);

// Throws Error(Format | Limit) with the place of what is wrong.
DocumentParts parseDocument(std::string_view text);

}  // namespace fovea
