// Dimensions of a tensor as products of parts of the batch, the channels and the image's axes: what reshapes and
// transposes make of them. Space to depth, windows of an attention, frames folded into the batch and tokens are all
// read from here.
#pragma once

#include "core/graph/shape.h"

#include <optional>
#include <span>
#include <vector>

namespace fovea {

// `size` positions along an axis, `step` apart. Steps of height and width count units of the map's grid, the finest
// that its parts lie on; of other axes they say nothing.
struct Factor {
    Axis axis = Axis::Other;
    std::int64_t size = 1;
    std::int64_t step = 1;
    bool operator==(const Factor&) const = default;
};

// One dimension in row-major order, outermost factor first.
struct Dimension {
    std::vector<Factor> factors;
    // Positions joined in front and behind that belong to no map, such as class tokens.
    std::int64_t before = 0, after = 0;
    bool operator==(const Dimension&) const = default;

    std::int64_t size() const;  // kUnknown where a factor's is
    const Factor* find(Axis axis) const;  // outermost
};

Dimensions dimensionsOf(const Value& value);  // empty: unknown rank
// The value of these dimensions: neighbouring factors that continue one another are joined, and `folded` is null where
// each axis is one whole dimension.
Value valueOf(Dimensions dimensions);

// The same elements in the shape `sizes`; nullopt where its dimensions are not products of the old ones' factors, split
// where need be.
std::optional<Dimensions> reshaped(const Dimensions& from, std::span<const std::int64_t> sizes);

// Units of the grid along the image's axis, all parts of it together; kUnknown where one is.
std::int64_t gridSize(const Value& value, Axis axis);
// Distance on the grid between neighbouring units of the dimension that carries the axis.
std::int64_t gridStep(const Value& value, Axis axis);
// By how many units of the grid the parts of the axis that lie in other dimensions than its own and the batch's, mostly
// in the channels, reach beyond the first.
std::int64_t gridExtent(const Value& value, Axis axis);
// Images in the batch; 1 where none of the dimensions carries it.
std::int64_t batchOf(const Value& value);

// What becomes of an image axis where a layer reads whole dimensions of a value: nothing (`read` false), all of it is
// read (`whole`), or the part of it that lies there, `extent` units beyond the first, after which neighbouring units lie
// `stride` units of the old grid apart.
struct AxisRead {
    bool read = false, whole = false;
    std::int64_t stride = 1, extent = 0;
};
AxisRead axisRead(const Value& value, Axis axis, std::span<const int> dimensions);
// The value behind such a layer: those dimensions hold `into` alone, and grids are those that are left.
Value readWhole(const Value& value, std::span<const int> dimensions, Axis into = Axis::Channel);

// The value with another size of one dimension: as it was where the size is, else whole and of the axis that it carried.
void resize(Value& value, int dimension, std::int64_t size);

}  // namespace fovea
