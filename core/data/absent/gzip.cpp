#include "core/base/error.h"
#include "core/data/codecs.h"

namespace fovea {

std::vector<std::byte> gunzip(Bytes, std::size_t)
{
    throw Error(ErrorCode::Usage, "Files that end in .gz cannot be read: this build of Fovea was made without zlib.");
}

}  // namespace fovea
