// Images out of the bytes of a file: JPEG, PNG and BMP, told apart by what they hold and not by their names.
#pragma once

#include "core/data/dataset.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace fovea {

// More pixels than any picture for training has; checked before anything is allocated.
inline constexpr std::int64_t kMaxPixels = std::int64_t{1} << 28, kMaxImageSide = 65535;

// 8 bits a channel. A JPEG is decoded at a half, a quarter or an eighth where no side falls below `leastSide` (0: full
// size), and turned as its EXIF orientation says. Alpha is dropped, as PyTorch's ImageFolder does.
// Error(Format | Limit): what is wrong with the bytes.
Image decodeImage(std::span<const std::byte> bytes, std::int64_t leastSide);

}  // namespace fovea
