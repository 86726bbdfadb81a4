#include "core/base/error.h"
#include "core/data/codecs.h"

#include <algorithm>
#include <limits>

#include <zlib.h>

namespace fovea {

namespace {

constexpr std::size_t kStep = 1 << 20;
constexpr int kGzip = 15 + 16;  // the largest window, with gzip's header

struct Inflater {
    z_stream stream{};
    Inflater()
    {
        if (inflateInit2(&stream, kGzip) != Z_OK) throw Error(ErrorCode::Limit, "zlib could not be started.");
    }
    Inflater(const Inflater&) = delete;
    ~Inflater() { inflateEnd(&stream); }
};

}  // namespace

std::vector<std::byte> gunzip(Bytes bytes, std::size_t most)
{
    if (bytes.size() > std::numeric_limits<uInt>::max())
        throw Error(ErrorCode::Limit, "The file has " + std::to_string(bytes.size()) +
                                          " bytes; compressed files of up to 4 GiB are read.");
    Inflater inflater;
    z_stream& in = inflater.stream;
    in.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));  // zlib only reads it
    in.avail_in = static_cast<uInt>(bytes.size());
    std::vector<std::byte> out;
    while (out.size() < most) {
        const std::size_t had = out.size();
        out.resize(had + std::min(kStep, most - had));  // grows as data comes, whatever a header promises
        in.next_out = reinterpret_cast<Bytef*>(out.data() + had);
        in.avail_out = static_cast<uInt>(out.size() - had);
        const int state = inflate(&in, Z_NO_FLUSH);
        out.resize(out.size() - in.avail_out);
        if (state == Z_STREAM_END) {
            if (in.avail_in == 0) break;
            inflateReset(&in);  // files may be one behind another
        } else if (state != Z_OK || (in.avail_in == 0 && in.avail_out > 0)) {
            throw Error(ErrorCode::Format, "The compressed file is damaged or cut off after " +
                                               std::to_string(out.size()) + " bytes of content.");
        }
    }
    return out;
}

}  // namespace fovea
