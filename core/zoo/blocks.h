// Building blocks that several families share, as torchvision writes and names them.
#pragma once

#include "core/zoo/builder.h"

namespace fovea::zoo {

// Nearest multiple of `divisor`, at least one of it and at least 90 % of `channels`: MobileNet's rounding.
std::int64_t divisible(double channels, std::int64_t divisor = 8);

// Convolution, batch normalisation and activation (none where `kind` is null): "NAME.0", "NAME.1", "NAME.2".
Port convNorm(Builder& b, Port x, std::string_view name, const Conv& conv, const char* kind = "ReLU");

// Convolution, batch normalisation and ReLU: "NAME.conv", "NAME.bn", torchvision's BasicConv2d.
Port basicConv(Builder& b, Port x, std::string_view name, const Conv& conv);

// A k x k convolution of each channel for itself.
Conv depthwise(std::int64_t channels, Pair kernel, Pair stride = 1);

// Squeeze-and-excitation (Hu et al., arXiv 1709.01507, figure 1) of `channels` channels.
struct Gate {
    std::int64_t channels, squeezed;
    const char* activation = "ReLU";
    const char* scale = "Sigmoid";
};
Port squeezeExcitation(Builder& b, Port x, std::string_view name, const Gate& gate);

}  // namespace fovea::zoo
