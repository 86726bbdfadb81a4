#include "app/cli/limits.h"

#include "core/base/error.h"
#include "core/base/printable.h"
#include "core/base/spelling.h"
#include "core/graph/names.h"
#include "core/io/reports/reports.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace fovea::cli {

namespace {

Want wantNamed(const std::string& text)
{
    if (text == "productive" || text == "accuracy") return Want::Accuracy;
    if (text == "efficiency") return Want::Efficiency;
    if (text == "balance") return Want::Balance;
    throw Error(ErrorCode::Usage, "Option '--want' takes productive, balance or efficiency, but got '" + text + "'.");
}

std::int64_t outputStrideFrom(const std::string& text, const Report& before)
{
    if (text == "keep") return outputStrideOf(before);
    const std::int64_t stride = parseAmount(text, "--output-stride", std::nullopt);
    if (stride < 1)
        throw Error(ErrorCode::Usage,
                    "Option '--output-stride' takes a whole number of at least 1, or keep, but got '" + text + "'.");
    return stride;
}

// The value now, that a multiple such as 1.24x is of.
std::int64_t valueNow(Loosening::Limit limit, const Report& before, const MemoryOptions& options)
{
    switch (limit) {
    case Loosening::Limit::Macs: return before.summary.macs;
    case Loosening::Limit::MinParameters:
    case Loosening::Limit::MaxParameters: return before.summary.parameters;
    case Loosening::Limit::Training: return memoryOf(before, options).training;
    case Loosening::Limit::Inference: return memoryOf(before, options).inference;
    case Loosening::Limit::OutputStride: return outputStrideOf(before);
    case Loosening::Limit::Keep:
    case Loosening::Limit::Latency: break;
    }
    return 1;
}

std::string factorText(const Loosening& l, std::int64_t now)
{
    const double exact = 100.0 * static_cast<double>(l.to) / static_cast<double>(std::max<std::int64_t>(1, now));
    char text[32];
    // Rounded to the side that lets the plan in.
    std::snprintf(text, sizeof text, " (%.2fx of now)", (l.to < l.from ? std::floor(exact) : std::ceil(exact)) / 100);
    return text;
}

}  // namespace

std::vector<OptionSpec> limitOptions()
{
    return {{"--want", true},        {"--max-macs", true},      {"--min-params", true},
            {"--max-params", true},  {"--max-memory", true},    {"--max-inference-memory", true},
            {"--max-latency", true}, {"--device", true}, {"--output-stride", true}, {"--keep", true, true},
            {"--batch", true},       {"--element", true}};
}

PlanRequest requestFrom(const Arguments& arguments, const Opened& opened, const Report& before)
{
    const Summary& now = before.summary;
    PlanRequest request;
    request.analysis = opened.options;
    request.memory = memoryOptions(arguments);
    const MemoryReport memory = memoryOf(before, request.memory);
    const auto amount = [&](const char* option, std::int64_t reference, bool bytes = false) {
        const auto text = arguments.value(option);
        return text ? std::optional(parseAmount(*text, option, reference, bytes)) : std::nullopt;
    };
    if (const auto want = arguments.value("--want")) request.want = wantNamed(*want);
    request.maxMacs = amount("--max-macs", now.macs);
    request.minParameters = amount("--min-params", now.parameters);
    request.maxParameters = amount("--max-params", now.parameters);
    request.maxTraining = amount("--max-memory", memory.training, true);
    request.maxInference = amount("--max-inference-memory", memory.inference, true);
    if (const auto stride = arguments.value("--output-stride"))
        request.outputStride = outputStrideFrom(*stride, before);
    request.keep = arguments.values("--keep");
    std::vector<std::string> names;
    for (const auto& node : opened.graph.nodes()) {
        names.push_back(moduleName(node->name));
        names.push_back(node->name);
        // A group's name also stands for all groups in it.
        for (std::size_t end = 0; !node->group.empty() && end != std::string::npos;) {
            end = node->group.find('.', end + (end > 0));
            names.push_back(node->group.substr(0, end));
        }
    }
    for (const std::string& name : request.keep)
        if (std::find(names.begin(), names.end(), name) == names.end())
            throw Error(ErrorCode::Usage,
                        "Option '--keep' names '" + name + "', but no layer is called that." + suggestion(name, names));
    return request;
}

const char* optionOf(Loosening::Limit limit)
{
    switch (limit) {
    case Loosening::Limit::Macs: return "--max-macs";
    case Loosening::Limit::MinParameters: return "--min-params";
    case Loosening::Limit::MaxParameters: return "--max-params";
    case Loosening::Limit::Training: return "--max-memory";
    case Loosening::Limit::Inference: return "--max-inference-memory";
    case Loosening::Limit::OutputStride: return "--output-stride";
    case Loosening::Limit::Keep: return "--keep";
    case Loosening::Limit::Latency: return "--max-latency";
    }
    return "";
}

std::string loosenText(const std::vector<Loosening>& loosen, const Report& before, const MemoryOptions& memory)
{
    using Limit = Loosening::Limit;
    std::string out;
    for (const Loosening& l : loosen) {
        out += out.empty() ? " Loosen " : " and ";
        if (l.limit == Limit::Keep) {
            out += l.layer.empty() ? std::string("--keep: all that it names is in the way")
                                   : "--keep: '" + printable(l.layer) + "' is in the way";
            continue;
        }
        out += optionOf(l.limit) + std::string(" from ");
        if (l.limit == Limit::Latency) {
            out += shortTime(static_cast<double>(l.from) * 1e-6) + " to at least " + std::to_string(l.to) + "us";
            continue;
        }
        const bool bytes = l.limit == Limit::Training || l.limit == Limit::Inference;
        if (l.limit == Limit::OutputStride) {
            out += std::to_string(l.from) + " to " + std::to_string(l.to);
            continue;
        }
        out += (bytes ? shortBytes(l.from) : shortCount(l.from)) +
               (l.limit == Limit::MinParameters ? " to at most " : " to at least ") + std::to_string(l.to) +
               factorText(l, valueNow(l.limit, before, memory));
    }
    return out.empty() ? "" : out + ".";
}

}  // namespace fovea::cli
