#include "core/io/json/preprocessing_json.h"

namespace fovea {

namespace {

constexpr std::size_t kMaxChannels = 4096;

std::vector<double> realsFrom(const JsonAt& at, double largest)
{
    if (at.size() < 1 || at.size() > kMaxChannels)
        at.wrong("must have one number for each channel, but has " + std::to_string(at.size()));
    std::vector<double> out(at.size());
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = at[i].real(-largest, largest);
    return out;
}

}  // namespace

Json toJson(const Preprocessing& preprocessing)
{
    return Json{{"resize", preprocessing.resize},
                {"order", preprocessing.order == ChannelOrder::Bgr ? "bgr" : "rgb"},
                {"mean", preprocessing.mean},
                {"deviation", preprocessing.deviation}};
}

Preprocessing preprocessingFrom(const JsonAt& at)
{
    Preprocessing out;
    out.resize = at.at("resize").integer(0, kMaxResize);
    const std::string order = at.at("order").text();
    if (order != "rgb" && order != "bgr") at.at("order").wrong("must be rgb or bgr, but is '" + order + "'");
    out.order = order == "bgr" ? ChannelOrder::Bgr : ChannelOrder::Rgb;
    out.mean = realsFrom(at.at("mean"), kLargestMean);
    const JsonAt deviation = at.at("deviation");
    out.deviation = realsFrom(deviation, kLargestDeviation);
    for (std::size_t i = 0; i < out.deviation.size(); ++i)
        if (out.deviation[i] < kLeastDeviation)
            deviation[i].wrong("must be above 0 (at least 1e-6), but is " + deviation[i].json().dump());
    if (out.mean.size() != out.deviation.size())
        deviation.wrong("has " + std::to_string(out.deviation.size()) + " numbers, but the mean has " +
                        std::to_string(out.mean.size()));
    return out;
}

}  // namespace fovea
