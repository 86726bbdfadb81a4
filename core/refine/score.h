// What a network costs and wastes, as few numbers that plans are compared by.
#pragma once

#include "core/refine/plan.h"

#include <array>

namespace fovea::refine {

struct Score {
    int errors = 0;  // findings that make it no network at this side
    int wasted = 0;  // layers unproductive on one axis or on both
    int critical = 0;
    std::int64_t over = 0;       // pixels by which i_min exceeds the side, larger axis
    std::int64_t shortfall = 0;  // pixels by which the side exceeds i_max, larger axis
    std::int64_t gap = 0;  // the shortfall in whole sixteenths of the side: less makes no plan better than another
    std::int64_t macs = 0;
    // The next three only where a plan is made of it: bytes kept for a training step and alive for inference, and
    // the output stride.
    std::int64_t memory = 0, inference = 0, outputStride = 0;
    std::int64_t parameters = 0;
    std::int64_t reshaped = 0;  // parameters of layers whose tensors change shape, and of removed ones
    int lost = 0;               // layers that were productive and are no longer, or are gone
    int edits = 0;
    double excess = 0;  // octaves by which the fields of judged layers exceed the side, summed
    int judged = 0;     // layers that can be unproductive at all

    bool clean() const { return errors == 0 && wasted == 0 && critical == 0 && shortfall == 0; }
};

Score scoreOf(const Report& report);

// No field covers the image: the largest is smaller than the side on some axis. Not where fields are unknown.
bool isSmallField(const Report& report);
// Pixels between neighbouring units of the coarsest map of the feature extractor, rounded up.
PerAxis<std::int64_t> coarsestJump(const Report& report);

// The limits that the request states and this exceeds.
std::vector<Loosening> exceeded(const Score& score, const PlanRequest& limits);

// Whether `after` relieves what is wrong with `before`: no more errors, then fewer wasted layers, then fewer critical
// ones, then a field nearer to the side. What has errors relieves nothing.
bool relieves(const Score& after, const Score& before);
// All that plans are compared by where one is to be no worse than another in anything; less is better.
std::array<std::int64_t, 9> aims(const Score& score);
enum class Match { Beats, Equal, Neither };
// Beats: `a` is no worse than `b` in anything and better in something; Equal: the same in everything.
Match match(const Score& a, const Score& b);
// Best first, as the user wants it. `before` is the network as it is.
bool ranksBefore(const Score& a, const Score& b, Want want, const Score& before);
// One number that falls as layers become productive and rises with cost; for the search between plans.
double compromise(const Score& score, const Score& before);

}  // namespace fovea::refine
