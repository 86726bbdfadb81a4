// The orientation that a camera wrote beside its picture: JPEG's APP1 segment holds a TIFF directory (Exif 2.3, 4.6.2)
// whose tag 0x0112 is a number from 1 to 8.
#include "core/data/codecs.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace fovea {

namespace {

// Reads from a file's bytes; what lies outside reads as 0.
struct Reader {
    Bytes bytes;
    bool little = false;

    unsigned at(std::size_t place) const { return place < bytes.size() ? static_cast<unsigned>(bytes[place]) : 0; }
    unsigned two(std::size_t place) const
    {
        return little ? at(place) | at(place + 1) << 8 : at(place) << 8 | at(place + 1);
    }
    std::size_t four(std::size_t place) const
    {
        const std::size_t first = two(place), second = two(place + 2);
        return little ? first | second << 16 : first << 16 | second;
    }
    bool says(std::string_view text) const
    {
        for (std::size_t i = 0; i < text.size(); ++i)
            if (at(i) != static_cast<unsigned char>(text[i])) return false;
        return true;
    }
};

int orientationOf(Bytes tiff)
{
    Reader in{tiff, false};
    in.little = in.says("II");
    if (!in.little && !in.says("MM")) return 1;
    const std::size_t directory = in.four(4), entries = in.two(directory);
    for (std::size_t i = 0; i < entries; ++i) {
        const std::size_t entry = directory + 2 + 12 * i;
        if (entry + 12 > tiff.size()) break;
        if (in.two(entry) != 0x0112) continue;
        const unsigned value = in.two(entry + 8);
        return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
    }
    return 1;
}

}  // namespace

JpegMarkers jpegMarkers(Bytes bytes)
{
    JpegMarkers out;
    const Reader file{bytes};
    for (std::size_t at = 2; at + 4 <= bytes.size() && file.at(at) == 0xff;) {
        const unsigned marker = file.at(at + 1), length = file.two(at + 2);
        if (marker == 0xff) {
            ++at;  // padding
            continue;
        }
        if (marker == 0xda || length < 2 || length > bytes.size() - at - 2) break;
        const Bytes segment = bytes.subspan(at + 4, length - 2);
        const Reader in{segment};
        if (marker == 0xe1 && in.says(std::string_view("Exif\0\0", 6)))
            out.orientation = orientationOf(segment.subspan(6));
        if (marker == 0xee && in.says("Adobe")) out.adobe = true;
        at += 2 + length;
    }
    return out;
}

// 2: mirrored, 3: half a turn, 4: upside down and mirrored, 5 to 8: the same with rows and columns exchanged.
Image upright(Image image, int orientation)
{
    if (orientation == 1) return image;
    const bool exchange = orientation >= 5;
    const bool mirror = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    const bool flip = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    Image out{image.height, image.width, image.channels, std::vector<std::uint8_t>(image.pixels.size())};
    if (exchange) std::swap(out.height, out.width);
    std::size_t to = 0;
    for (std::int64_t y = 0; y < out.height; ++y)
        for (std::int64_t x = 0; x < out.width; ++x) {
            std::int64_t row = exchange ? x : y, column = exchange ? y : x;
            if (flip) row = image.height - 1 - row;
            if (mirror) column = image.width - 1 - column;
            const std::int64_t from = (row * image.width + column) * image.channels;
            for (std::int64_t c = 0; c < image.channels; ++c)
                out.pixels[to++] = image.pixels[static_cast<std::size_t>(from + c)];
        }
    return out;
}

}  // namespace fovea
