#include "core/base/error.h"
#include "core/data/codecs.h"

namespace fovea {

Image decodeJpeg(Bytes, std::int64_t)
{
    throw Error(ErrorCode::Usage, "JPEG images cannot be read: this build of Fovea was made without libjpeg-turbo.");
}

}  // namespace fovea
