// A half-open box in pixels of an image: rows top .. bottom-1, columns left .. right-1.
#pragma once

#include <cstdint>

namespace fovea {

struct PixelBox {
    std::int64_t top = 0, left = 0, bottom = 0, right = 0;
    std::int64_t height() const { return bottom - top; }
    std::int64_t width() const { return right - left; }
    bool operator==(const PixelBox&) const = default;
};

}  // namespace fovea
