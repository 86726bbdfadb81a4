// Windows bitmaps without compression: 8 bits with a palette, 24 and 32 bits; bottom row first, or top row first where
// the height is negative.
#include "core/base/error.h"
#include "core/data/codecs.h"

#include <array>
#include <cstring>

namespace fovea {

namespace {

constexpr std::size_t kFileHeader = 14;

[[noreturn]] void broken(const std::string& why)
{
    throw Error(ErrorCode::Format, "The BMP image cannot be read: " + why + ".");
}

template <typename T>
T take(Bytes bytes, std::size_t at)
{
    T value;  // little-endian, as everywhere in Fovea
    if (bytes.size() < sizeof value || at > bytes.size() - sizeof value) broken("the file ends too early");
    std::memcpy(&value, bytes.data() + at, sizeof value);
    return value;
}

struct Header {
    std::int64_t height = 0, width = 0;
    bool topDown = false, old = false;  // old: OS/2's short header
    int bits = 0;
    std::size_t size = 0, pixels = 0, colours = 0;
};

void checkMasks(Bytes bytes)
{
    constexpr std::array<std::uint32_t, 3> kUsual{0xff0000, 0xff00, 0xff};
    for (std::size_t i = 0; i < 3; ++i)
        if (take<std::uint32_t>(bytes, kFileHeader + 40 + 4 * i) != kUsual[i])
            broken("its channels are in an unusual order");
}

Header headerOf(Bytes bytes)
{
    Header out;
    out.pixels = take<std::uint32_t>(bytes, 10);
    out.size = take<std::uint32_t>(bytes, kFileHeader);
    out.old = out.size == 12;
    if (!out.old && (out.size < 40 || out.size > 1024)) broken("its header has " + std::to_string(out.size) + " bytes");
    std::uint32_t compression = 0;
    if (out.old) {
        out.width = take<std::uint16_t>(bytes, kFileHeader + 4);
        out.height = take<std::uint16_t>(bytes, kFileHeader + 6);
        out.bits = take<std::uint16_t>(bytes, kFileHeader + 10);
        out.colours = 256;
    } else {
        out.width = take<std::int32_t>(bytes, kFileHeader + 4);
        out.height = take<std::int32_t>(bytes, kFileHeader + 8);
        out.bits = take<std::uint16_t>(bytes, kFileHeader + 14);
        compression = take<std::uint32_t>(bytes, kFileHeader + 16);
        out.colours = take<std::uint32_t>(bytes, kFileHeader + 32);
        if (out.colours == 0 || out.colours > 256) out.colours = 256;
    }
    out.topDown = out.height < 0;
    if (out.topDown) out.height = -out.height;
    if (out.bits != 8 && out.bits != 24 && out.bits != 32)
        broken("it has " + std::to_string(out.bits) + " bits a pixel; 8, 24 and 32 are read");
    if (compression == 3 && out.bits == 32) checkMasks(bytes);
    else if (compression != 0) broken("it is compressed");
    return out;
}

using Palette = std::array<std::array<std::uint8_t, 3>, 256>;  // red, green, blue

Palette paletteOf(Bytes bytes, const Header& header)
{
    Palette out{};
    const std::size_t step = header.old ? 3 : 4;
    for (std::size_t i = 0; i < header.colours; ++i)
        for (std::size_t c = 0; c < 3; ++c)
            out[i][c] = take<std::uint8_t>(bytes, kFileHeader + header.size + i * step + 2 - c);
    return out;
}

bool isGrey(const Palette& palette)
{
    for (const auto& colour : palette)
        if (colour[0] != colour[1] || colour[1] != colour[2]) return false;
    return true;
}

}  // namespace

Image decodeBmp(Bytes bytes)
{
    const Header header = headerOf(bytes);
    const Palette palette = header.bits == 8 ? paletteOf(bytes, header) : Palette{};
    Image image = imageOf(header.height, header.width, header.bits == 8 && isGrey(palette) ? 1 : 3);
    const auto height = static_cast<std::size_t>(image.height), width = static_cast<std::size_t>(image.width),
               channels = static_cast<std::size_t>(image.channels), step = static_cast<std::size_t>(header.bits) / 8;
    const std::size_t stride = (width * step + 3) / 4 * 4;  // rows start at multiples of four bytes
    if (header.pixels > bytes.size() || (bytes.size() - header.pixels) / stride < height)
        broken("it needs " + std::to_string(stride * height) + " bytes of pixels, but the file has " +
               std::to_string(bytes.size()) + " in all");
    image.pixels.resize(height * width * channels);
    for (std::size_t y = 0; y < height; ++y) {
        const auto* in = reinterpret_cast<const std::uint8_t*>(bytes.data()) + header.pixels +
                         (header.topDown ? y : height - 1 - y) * stride;
        std::uint8_t* out = image.pixels.data() + y * width * channels;
        for (std::size_t x = 0; x < width; ++x)
            for (std::size_t c = 0; c < channels; ++c) *out++ = step == 1 ? palette[in[x]][c] : in[x * step + 2 - c];
    }
    return image;
}

}  // namespace fovea
