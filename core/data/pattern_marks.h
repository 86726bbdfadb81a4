// Where the marks of one generated image lie, and how they are drawn.
#pragma once

#include "core/base/random.h"
#include "core/data/patterns.h"

#include <array>
#include <vector>

namespace fovea {

struct Mark {
    int orientation = 0;             // 0 -, 1 |, 2 /, 3 (backslash)
    std::int64_t top = 0, left = 0;  // of the square of `mark` pixels that holds it
};

// The orientation in each corner (top left, top right, bottom right, bottom left) of a class.
std::array<int, 4> arrangement(int label);

// The pattern's four first, then the clutter.
std::vector<Mark> marksOf(const PatternOptions& options, int label, RandomStream& stream);

// How much of each pixel of the square a bar covers, 0 to 1: mark x mark.
std::vector<float> barShape(std::int64_t mark, int orientation);

}  // namespace fovea
