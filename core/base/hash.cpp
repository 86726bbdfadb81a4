#include "core/base/hash.h"

#include <bit>
#include <cstring>

namespace fovea {

namespace {

constexpr std::uint64_t kPrime1 = 0x9E3779B185EBCA87, kPrime2 = 0xC2B2AE3D27D4EB4F, kPrime3 = 0x165667B19E3779F9,
                        kPrime4 = 0x85EBCA77C2B2AE63, kPrime5 = 0x27D4EB2F165667C5;

template <typename T>
T take(std::string_view& text)
{
    T value;  // little-endian, as everywhere in Fovea
    std::memcpy(&value, text.data(), sizeof value);
    text.remove_prefix(sizeof value);
    return value;
}

std::uint64_t absorb(std::uint64_t lane, std::uint64_t value)
{
    return std::rotl(lane + value * kPrime2, 31) * kPrime1;
}

// Stripes of 32 bytes, in four lanes.
std::uint64_t stripes(std::string_view& text, std::uint64_t seed)
{
    std::uint64_t lanes[4] = {seed + kPrime1 + kPrime2, seed + kPrime2, seed, seed - kPrime1};
    while (text.size() >= 32)
        for (std::uint64_t& lane : lanes) lane = absorb(lane, take<std::uint64_t>(text));
    std::uint64_t hash =
        std::rotl(lanes[0], 1) + std::rotl(lanes[1], 7) + std::rotl(lanes[2], 12) + std::rotl(lanes[3], 18);
    for (const std::uint64_t lane : lanes) hash = (hash ^ absorb(0, lane)) * kPrime1 + kPrime4;
    return hash;
}

}  // namespace

std::uint64_t xxh64(std::string_view text, std::uint64_t seed)
{
    const std::uint64_t length = text.size();
    std::uint64_t hash = (length >= 32 ? stripes(text, seed) : seed + kPrime5) + length;
    while (text.size() >= 8) hash = std::rotl(hash ^ absorb(0, take<std::uint64_t>(text)), 27) * kPrime1 + kPrime4;
    if (text.size() >= 4) hash = std::rotl(hash ^ (take<std::uint32_t>(text) * kPrime1), 23) * kPrime2 + kPrime3;
    while (!text.empty()) hash = std::rotl(hash ^ (take<std::uint8_t>(text) * kPrime5), 11) * kPrime1;
    hash = (hash ^ (hash >> 33)) * kPrime2;
    hash = (hash ^ (hash >> 29)) * kPrime3;
    return hash ^ (hash >> 32);
}

}  // namespace fovea
