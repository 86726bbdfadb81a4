// Random numbers that depend on what they are for, not on when they are drawn: a stream is named by a seed and a
// few numbers (epoch, sample, purpose), so any order, any number of threads and any restart give the same.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>

namespace fovea {

// The next number of a stream of SplitMix64 (Steele, Lea, Flood 2014), which `state` is.
std::uint64_t nextSplitMix64(std::uint64_t& state);

class RandomStream {
public:
    RandomStream(std::uint64_t seed, std::initializer_list<std::uint64_t> place);

    std::uint64_t next();  // SplitMix64 (Steele, Lea, Flood 2014)
    double uniform();      // [0, 1)
    double uniform(double low, double high);
    std::uint64_t below(std::uint64_t bound);      // [0, bound), unbiased; 0 for bound 0
    void shuffle(std::span<std::int64_t> values);  // every order alike (Fisher and Yates)
    double normal();                               // mean 0, deviation 1 (Box and Muller)
    double gamma(double shape);                    // scale 1 (Marsaglia and Tsang 2000); shape > 0
    double beta(double a, double b);               // in (0, 1)

private:
    std::uint64_t m_state;
};

}  // namespace fovea
