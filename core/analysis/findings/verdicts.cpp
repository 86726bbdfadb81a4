#include "core/analysis/findings/findings.h"

#include <algorithm>

namespace fovea::findings {

namespace {

std::string sides(const PerAxis<std::int64_t>& value)
{
    return value.h == value.w ? std::to_string(value.h) : std::to_string(value.h) + "x" + std::to_string(value.w);
}

void aboutTail(const Report& report, Issues& issues)
{
    const Summary& summary = report.summary;
    const int dead = summary.count(Verdict::Unproductive);
    if (dead == 0) return;
    const LayerReport* border = summary.borderLayer ? report.find(*summary.borderLayer) : nullptr;
    issues.push_back({"unproductive-tail", Severity::Warning, border ? border->name() : "", "",
                      (summary.judged ? "" : "At least ") + std::to_string(dead) + (dead == 1 ? " layer is" : " layers are") + " unproductive at " + sides(report.side) +
                          " px: every path into " + (dead == 1 ? "it" : "them") + " has already seen the whole image.",
                      "Relax a stride or move a pooling later so that i_min (" + std::string(summary.bounded ? "" : "at least ") + sides(*summary.iMin) +
                          ") falls below the side, or use larger images."});
}

// On one axis alone another size of image may be meant: a strip, or a kernel that is 1 on one axis.
std::string smallFieldText(const PerAxis<std::int64_t>& field, const PerAxis<std::int64_t>& side)
{
    if (field.h < side.h && field.w < side.w)
        return "The largest receptive field is " + sides(field) + " px, smaller than the " + sides(side) +
               " px input: larger patterns cannot be seen as a whole.";
    const bool high = field.h < side.h;
    return "The largest receptive field is " + std::to_string(high ? field.h : field.w) + " px " + (high ? "high" : "wide") +
           ", smaller than the input of " + std::to_string(high ? side.h : side.w) + " px: " + (high ? "taller" : "wider") +
           " patterns cannot be seen as a whole; the " + (high ? "width" : "height") + " of " +
           std::to_string(high ? side.w : side.h) + " px is covered.";
}

}  // namespace

void aboutVerdicts(const Report& report, Issues& issues)
{
    const Summary& summary = report.summary;
    const bool unknown = std::any_of(report.layers.begin(), report.layers.end(), [](const LayerReport& layer) { return layer.unknown; });
    if (std::none_of(report.layers.begin(), report.layers.end(), [](const LayerReport& layer) { return layer.window; })) {
        if (unknown) return;  // nobody knows what the network slides over
        issues.push_back({"no-window-layers", Severity::Info, "", "",
                          "The network has no convolution or pooling with a kernel above 1, so no layer is judged.",
                          "Receptive field analysis needs layers that slide over the image."});
        return;
    }
    aboutTail(report, issues);
    if (summary.iMax && !unknown && (summary.iMax->h < report.side.h || summary.iMax->w < report.side.w))
        issues.push_back({"field-smaller-than-input", Severity::Info, "", "",
                          smallFieldText(*summary.iMax, report.side),
                          "Downsample earlier, dilate or grow kernels, or use smaller images."});
}

}  // namespace fovea::findings
