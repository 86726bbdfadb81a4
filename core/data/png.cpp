// libpng leaves its errors with longjmp: between setjmp and the last call no object with a destructor is made.
#include "core/base/error.h"
#include "core/data/codecs.h"

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstring>

#include <png.h>

namespace fovea {

namespace {

constexpr png_uint_32 kMaxSide = 1 << 24;

struct Reading {
    Bytes left;
    png_structp png = nullptr;
    png_infop info = nullptr;
    png_uint_32 height = 0, width = 0;
    int channels = 0;
    Image image;
    std::vector<png_bytep> rows;
    std::array<char, 200> why{};

    Reading() = default;
    Reading(const Reading&) = delete;
    ~Reading() { png_destroy_read_struct(&png, &info, nullptr); }
};

void onError(png_structp png, png_const_charp message)
{
    auto& reading = *static_cast<Reading*>(png_get_error_ptr(png));
    std::strncpy(reading.why.data(), message, reading.why.size() - 1);
    png_longjmp(png, 1);
}

void onWarning(png_structp, png_const_charp) {}

void giveBytes(png_structp png, png_bytep to, std::size_t count)
{
    auto& reading = *static_cast<Reading*>(png_get_io_ptr(png));
    if (count > reading.left.size()) png_error(png, "the file ends too early");
    std::memcpy(to, reading.left.data(), count);
    reading.left = reading.left.subspan(count);
}

// Whatever the file has becomes 8 bits of grey or of red, green and blue.
bool readHeader(Reading& reading)
{
    if (setjmp(png_jmpbuf(reading.png))) return false;
    png_set_user_limits(reading.png, kMaxSide, kMaxSide);
    png_set_read_fn(reading.png, &reading, giveBytes);
    png_read_info(reading.png, reading.info);
    png_set_strip_16(reading.png);  // the upper 8, as Pillow and OpenCV read them
    if (png_get_color_type(reading.png, reading.info) == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(reading.png);
    else png_set_expand_gray_1_2_4_to_8(reading.png);
    png_set_strip_alpha(reading.png);
    png_set_interlace_handling(reading.png);
    png_read_update_info(reading.png, reading.info);
    reading.height = png_get_image_height(reading.png, reading.info);
    reading.width = png_get_image_width(reading.png, reading.info);
    reading.channels = png_get_channels(reading.png, reading.info);
    return true;
}

bool readRows(Reading& reading)
{
    if (setjmp(png_jmpbuf(reading.png))) return false;
    png_read_image(reading.png, reading.rows.data());
    png_read_end(reading.png, nullptr);
    return true;
}

[[noreturn]] void broken(const Reading& reading)
{
    throw Error(ErrorCode::Format, std::string("The PNG image is damaged: ") + reading.why.data() + ".");
}

}  // namespace

Image decodePng(Bytes bytes)
{
    Reading reading;
    reading.left = bytes;
    reading.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reading, onError, onWarning);
    reading.info = reading.png ? png_create_info_struct(reading.png) : nullptr;
    if (!reading.info) throw Error(ErrorCode::Limit, "libpng could not be started: there is no memory left.");
    if (!readHeader(reading)) broken(reading);
    reading.image = imageOf(reading.height, reading.width, reading.channels);
    const std::size_t stride = static_cast<std::size_t>(reading.width) * static_cast<std::size_t>(reading.channels);
    // DEFLATE packs at most 1032 to one, so a small file cannot ask for a large image.
    if (stride * reading.height / 8 / 1032 > bytes.size())
        throw Error(ErrorCode::Format, "The PNG image is damaged: " + std::to_string(bytes.size()) +
                                           " bytes cannot hold " + std::to_string(reading.width) + " x " +
                                           std::to_string(reading.height) + " pixels.");
    reading.image.pixels.resize(stride * reading.height);
    for (std::size_t y = 0; y < reading.height; ++y) reading.rows.push_back(reading.image.pixels.data() + y * stride);
    if (!readRows(reading)) broken(reading);
    return std::move(reading.image);
}

}  // namespace fovea
