// What one layer reads along one image axis. The one description yields both the output size and the
// receptive-field step, so the two cannot drift.
#pragma once

#include "core/base/rational.h"

#include <cstdint>

namespace fovea {

enum class ReachKind : std::uint8_t {
    Same,        // unit u reads unit u
    Window,      // a sliding window: unit u reads s*u - p .. s*u - p + (k-1)*d
    Transposed,  // transposed convolution: unit u reads ceil((u+p-e+1)/s) .. floor((u+p)/s)
    Resize,      // interpolation to scale * size, with `taps` units read along the axis
    Crop,        // unit u reads step*u + offset; a pad is a crop at a negative offset, a flip has a negative step
    Block,       // unit u reads stride*u .. stride*u + block-1, each on a path of its own: space to depth
    Global,      // every unit reads everything
    Unknown,     // nobody has said
};

// Where the centre of output unit u lies on the input's grid. Source: ONNX, Resize.
enum class CoordinateMode : std::uint8_t { HalfPixel, Asymmetric, AlignCorners, HalfPixelSymmetric, TfHalfPixel };

// Which unit a nearest resize takes: PyTorch's floor(u / scale), or the centre rounded.
enum class NearestMode : std::uint8_t { FloorOfScale, Floor, Ceil, PreferFloor, PreferCeil };

struct AxisReach {
    ReachKind kind = ReachKind::Same;
    std::int64_t kernel = 1, stride = 1, dilation = 1;  // Global: of a pooling, the map's own side
    std::int64_t padBegin = 0, padEnd = 0;
    bool ceilMode = false;
    std::int64_t outputPadding = 0;  // Transposed
    Rational scale = 1;              // Resize: output size / input size
    int taps = 1;                    // Resize: 1 nearest, 2 linear, 4 cubic
    CoordinateMode mode = CoordinateMode::HalfPixel;
    NearestMode nearest = NearestMode::FloorOfScale;
    bool antialias = false;               // Resize: a shrinking one reads all units that its output covers
    std::int64_t inSize = 0, outSize = 0;  // Resize, Transposed: of the map at the present size; 0 unknown
    std::int64_t offset = 0, step = 1, length = 0;  // Crop: first input unit, step, output size
    std::int64_t block = 1;          // Block
    bool approximate = false;        // the rule holds on average only

    std::int64_t effectiveKernel() const { return saturatingAdd(saturatingMul(kernel - 1, dilation), 1); }
    bool operator==(const AxisReach&) const = default;
};

struct Reach {
    AxisReach h, w;
    bool operator==(const Reach&) const = default;
};

// Output size along the axis for an input of `size` units, kUnknown (-1) where `size` is unknown or where
// the layer does not fit its input (a kernel wider than the padded map, a stride of 0).
// Windows and transposed convolutions follow PyTorch's and ONNX's formulas; ceil mode drops a last window
// that would start in the end padding, as PyTorch does.
std::int64_t outputSize(const AxisReach& reach, std::int64_t size);

// Units [first, last] of the input that unit `unit` of a Resize reads; outside the map where it reads beyond an edge.
struct ResizeRange {
    std::int64_t first, last;
};
ResizeRange resizeRange(const AxisReach& reach, std::int64_t unit);

// Over `units` units of its output a Resize advances by `inputs` units of its input.
struct ResizePeriod {
    std::int64_t units, inputs;
};
ResizePeriod resizePeriod(const AxisReach& reach);

}  // namespace fovea
