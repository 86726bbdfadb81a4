// Numbers and verdicts in words, as every panel says them.
#pragma once

#include "core/analysis/report.h"
#include "core/refine/plan.h"

#include <QString>

namespace fovea::studio {

QString text(const std::string& value);  // UTF-8, with control characters as core/base/printable.h writes them
// A layer's name as PyTorch would write it: "layer1.0.conv1" for an exporter's "/layer1/layer1.0/conv1/Conv".
QString moduleName(const std::string& name);
// The part of it that the group around the layer does not say already: "conv1" in group "layer1.0".
QString shortName(const std::string& name, const std::string& group);
QString axisText(std::int64_t h, std::int64_t w);             // "7", or "1x7" where the axes differ
QString shapeText(const Value& value);                        // "1x64x56x56", "?" where nothing is known
QString countText(const std::optional<std::int64_t>& count);  // "25.56 M", "unknown"
QString exactText(const std::optional<std::int64_t>& count);  // "25557032" with digit groups
QString timeText(std::int64_t microseconds);                   // "12.3 ms"
QString bytesText(std::int64_t bytes);                        // "44.59 MiB"
QString factorText(std::int64_t value,
                   std::int64_t of);           // "1.05x", "16.0x"; empty where there is nothing to compare with
QString windowText(const LayerReport& layer);  // "3x3 /2 d2", empty where the layer has no window
QString rfText(const LayerReport& layer);      // "rf 7-43 px"
// Why the layer has its verdict at this side, in one or two sentences.
QString verdictReason(const LayerReport& layer, const PerAxis<std::int64_t>& side);
// The whole network's verdict in one or two sentences.
QString networkVerdict(const Report& report);
// "6 -> 3 unproductive, 4 -> 0 critical, 2.0x MACs": what a plan does in one line; `brief`: the worst verdict only.
QString planEffect(const Plan& plan, bool brief = false);
// The report of the layer as a tooltip in rich text.
QString layerToolTip(const LayerReport& layer, const PerAxis<std::int64_t>& side);

}  // namespace fovea::studio
