// What the normalisation kinds share.
#pragma once

#include "core/ops/common.h"

namespace fovea {

inline AttrDef epsAttr(double fallback = 1e-5)
{
    return {.name = "eps", .type = AttrType::Real, .fallback = fallback, .doc = "Added to the variance"};
}

// weight and bias of `dims`.
inline std::vector<ParamSpec> affine(Ints dims)
{
    return {{.role = "weight", .dims = dims, .init = Init::Ones}, {.role = "bias", .dims = dims, .init = Init::Zeros}};
}

}  // namespace fovea
