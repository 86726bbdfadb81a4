#include "core/base/printable.h"
#include "core/io/reports/reports.h"
#include "core/io/reports/table.h"

namespace fovea {

namespace {

std::string both(const std::string& h, const std::string& w) { return h == w ? h : h + "x" + w; }

std::string both(std::int64_t h, std::int64_t w) { return both(std::to_string(h), std::to_string(w)); }

bool slides(const AxisReach& reach) { return reach.kind == ReachKind::Window || reach.kind == ReachKind::Transposed; }

// Along one axis at least; along the other it may read point by point, or all.
bool slides(const Reach& reach) { return slides(reach.h) || slides(reach.w); }

// "3", "7x1", with the dilation where there is one: "3 d2".
std::string kernelText(const LayerReport& layer)
{
    const auto& [h, w] = *layer.reach;
    if (!slides(*layer.reach)) return h.kind == ReachKind::Global ? "global" : "";
    const bool dilated = h.dilation > 1 || w.dilation > 1;
    return both(h.kernel, w.kernel) + (dilated ? " d" + both(h.dilation, w.dilation) : "");
}

std::string strideText(const LayerReport& layer)
{
    const auto& [h, w] = *layer.reach;
    if (!slides(*layer.reach)) return "";
    const bool transposed = h.kind == ReachKind::Transposed || w.kind == ReachKind::Transposed;
    return (transposed ? "1/" : "") + both(h.stride, w.stride);
}

std::string axisField(const FieldReport& field)
{
    const std::string low = std::to_string(field.rfMin);
    return field.rfMin == field.rfMax ? low : low + ".." + std::to_string(field.rfMax);
}

std::string fieldText(const LayerReport& layer)
{
    if (!layer.finite) return layer.unbounded ? "all" : "";
    const char* global = layer.unbounded ? " +all" : "";
    return both(axisField(layer.field.h), axisField(layer.field.w)) + (layer.approximate ? "~" : "") + global;
}

std::string verdictText(Verdict verdict) { return verdict == Verdict::NotApplicable ? "-" : toString(verdict); }

std::string countText(const std::optional<std::int64_t>& count)
{
    if (!count) return "?";
    return *count == 0 ? "" : shortCount(*count);
}

std::string layerTable(const Report& report, const MemoryReport* memory)
{
    std::vector<TextTable::Column> columns{{"verdict"}, {"kind"}, {"layer"}, {"kernel"}, {"stride", true}, {"output"}, {"jump", true},
                                           {"field", true}, {"parameters", true}, {"MACs", true}};
    if (memory) columns.insert(columns.end(), {{"kept", true}, {"live", true}});
    TextTable table(columns);
    for (std::size_t row = 0; row < report.layers.size(); ++row) {
        const LayerReport& layer = report.layers[row];
        std::vector<std::string> cells{verdictText(layer.verdict), layer.kind(), layer.name(), kernelText(layer), strideText(layer),
                                       layer.out.empty() ? "?" : layer.out.front().shape.text(),
                                       layer.finite ? both(layer.field.h.jump.text(), layer.field.w.jump.text()) : "", fieldText(layer),
                                       countText(layer.parameters), countText(layer.macs)};
        if (memory)
            for (const std::int64_t bytes : {memory->layers[row].kept, memory->layers[row].live}) cells.push_back(bytes == 0 ? "" : shortBytes(bytes));
        table.add(std::move(cells));
    }
    return table.text();
}

std::string countsText(const Summary& summary)
{
    std::string out;
    for (const Verdict verdict : {Verdict::Productive, Verdict::Critical, Verdict::Partial, Verdict::Unproductive, Verdict::Unknown}) {
        if (verdict == Verdict::Unknown && summary.count(verdict) == 0) continue;
        out += (out.empty() ? "" : ", ") + std::to_string(summary.count(verdict)) + " " + toString(verdict);
    }
    return out;
}

std::string costText(const Summary& summary)
{
    std::string out = shortCount(summary.parameters) + " parameters, " + shortCount(summary.macs) + " MACs";
    if (summary.products > 0) out += " and " + shortCount(summary.products) + " products of activations";
    if (!summary.complete) out += " (what could not be counted is left out)";
    return out;
}

std::string memoryText(const Report& report, const MemoryReport& memory)
{
    const LayerReport* peak = memory.peak ? report.find(*memory.peak) : nullptr;
    return "memory: " + shortBytes(memory.training) + " kept for training, " + shortBytes(memory.inference) + " at the peak of inference" +
           (peak ? " (" + printable(peak->name()) + ")" : "") + ", " + shortBytes(memory.parameters) + " of parameters, at batch " +
           std::to_string(memory.options.batch) + " in " + toString(memory.options.element) +
           (memory.complete ? "" : " (what could not be counted is left out)") + "\n";
}

// Bounds that a layer of unknown reach may still move are those of the layers that are known.
std::string boundText(const Summary& summary, const std::optional<PerAxis<std::int64_t>>& side)
{
    return (summary.bounded || !side ? "" : "at least ") + sideText(side);
}

std::string summaryText(const Report& report, const MemoryReport& memory)
{
    const Summary& summary = report.summary;
    std::string out = "i_min " + boundText(summary, summary.iMin) + " (all productive from " + boundText(summary, summary.iMinProductive) +
                      ", rfa_toolbox " + boundText(summary, summary.iMinRfa) + "), i_max " + boundText(summary, summary.iMax) + "\n";
    out += "verdicts: " + countsText(summary) + "\n";
    if (const LayerReport* border = summary.borderLayer ? report.find(*summary.borderLayer) : nullptr)
        out += "border layer: " + printable(border->name()) + "\n";
    out += "cost: " + costText(summary) + " at batch 1\n";
    return out + memoryText(report, memory);
}

std::string headline(const Report& report, const std::string& model)
{
    if (report.input == kNoNode) return printable(model) + ": no image input\n";
    return printable(model) + ": input " + printable(report.inputName) + " " + report.inputShape.text() + "\n";
}

}  // namespace

std::string findingsText(const std::vector<Issue>& issues)
{
    std::string out;
    for (const Issue& issue : issues) {
        out += std::string(toString(issue.severity)) + " " + issue.code;
        if (!issue.layer.empty()) out += " (" + printable(issue.layer) + ")";
        out += ": " + printable(issue.message) + "\n";
        if (!issue.hint.empty()) out += "    " + printable(issue.hint) + "\n";
    }
    return out;
}

std::string summaryLine(const Summary& summary)
{
    return "i_min " + boundText(summary, summary.iMin) + ", i_max " + boundText(summary, summary.iMax) + "; " + countsText(summary) + "; " + costText(summary);
}

std::string analysisTable(const Report& report, const MemoryReport& memory, const std::string& model, bool perLayer)
{
    const std::string findings = findingsText(report.issues);
    return headline(report, model) + "\n" + layerTable(report, perLayer ? &memory : nullptr) + "\n" + summaryText(report, memory) +
           (findings.empty() ? "" : "\n" + findings);
}

std::string sidesTable(const std::vector<AtSide>& sides, const std::string& model)
{
    TextTable table({{"side", true}, {"productive", true}, {"critical", true}, {"partial", true}, {"unproductive", true}, {"MACs", true},
                     {"training", true}, {"inference", true}});
    for (const auto& [report, memory] : sides) {
        const auto count = [&, &summary = report.summary](Verdict verdict) { return std::to_string(summary.count(verdict)); };
        table.add({sideText(report.side), count(Verdict::Productive), count(Verdict::Critical), count(Verdict::Partial),
                   count(Verdict::Unproductive), shortCount(report.summary.macs), shortBytes(memory.training), shortBytes(memory.inference)});
    }
    std::string out = printable(model) + "\n\n" + table.text() + "\n";
    if (sides.empty()) return out;
    const Summary& summary = sides.front().report.summary;
    const MemoryOptions& options = sides.front().memory.options;
    const std::string range = summary.bounded ? "feasible sides: i_min " + sideText(summary.iMin) + " to i_max " + sideText(summary.iMax)
                                              : "i_min " + boundText(summary, summary.iMin) + ", i_max " + boundText(summary, summary.iMax) + "; no range of sides follows";
    return out + range + "; memory at batch " +
           std::to_string(options.batch) + " in " + toString(options.element) + "\n";
}

std::string plansTable(const Report& before, const std::vector<Plan>& plans)
{
    const bool timed = !plans.empty() && plans.front().latency;
    std::vector<TextTable::Column> columns{{"id"}, {"change"}, {"i_min", true}, {"critical", true}, {"partial", true}, {"unproductive", true},
                                           {"parameters", true}, {"MACs", true}};
    if (timed) columns.push_back({"latency", true});
    TextTable table(columns);
    const auto row = [&](const std::string& id, const std::string& title, const Summary& summary, double seconds) {
        std::vector<std::string> cells{id, title, sideText(summary.iMin), std::to_string(summary.count(Verdict::Critical)),
                                       std::to_string(summary.count(Verdict::Partial)), std::to_string(summary.count(Verdict::Unproductive)),
                                       shortCount(summary.parameters), shortCount(summary.macs)};
        if (timed) cells.push_back(shortTime(seconds));
        table.add(cells);
    };
    row("-", "as it is", before.summary, timed ? plans.front().latency->before : 0);
    for (const Plan& plan : plans) row(plan.id, plan.title, plan.after, plan.latency ? plan.latency->after : 0);
    std::string out = "side " + sideText(before.side) + "\n\n" + table.text();
    for (const Plan& plan : plans) out += "\n" + plan.id + ": " + printable(plan.reason) + "\n    tensors: " + transferLine(plan.weights) + "\n";
    return out;
}

}  // namespace fovea
