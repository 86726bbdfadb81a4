#include "core/base/error.h"
#include "core/data/codecs.h"

#include <algorithm>
#include <memory>
#include <string_view>

#include <turbojpeg.h>

namespace fovea {

namespace {

struct Destroy {
    void operator()(void* handle) const { tjDestroy(handle); }
};

using Decoder = std::unique_ptr<void, Destroy>;

// Making a decoder costs as much as decoding a small image, so every thread keeps its own.
Decoder& decoder()
{
    thread_local Decoder handle;
    if (!handle) handle.reset(tjInitDecompress());
    if (!handle) throw Error(ErrorCode::Limit, "libjpeg-turbo could not be started: there is no memory left.");
    return handle;
}

// A decoder that failed stays where it was, and would take the next image for the rest of this one.
[[noreturn]] void broken(Decoder& decoder)
{
    const std::string why = tjGetErrorStr2(decoder.get());
    decoder.reset();
    throw Error(ErrorCode::Format, "The JPEG image is damaged: " + why + ".");
}

// Halves only: the library has quick code for these, and none for the steps between.
int divisorFor(int height, int width, std::int64_t leastSide)
{
    int divisor = 1;
    while (leastSide > 0 && divisor < 8 && std::min(height, width) / (2 * divisor) >= leastSide) divisor *= 2;
    return divisor;
}

// Readers complain about stray bytes that leave a picture whole. The library's code says "warning" also where an error
// followed the warning; its text is then the error's.
bool isFatal(tjhandle handle)
{
    if (tjGetErrorCode(handle) != TJERR_WARNING) return true;
    const std::string_view why = tjGetErrorStr2(handle);
    if (why.find("remature end") != std::string_view::npos) return true;  // of the file, or of a piece
    const auto harmless = {"Corrupt JPEG data", "Inconsistent progression", "Unknown Adobe color transform"};
    return std::none_of(harmless.begin(), harmless.end(), [&](const char* text) { return why.starts_with(text); });
}

Image rgbFromCmyk(const Image& cmyk, bool inverted)
{
    Image out = imageOf(cmyk.height, cmyk.width, 3);
    const std::size_t pixels = cmyk.pixels.size() / 4;
    out.pixels.resize(pixels * 3);
    const int flip = inverted ? 0 : 255;
    for (std::size_t i = 0; i < pixels; ++i) {
        const std::uint8_t* in = &cmyk.pixels[4 * i];
        const int key = in[3] ^ flip;
        for (std::size_t c = 0; c < 3; ++c)
            out.pixels[3 * i + c] = static_cast<std::uint8_t>(((in[c] ^ flip) * key + 127) / 255);
    }
    return out;
}

}  // namespace

Image decodeJpeg(Bytes bytes, std::int64_t leastSide)
{
    Decoder& own = decoder();
    const tjhandle handle = own.get();
    const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
    int width = 0, height = 0, sampling = 0, space = 0;
    if (tjDecompressHeader3(handle, data, bytes.size(), &width, &height, &sampling, &space) != 0) broken(own);
    if (width < 1 || height < 1) {
        own.reset();
        throw Error(ErrorCode::Format, "The JPEG image is damaged: it ends before it says how large it is.");
    }
    const bool grey = space == TJCS_GRAY, cmyk = space == TJCS_CMYK || space == TJCS_YCCK;
    imageOf(height, width, 3);  // the size in the file, before any reduction
    const int divisor = divisorFor(height, width, leastSide);
    width = (width + divisor - 1) / divisor;
    height = (height + divisor - 1) / divisor;
    Image image = imageOf(height, width, grey ? 1 : cmyk ? 4 : 3);
    image.pixels.resize(static_cast<std::size_t>(height) * static_cast<std::size_t>(width * image.channels));
    const int format = grey ? TJPF_GRAY : cmyk ? TJPF_CMYK : TJPF_RGB;
    if (tjDecompress2(handle, data, bytes.size(), image.pixels.data(), width, 0, height, format, TJFLAG_LIMITSCANS) !=
            0 &&
        isFatal(handle))
        broken(own);
    const JpegMarkers markers = jpegMarkers(bytes);
    if (cmyk) image = rgbFromCmyk(image, markers.adobe);
    return upright(std::move(image), markers.orientation);
}

}  // namespace fovea
