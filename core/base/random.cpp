#include "core/base/random.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

namespace fovea {

namespace {

constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15;

std::uint64_t mixed(std::uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
}

}  // namespace

// The count comes in first, so that {1} and {1, 0} are different places.
RandomStream::RandomStream(std::uint64_t seed, std::initializer_list<std::uint64_t> place)
    : m_state(mixed(seed + kGolden * (place.size() + 1)))
{
    for (const std::uint64_t part : place) m_state = mixed(m_state * kGolden + mixed(part + kGolden));
}

std::uint64_t nextSplitMix64(std::uint64_t& state) { return mixed(state += kGolden); }

std::uint64_t RandomStream::next() { return nextSplitMix64(m_state); }

double RandomStream::uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }

double RandomStream::uniform(double low, double high) { return low + (high - low) * uniform(); }

std::uint64_t RandomStream::below(std::uint64_t bound)
{
    if (bound == 0) return 0;
    const std::uint64_t surplus = -bound % bound;  // 2^64 modulo bound: so many values would come up once too often
    for (;;)
        if (const std::uint64_t value = next(); value >= surplus) return value % bound;
}

void RandomStream::shuffle(std::span<std::int64_t> values)
{
    for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[below(i)]);
}

double RandomStream::normal()
{
    const double radius = std::sqrt(-2 * std::log(1 - uniform()));  // 1 - uniform() is never 0
    return radius * std::cos(2 * std::numbers::pi * uniform());
}

double RandomStream::gamma(double shape)
{
    if (shape < 1) {
        const double larger = gamma(shape + 1);
        return larger * std::pow(1 - uniform(), 1 / shape);
    }
    const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
    for (;;) {
        const double x = normal(), root = 1 + c * x;
        if (root <= 0) continue;
        const double v = root * root * root;
        if (std::log(1 - uniform()) < 0.5 * x * x + d * (1 - v + std::log(v))) return d * v;
    }
}

double RandomStream::beta(double a, double b)
{
    const double x = gamma(a), y = gamma(b);
    // Both underflow for shapes near 0, where the distribution is a coin with sides 0 and 1.
    const double share = x + y > 0 ? x / (x + y) : uniform() * (a + b) < a ? 1.0 : 0.0;
    return std::clamp(share, std::numeric_limits<double>::min(), 1 - 0x1p-53);
}

}  // namespace fovea
