#include "core/zoo/blocks.h"

#include <algorithm>

namespace fovea::zoo {

std::int64_t divisible(double channels, std::int64_t divisor)
{
    const auto half = static_cast<double>(divisor) / 2;
    const std::int64_t rounded = std::max(divisor, static_cast<std::int64_t>(channels + half) / divisor * divisor);
    return static_cast<double>(rounded) < 0.9 * channels ? rounded + divisor : rounded;
}

Port convNorm(Builder& b, Port x, std::string_view name, const Conv& conv, const char* kind)
{
    const auto scope = b.scope(name);
    x = b.batchNorm(b.conv(x, "0", conv), "1");
    return kind ? b.activation(x, "2", kind) : x;
}

Port basicConv(Builder& b, Port x, std::string_view name, const Conv& conv)
{
    const auto scope = b.scope(name);
    return b.relu(b.batchNorm(b.conv(x, "conv", conv), "bn"));
}

Conv depthwise(std::int64_t channels, Pair kernel, Pair stride)
{
    return {.out = channels, .kernel = kernel, .stride = stride, .groups = channels};
}

Port squeezeExcitation(Builder& b, Port x, std::string_view name, const Gate& gate)
{
    const auto scope = b.scope(name);
    Port scale = b.adaptiveAvgPool(x, "avgpool", 1);
    scale = b.conv(scale, "fc1", {.out = gate.squeezed, .kernel = 1, .bias = true});
    scale = b.activation(scale, "activation", gate.activation);
    scale = b.conv(scale, "fc2", {.out = gate.channels, .kernel = 1, .bias = true});
    return b.product(b.activation(scale, "scale_activation", gate.scale), x);
}

}  // namespace fovea::zoo
