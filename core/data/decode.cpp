#include "core/data/decode.h"

#include "core/base/error.h"
#include "core/data/codecs.h"
#include "core/data/pictures.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

namespace fovea {

namespace {

bool startsWith(Bytes bytes, std::string_view magic)
{
    if (bytes.size() < magic.size()) return false;
    for (std::size_t i = 0; i < magic.size(); ++i)
        if (static_cast<char>(bytes[i]) != magic[i]) return false;
    return true;
}

std::string firstBytes(Bytes bytes)
{
    std::string out;
    for (const std::byte byte : bytes.first(std::min<std::size_t>(bytes.size(), 4))) {
        std::array<char, 4> text{};
        std::snprintf(text.data(), text.size(), " %02x", static_cast<unsigned>(byte));
        out += text.data();
    }
    return out;
}

}  // namespace

Image imageOf(std::int64_t height, std::int64_t width, std::int64_t channels)
{
    if (height < 1 || width < 1)
        throw Error(ErrorCode::Format,
                    "The image is said to be " + std::to_string(width) + " x " + std::to_string(height) + " pixels.");
    if (width > kMaxImageSide || height > kMaxImageSide || width > kMaxPixels / height)
        throw Error(ErrorCode::Limit, "The image is said to be " + std::to_string(width) + " x " +
                                          std::to_string(height) + " pixels; sides of up to " +
                                          std::to_string(kMaxImageSide) + " and at most " + std::to_string(kMaxPixels) +
                                          " pixels are read.");
    return {height, width, channels, {}};
}

Image decodeImage(Bytes bytes, std::int64_t leastSide)
{
    if (bytes.empty()) throw Error(ErrorCode::Format, "The file is empty; an image was expected.");
    if (startsWith(bytes, "\xff\xd8\xff")) return decodeJpeg(bytes, leastSide);
    if (startsWith(bytes, "\x89PNG")) return decodePng(bytes);
    if (startsWith(bytes, "BM")) return decodeBmp(bytes);
    if (const std::string format = pictureFormat(bytes); !format.empty())
        throw Error(ErrorCode::Format, "It is a " + format + " picture; Fovea reads JPEG, PNG and BMP: convert it.");
    throw Error(ErrorCode::Format,
                "The file is neither JPEG, PNG nor BMP: it starts with the bytes" + firstBytes(bytes) + ".");
}

}  // namespace fovea
