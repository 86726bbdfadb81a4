#include "core/data/sample.h"

#include "core/base/error.h"

#include <algorithm>
#include <cmath>

namespace fovea {

namespace {

constexpr std::uint64_t kAugmentPurpose = 0xa06;
constexpr std::int64_t kMaxSide = 1 << 15;

[[noreturn]] void refuse(const std::string& why) { throw Error(ErrorCode::Usage, why); }

void checkSizes(const LoadOptions& options)
{
    if (options.channels != 1 && options.channels != 3)
        refuse("The network reads " + std::to_string(options.channels) + " channels; images have 1 or 3.");
    for (const std::int64_t side : {options.height, options.width})
        if (side < 1 || side > kMaxSide)
            refuse("The network's input has a side of " + std::to_string(side) + " pixels; 1 to " +
                   std::to_string(kMaxSide) + " can be fed.");
    if (options.batch < 1) refuse("The batch size must be at least 1, but is " + std::to_string(options.batch) + ".");
    if (options.preprocessing.resize < 0 || options.preprocessing.resize > kMaxSide)
        refuse("Images cannot be resized to " + std::to_string(options.preprocessing.resize) + " pixels.");
}

void checkAugmentation(const Augmentation& augmentation)
{
    const auto& [low, high] = augmentation.scale;
    if (!(low > 0 && low <= high && high <= 1))
        refuse("A random crop takes a share of the image above 0 and up to 1, the smaller one first.");
    if (!(augmentation.ratio[0] > 0 && augmentation.ratio[0] <= augmentation.ratio[1] &&
          std::isfinite(augmentation.ratio[1])))
        refuse("A random crop's ratios of width to height must be above 0, the smaller one first.");
    if (!(augmentation.hflip >= 0 && augmentation.hflip <= 1))
        refuse("The probability of a mirrored image must be from 0 to 1.");
    if (augmentation.pad < 0 || augmentation.pad > kMaxSide)
        refuse("The padding before a crop must be at least 0 pixels.");
}

double valueFor(const std::vector<double>& values, std::int64_t channel, std::int64_t channels, const char* what)
{
    if (values.size() != 1 && values.size() != static_cast<std::size_t>(channels))
        refuse(std::string("The preprocessing has ") + std::to_string(values.size()) + " numbers as " + what +
               ", but the network reads " + std::to_string(channels) + (channels == 1 ? " channel." : " channels."));
    return values[values.size() == 1 ? 0 : static_cast<std::size_t>(channel)];
}

bool isUniform(const std::vector<double>& values)
{
    return std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) == values.end();
}

// The defaults have three of each; a network that reads one channel takes any of three that are the same.
Preprocessing forChannels(Preprocessing preprocessing, std::int64_t channels)
{
    if (channels != 1) return preprocessing;
    for (std::vector<double>* values : {&preprocessing.mean, &preprocessing.deviation})
        if (values->size() > 1 && isUniform(*values)) values->resize(1);
    return preprocessing;
}

}  // namespace

void makeGrey(Image& image)
{
    const std::size_t pixels = image.pixels.size() / 3;
    for (std::size_t i = 0; i < pixels; ++i) {
        const std::uint8_t* in = &image.pixels[3 * i];
        image.pixels[i] = static_cast<std::uint8_t>((in[0] * 19595 + in[1] * 38470 + in[2] * 7471 + 0x8000) >> 16);
    }
    image.pixels.resize(pixels);
    image.channels = 1;
}

Sampler::Sampler(const LoadOptions& options) : m_options(options)
{
    checkSizes(options);
    checkAugmentation(options.augmentation);
    m_options.preprocessing = forChannels(options.preprocessing, options.channels);
    for (std::int64_t channel = 0; channel < options.channels; ++channel) {
        const double mean = valueFor(m_options.preprocessing.mean, channel, options.channels, "mean");
        const double deviation = valueFor(m_options.preprocessing.deviation, channel, options.channels, "deviation");
        if (!std::isfinite(mean) || !std::isfinite(deviation) || deviation == 0)
            refuse("The preprocessing divides by 0 or by no number.");
        for (int value = 0; value < 256; ++value)
            m_table.push_back(static_cast<float>((value / 255.0 - mean) / deviation));
    }
}

void Sampler::write(const Dataset& dataset, std::int64_t index, std::int64_t epoch, SampleScratch& scratch,
                    float* out) const
{
    RandomStream stream(m_options.seed,
                        {static_cast<std::uint64_t>(epoch), static_cast<std::uint64_t>(index), kAugmentPurpose});
    const FramePlan plan = planFrame(m_options, stream);
    Image image = dataset.image(index, plan.leastSide);
    if (image.channels == 3 && m_options.channels == 1) makeGrey(image);
    const Frame frame = frameOf(m_options, plan, image.height, image.width, stream);
    resizeWindow(image, frame.source, frame.height, frame.width, frame.wanted, scratch.resize, scratch.pixels);
    normalise(scratch.pixels.data(), image.channels, plan.mirrored, out);
}

void Sampler::normalise(const std::uint8_t* pixels, std::int64_t channels, bool mirrored, float* out) const
{
    const bool backwards = m_options.preprocessing.order == ChannelOrder::Bgr && channels == 3;
    for (std::int64_t channel = 0; channel < m_options.channels; ++channel) {
        const float* table = m_table.data() + 256 * channel;
        const std::int64_t from = channels == 1 ? 0 : backwards ? 2 - channel : channel;
        for (std::int64_t y = 0; y < m_options.height; ++y) {
            const std::uint8_t* in = pixels + y * m_options.width * channels + from;
            if (mirrored)
                for (std::int64_t x = m_options.width; x-- > 0;) *out++ = table[in[x * channels]];
            else
                for (std::int64_t x = 0; x < m_options.width; ++x) *out++ = table[in[x * channels]];
        }
    }
}

}  // namespace fovea
