// The built-in generator: images whose class is the arrangement of four marks, so that a first run needs no download
// and a receptive field that is too small or too coarse really hurts.
//
// An image holds one pattern: a square of `pattern` pixels with a short bar in each corner, one of every orientation
// (- | / \). The class is which bar stands in which corner. Around it lie `clutter` more bars of random orientations.
// So every class has the same bars, the same brightness and the same local statistics; a unit that sees less than the
// pattern sees bars that every class has, and a stem that throws detail away no longer tells the bars apart. Contrast,
// its sign, brightness, position, and each bar's own place vary, so no pixel by itself says anything.
//
// "patterns[:key=value,...]":
//   classes     10      2 to 24: four rotations of an arrangement, then those of the next
//   size        32      side of the image, 16 to 1024
//   pattern     13      side of the pattern, 2 * mark + 1 to `size`
//   mark        5       length of a bar, 3 to 64
//   place       anywhere  or centre, or corners (one of the image's four)
//   clutter     3       bars outside the arrangement, 0 to 64; fewer where there is no room
//   jitter      1       pixels by which each bar (and a pattern in the centre) may be off, 0 to mark
//   noise       0.05    deviation of the noise on every pixel, of the full range, 0 to 1
//   images      5000    to train on; 1 to 10 million
//   validation  1000    to validate; 1 to 10 million
//   seed        0
// An image depends on the seed, its part and its index alone; it is made when it is asked for.
#pragma once

#include "core/data/dataset.h"

#include <cstdint>
#include <string>

namespace fovea {

enum class PatternPlace { Centre, Anywhere, Corners };

struct PatternOptions {
    std::int64_t classes = 10, size = 32, pattern = 13, mark = 5, clutter = 3, jitter = 1;
    std::int64_t images = 5000, validation = 1000;
    PatternPlace place = PatternPlace::Anywhere;
    double noise = 0.05;
    std::uint64_t seed = 0;
    bool operator==(const PatternOptions&) const = default;
};

// Error(Usage): a key that does not exist, a value outside its range.
PatternOptions parsePatterns(const std::string& source);
DataParts openPatterns(const PatternOptions& options);

}  // namespace fovea
