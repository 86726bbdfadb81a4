#include "core/base/hash.h"
#include "core/base/random.h"
#include "core/ops/op_def.h"
#include "core/weights/owned_params.h"
#include "core/weights/weights.h"

#include <algorithm>
#include <cmath>

namespace fovea {

namespace {

// Own, because the standard library's distributions differ between
// platforms and a seed must give the same network everywhere.
class Stream {
public:
    explicit Stream(std::uint64_t state) : m_state(state) {}

    // Uniform in [-1, 1), a multiple of 2^-23: exact in float and in double.
    double symmetric() { return static_cast<double>(nextSplitMix64(m_state) >> 40) * 0x1p-23 - 1.0; }

private:
    std::uint64_t m_state;
};

// Weight [out, in per group, kernel...]: output channel o reads channel o of a convolution that has as many inputs
// as outputs, whatever its groups, at the centre of the kernel.
void setIdentity(const Ints& dims, std::vector<float>& values)
{
    if (dims.size() < 2 || dims[1] < 1) return;
    std::int64_t window = 1, centre = 0;
    for (std::size_t i = 2; i < dims.size(); ++i) {
        centre = centre * dims[i] + dims[i] / 2;
        window *= dims[i];
    }
    for (std::int64_t o = 0; o < dims[0]; ++o)
        values[static_cast<std::size_t>((o * dims[1] + o % dims[1]) * window + centre)] = 1.0f;
}

}  // namespace

Tensor initialise(const ParamSpec& spec, const std::string& name, std::uint64_t seed)
{
    std::vector<float> values(static_cast<std::size_t>(boundedElements(spec.dims, name)));
    switch (spec.init) {
    case Init::KaimingUniform:
    case Init::BiasUniform: {
        // torch.nn's reset_parameters: kaiming_uniform_(a=sqrt(5)) is U(-1/sqrt(fan), 1/sqrt(fan)), as is the bias.
        const double bound = spec.fanIn > 0 ? 1.0 / std::sqrt(static_cast<double>(spec.fanIn)) : 0.0;
        Stream stream(xxh64(name, seed));
        for (float& value : values) value = static_cast<float>(stream.symmetric() * bound);
        break;
    }
    case Init::Identity: setIdentity(spec.dims, values); break;
    case Init::Zeros: break;
    case Init::Ones: std::fill(values.begin(), values.end(), 1.0f); break;
    case Init::Constant: std::fill(values.begin(), values.end(), static_cast<float>(spec.value)); break;
    }
    return Tensor::fromFloats(spec.dims, std::move(values));
}

}  // namespace fovea
