// Memory that the maps of a network need, at a batch size and element type.
//
// Training: what automatic differentiation keeps for the backward pass, as PyTorch's layers do, each tensor
// once however many layers keep it. Inference: what is alive while a layer runs, when every tensor is freed
// behind its last reader and no layer works in place. Parameters are listed apart; temporaries inside a
// layer (a convolution's workspace) are not counted, because they depend on the device.
#pragma once

#include "core/analysis/report.h"

#include <optional>
#include <string_view>
#include <vector>

namespace fovea {

enum class ElementType : std::uint8_t { Float64, Float32, Float16, BFloat16, Int8 };
inline constexpr ElementType kElementTypes[] = {ElementType::Float32, ElementType::Float16, ElementType::BFloat16, ElementType::Float64, ElementType::Int8};
const char* toString(ElementType type);  // PyTorch's names: "float32", ...
int bytesOf(ElementType type);
std::optional<ElementType> elementType(std::string_view name);

struct MemoryOptions {
    std::int64_t batch = 1;
    ElementType element = ElementType::Float32;
    bool operator==(const MemoryOptions&) const = default;
};

// Bytes.
struct LayerMemory {
    std::int64_t kept = 0;  // added by this layer to what the backward pass needs
    std::int64_t live = 0;  // alive while this layer runs for inference
};

struct MemoryReport {
    MemoryOptions options;
    std::vector<LayerMemory> layers;  // one per row of the report
    std::int64_t training = 0;        // all that is kept
    std::int64_t inference = 0;       // largest `live`
    std::optional<NodeId> peak;       // the layer where that is
    std::int64_t parameters = 0;
    bool complete = true;             // false: a layer that Fovea does not know, or a size, could not be counted
};

MemoryReport memoryOf(const Report& report, const MemoryOptions& options = {});

}  // namespace fovea
