#include "app/cli/command.h"
#include "core/base/error.h"
#include "core/graph/first_image.h"

#include <charconv>
#include <cmath>

namespace fovea::cli {

const std::vector<OptionSpec> kPreprocessingOptions = {
    {"--mean", true}, {"--std", true}, {"--resize", true}, {"--channel-order", true}};

const char* const kPreprocessingHelp =
    "  --mean M,...         of the values 0 to 1, one for each channel or one for all: ImageNet's is "
    "0.485,0.456,0.406\n"
    "  --std S,...          what they are divided by then: ImageNet's is 0.229,0.224,0.225\n"
    "  --resize N           the shorter side becomes N and the network's own is cut from the middle; 0: no crop\n"
    "  --channel-order NAME rgb or bgr\n";

namespace {

[[noreturn]] void bad(const char* option, const std::string& text, const std::string& wanted)
{
    throw Error(ErrorCode::Usage, std::string("Option '") + option + "' takes " + wanted + ", but got '" + text + "'.");
}

std::vector<double> numbers(const char* option, const std::string& text, double least, double most,
                            std::int64_t channels)
{
    const auto shown = [](double value) {
        char out[32];
        return std::string(out, std::to_chars(out, out + sizeof out, value).ptr);
    };
    const std::string wanted = "numbers from " + shown(least) + " to " + shown(most) + ", one for each of " +
                               std::to_string(channels) + " channels or one for all, separated by commas";
    std::vector<double> out;
    for (std::size_t from = 0; from <= text.size();) {
        const std::size_t to = std::min(text.find(',', from), text.size());
        double value = 0;
        const auto [end, code] = std::from_chars(text.data() + from, text.data() + to, value);
        if (code != std::errc() || end != text.data() + to || !(value >= least && value <= most))
            bad(option, text, wanted);
        out.push_back(value);
        from = to + 1;
    }
    if (out.size() != 1 && static_cast<std::int64_t>(out.size()) != channels) bad(option, text, wanted);
    return out;
}

}  // namespace

Graph statePreprocessing(Graph graph, const Arguments& arguments)
{
    const auto mean = arguments.value("--mean"), deviation = arguments.value("--std"),
               resize = arguments.value("--resize"), order = arguments.value("--channel-order");
    if (!mean && !deviation && !resize && !order) return graph;
    const Node* image = firstImage(graph);
    if (!image)
        throw Error(ErrorCode::Usage, "The network has no image input (NxCxHxW), so nothing is done to images.");
    if (!graph.preprocessing() && !(mean && deviation))
        throw Error(ErrorCode::Usage, "The model does not say how its images are prepared: give '--mean' and '--std' "
                                      "both ('--mean 0 --std 1' leaves values as they are).");
    Preprocessing out = graph.preprocessing().value_or(Preprocessing{});
    const std::int64_t channels = imageShape(*image)[1];
    if (mean) out.mean = numbers("--mean", *mean, -kLargestMean, kLargestMean, channels);
    if (deviation) out.deviation = numbers("--std", *deviation, kLeastDeviation, kLargestDeviation, channels);
    // Files hold as many of one as of the other.
    const std::size_t most = std::max(out.mean.size(), out.deviation.size());
    for (auto* values : {&out.mean, &out.deviation})
        if (values->size() == 1) values->assign(most, values->front());
    if (resize) {
        std::int64_t value = -1;
        const auto [end, code] = std::from_chars(resize->data(), resize->data() + resize->size(), value);
        if (code != std::errc() || end != resize->data() + resize->size() || value < 0 || value > kMaxResize)
            bad("--resize", *resize, "a side from 1 to " + std::to_string(kMaxResize) + ", or 0");
        out.resize = value;
    }
    if (order) {
        if (*order != "rgb" && *order != "bgr") bad("--channel-order", *order, "rgb or bgr");
        out.order = *order == "bgr" ? ChannelOrder::Bgr : ChannelOrder::Rgb;
    }
    graph.setPreprocessing(out);
    return graph;
}

}  // namespace fovea::cli
