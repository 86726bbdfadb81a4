#include "core/base/error.h"
#include "core/data/codecs.h"

namespace fovea {

Image decodePng(Bytes)
{
    throw Error(ErrorCode::Usage, "PNG images cannot be read: this build of Fovea was made without libpng.");
}

}  // namespace fovea
