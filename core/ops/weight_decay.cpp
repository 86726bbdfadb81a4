#include "core/ops/weight_decay.h"

#include <algorithm>

namespace fovea {

bool isDecayed(OpClass opClass, const Ints& dims)
{
    if (opClass == OpClass::Normalization) return false;
    if (hasKernel(opClass)) return dims.size() > 1;
    return std::count_if(dims.begin(), dims.end(), [](std::int64_t dim) { return dim > 1; }) > 1;
}

}  // namespace fovea
