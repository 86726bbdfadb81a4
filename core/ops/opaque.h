#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace fovea {

// What a user says an opaque layer reads.
struct StatedReach {
    std::int64_t kernel = 1, stride = 1, padding = 0, dilation = 1;
    bool global = false;
};

// "k3s2p1d1" (k is needed, any order, each once), "global", "same"; nullopt for anything else.
std::optional<StatedReach> parseStatedReach(const std::string& text);

}  // namespace fovea
