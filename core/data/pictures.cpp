#include "core/data/pictures.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

namespace fovea {

namespace {

struct Magic {
    std::string_view bytes;
    std::size_t at;
    const char* format;
};

using namespace std::string_view_literals;

// The files of one family (ISO 14496-12) say at byte 8 which brand they are.
constexpr std::array kMagics{Magic{"WEBP"sv, 8, "WebP"},      Magic{"GIF8"sv, 0, "GIF"},        Magic{"II*\0"sv, 0, "TIFF"},
                             Magic{"MM\0*"sv, 0, "TIFF"},     Magic{"II+\0"sv, 0, "TIFF"},      Magic{"MM\0+"sv, 0, "TIFF"},
                             Magic{"ftypavif"sv, 4, "AVIF"},  Magic{"ftypavis"sv, 4, "AVIF"},   Magic{"ftyphei"sv, 4, "HEIC"},
                             Magic{"ftyphev"sv, 4, "HEIC"},   Magic{"ftypmif1"sv, 4, "HEIC"},   Magic{"ftypmsf1"sv, 4, "HEIC"},
                             Magic{"\xff\x0a"sv, 0, "JPEG XL"}, Magic{"\0\0\0\x0cJXL "sv, 0, "JPEG XL"}, Magic{"\0\0\0\x0cjP  "sv, 0, "JPEG 2000"},
                             Magic{"8BPS"sv, 0, "Photoshop"}, Magic{"<svg"sv, 0, "SVG"},        Magic{"\x76\x2f\x31\x01"sv, 0, "OpenEXR"}};

struct Ending {
    std::string_view text;
    const char* format;
};

constexpr std::array kEndings{Ending{".webp", "WebP"}, Ending{".gif", "GIF"},  Ending{".tif", "TIFF"}, Ending{".tiff", "TIFF"},    Ending{".avif", "AVIF"},
                              Ending{".heic", "HEIC"}, Ending{".heif", "HEIC"}, Ending{".jxl", "JPEG XL"}, Ending{".jp2", "JPEG 2000"}, Ending{".psd", "Photoshop"},
                              Ending{".svg", "SVG"},   Ending{".exr", "OpenEXR"}};

}  // namespace

std::string pictureFormat(std::span<const std::byte> bytes)
{
    constexpr std::size_t kHead = 32;
    const std::string_view head(reinterpret_cast<const char*>(bytes.data()), std::min(bytes.size(), kHead));
    for (const Magic& magic : kMagics)
        if (head.size() >= magic.at && head.substr(magic.at).starts_with(magic.bytes)) return magic.format;
    return {};
}

std::string pictureFormat(const std::filesystem::path& path)
{
    std::string ending = path.extension().string();
    std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    for (const Ending& known : kEndings)
        if (ending == known.text) return known.format;
    return {};
}

}  // namespace fovea
