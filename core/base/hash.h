// XXH64 (https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md) of short texts, such as names. Own,
// because the engine is built where only LibTorch and a JSON library are at hand; long data goes to the library.
#pragma once

#include <cstdint>
#include <string_view>

namespace fovea {

std::uint64_t xxh64(std::string_view text, std::uint64_t seed);

}  // namespace fovea
