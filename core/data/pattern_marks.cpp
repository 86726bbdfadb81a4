#include "core/data/pattern_marks.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace fovea {

namespace {

constexpr int kTries = 20;  // for a place that is free

bool overlaps(const Mark& a, const Mark& b, std::int64_t side)
{
    return std::abs(a.top - b.top) <= side && std::abs(a.left - b.left) <= side;  // with a pixel between
}

std::int64_t shaken(std::int64_t at, std::int64_t by, std::int64_t last, RandomStream& stream)
{
    const auto step = static_cast<std::int64_t>(stream.below(static_cast<std::uint64_t>(2 * by + 1))) - by;
    return std::clamp<std::int64_t>(at + step, 0, last);
}

std::int64_t upTo(std::int64_t last, RandomStream& stream)
{
    return static_cast<std::int64_t>(stream.below(static_cast<std::uint64_t>(last + 1)));
}

// The pattern's top left corner.
std::pair<std::int64_t, std::int64_t> cornerOf(const PatternOptions& options, RandomStream& stream)
{
    const std::int64_t room = options.size - options.pattern;
    switch (options.place) {
    case PatternPlace::Centre: {
        const std::int64_t top = shaken(room / 2, options.jitter, room, stream);
        return {top, shaken(room / 2, options.jitter, room, stream)};
    }
    case PatternPlace::Anywhere: {
        const std::int64_t top = upTo(room, stream);
        return {top, upTo(room, stream)};
    }
    case PatternPlace::Corners: {
        const std::uint64_t corner = stream.below(4);
        return {corner & 1 ? room : 0, corner & 2 ? room : 0};
    }
    }
    return {0, 0};
}

}  // namespace

std::array<int, 4> arrangement(int label)
{
    // Rotations of one order put every bar once into every corner, so that no corner alone says more than the others.
    constexpr std::array<std::array<int, 4>, 6> kOrders{
        {{0, 1, 2, 3}, {0, 3, 2, 1}, {0, 2, 1, 3}, {0, 3, 1, 2}, {0, 1, 3, 2}, {0, 2, 3, 1}}};
    const auto& order = kOrders[static_cast<std::size_t>(label / 4 % 6)];
    std::array<int, 4> out{};
    for (std::size_t i = 0; i < 4; ++i) out[i] = order[(i + static_cast<std::size_t>(label % 4)) % 4];
    return out;
}

std::vector<Mark> marksOf(const PatternOptions& options, int label, RandomStream& stream)
{
    const auto [top, left] = cornerOf(options, stream);
    const auto bars = arrangement(label);
    const std::int64_t far = options.pattern - options.mark, last = options.size - options.mark;
    const std::array<std::array<std::int64_t, 2>, 4> corners{{{0, 0}, {0, far}, {far, far}, {far, 0}}};
    std::vector<Mark> out;
    for (std::size_t i = 0; i < 4; ++i) {
        const std::int64_t y = shaken(top + corners[i][0], options.jitter, last, stream);
        out.push_back({bars[i], y, shaken(left + corners[i][1], options.jitter, last, stream)});
    }
    for (std::int64_t i = 0; i < options.clutter; ++i) {
        Mark mark{static_cast<int>(stream.below(4)), 0, 0};
        for (int tries = 0; tries < kTries; ++tries) {
            mark.top = upTo(last, stream);
            mark.left = upTo(last, stream);
            if (std::any_of(out.begin(), out.end(),
                            [&](const Mark& other) { return overlaps(mark, other, options.mark); }))
                continue;
            out.push_back(mark);
            break;
        }
    }
    return out;
}

std::vector<float> barShape(std::int64_t mark, int orientation)
{
    const double middle = (static_cast<double>(mark) - 1) / 2, half = std::max(0.7, static_cast<double>(mark) / 8);
    const double diagonal = std::sqrt(0.5);
    const std::array<std::array<double, 2>, 4> across{{{1, 0}, {0, 1}, {diagonal, diagonal}, {diagonal, -diagonal}}};
    const auto normal = across[static_cast<std::size_t>(orientation)];
    std::vector<float> out;
    for (std::int64_t y = 0; y < mark; ++y)
        for (std::int64_t x = 0; x < mark; ++x) {
            const double dy = static_cast<double>(y) - middle, dx = static_cast<double>(x) - middle;
            const double distance = std::abs(dy * normal[0] + dx * normal[1]), along = std::hypot(dy, dx);
            // A diagonal ends where an upright bar ends, so that all have the same length and brightness.
            const double ink = std::clamp(half + 0.5 - distance, 0.0, 1.0) * std::clamp(middle + 1 - along, 0.0, 1.0);
            out.push_back(static_cast<float>(ink));
        }
    float sum = 0;
    for (const float ink : out) sum += ink;
    const auto wanted = static_cast<float>(2 * half * static_cast<double>(mark - 1));
    for (float& ink : out) ink *= wanted / sum;
    return out;
}

}  // namespace fovea
