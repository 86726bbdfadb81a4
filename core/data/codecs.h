// One reader for each kind of file; where this build lacks a library, absent/ has one that says so.
#pragma once

#include "core/data/dataset.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace fovea {

using Bytes = std::span<const std::byte>;

Image decodeJpeg(Bytes bytes, std::int64_t leastSide);
Image decodePng(Bytes bytes);
Image decodeBmp(Bytes bytes);

// The first `most` bytes (or all, where there are fewer) of a gzip file. Error(Format) where it is damaged before that.
std::vector<std::byte> gunzip(Bytes bytes, std::size_t most);

// An image without pixels yet. Error(Format | Limit) for sides that no image has.
Image imageOf(std::int64_t height, std::int64_t width, std::int64_t channels);

// What lies in front of a JPEG's pixels.
struct JpegMarkers {
    int orientation = 1;  // of EXIF, 1 to 8; 1: upright
    bool adobe = false;   // whose CMYK is stored inverted
};
JpegMarkers jpegMarkers(Bytes bytes);
Image upright(Image image, int orientation);

}  // namespace fovea
