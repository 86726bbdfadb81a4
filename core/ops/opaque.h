#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fovea {

struct Node;

// What a user says an opaque layer reads.
struct StatedReach {
    std::int64_t kernel = 1, stride = 1, padding = 0, dilation = 1;
    std::int64_t up = 1;  // the map becomes so many times as large, each unit a copy
    bool global = false;
};

// "k3s2p1d1" (k is needed, any order, each once), "up2", "global", "same"; nullopt for anything else.
std::optional<StatedReach> parseStatedReach(const std::string& text);

// What could not be read of an opaque layer, as a clause behind its name: "its weight is computed by Div, which is not
// followed".
std::string whyOpaque(const Node& node);

// Whether an operator of this type slides over its map, as far as its name tells: a convolution or a pooling.
bool slidesByName(std::string_view onnxType);

// Whether an operator of ONNX's own multiplies by no kernel or matrix, so that it costs no multiply-accumulates.
bool isWeightless(std::string_view onnxType);

}  // namespace fovea
