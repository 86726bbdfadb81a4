// The exact field of one unit, by propagating what it reads backward through the network, layer by layer. For
// uniform layers it equals the formula of fields.h; it is exact for every unit of every layer, at borders too.
#pragma once

#include "core/analysis/report.h"
#include "core/base/pixel_box.h"

#include <optional>
#include <string>
#include <vector>

namespace fovea {

struct UnitField {
    // Unclipped: intervals per axis, one rule per layer kind, the union over all paths; padding counts as pixels
    // outside the image. A layer that reads its whole map reads it at the present side. nullopt: it reads none.
    std::optional<PixelBox> box;
    // The smallest box around the pixels that it really reads; nullopt where it sees padding alone.
    std::optional<PixelBox> clipped;
    double paddingFraction = 0;  // share of `box` that is not in `clipped`
    bool unbounded = false;      // some path runs through a global layer
    PerAxis<std::int64_t> side;  // of the image
    std::vector<bool> pixels;    // row-major: which it reads
};

struct Unit {
    std::int64_t y = 0, x = 0;
    int output = 0;  // of the layer
};

// The unit in the middle of a layer's map: its size / 2, rounded down. Error(Usage) where there is no such layer
// or its size is unknown.
Unit centreUnit(const Graph& graph, const std::string& layer);

// `input` names the image; empty: the first of rank 4. Error(Usage) where there is no such layer or unit, where a
// size is unknown, or where a layer of unknown reach lies on the way (with its name).
UnitField unitField(const Graph& graph, const std::string& layer, const Unit& unit, const std::string& input = {});

}  // namespace fovea
