// What the normalisation kinds share.
#pragma once

#include "core/ops/common.h"

namespace fovea {

inline AttrDef epsAttr(double fallback = 1e-5)
{
    return {.name = "eps", .type = AttrType::Real, .fallback = fallback, .doc = "Added to the variance"};
}

// The dimension behind the batch, whatever it means by now.
inline std::int64_t normalisedChannels(const NodeView& view)
{
    return view.in.empty() || view.in[0].shape.rank() < 2 ? kUnknown : view.in[0].shape[1];
}

// weight and bias of `dims`.
inline std::vector<ParamSpec> affine(Ints dims)
{
    return {{.role = "weight", .dims = dims, .init = Init::Ones}, {.role = "bias", .dims = dims, .init = Init::Zeros}};
}

}  // namespace fovea
