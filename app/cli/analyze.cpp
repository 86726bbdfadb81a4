#include "app/cli/command.h"
#include "core/base/error.h"
#include "core/io/reports/report_json.h"
#include "core/io/reports/reports.h"

#include <algorithm>
#include <ostream>

namespace fovea::cli {

namespace {

constexpr const char* kHelp =
    "Says which layers of a network are productive at an input side.\n\n"
    "Usage: fovea analyze MODEL [options]\n\n"
    "  --size N|HxW          input side; without it the model's own\n"
    "  --sizes A,B,...       one line of verdict counts and MACs per side\n"
    "  --json                JSON (schema fovea.analysis/1) instead of a table\n"
    "  --pointwise           judge 1x1 convolutions and per-position linear layers too\n"
    "  --input NAME          the input to analyse; without it the first of rank 4\n"
    "  --reach LAYER=REACH   what an unrecognised layer reads: k3s2p1 (kernel, stride, padding, d for\n"
    "                        dilation), same or global; may be given for several layers\n"
    "  --fail-on LEVEL       exit with 1 when a layer is at LEVEL or worse:\n"
    "                        productive < critical < partial < unproductive\n\n"
    "Example: fovea analyze model.onnx --size 64 --fail-on unproductive\n";

// The order in which --fail-on counts verdicts as worse.
constexpr Verdict kLevels[] = {Verdict::Productive, Verdict::Critical, Verdict::Partial, Verdict::Unproductive};

std::vector<Verdict> fromLevel(const std::string& text)
{
    for (auto level = std::begin(kLevels); level != std::end(kLevels); ++level)
        if (text == toString(*level)) return {level, std::end(kLevels)};
    throw Error(ErrorCode::Usage, "Option '--fail-on' takes productive, critical, partial or unproductive, but got '" + text + "'.");
}

bool hasAny(const Report& report, const std::vector<Verdict>& verdicts)
{
    return std::any_of(verdicts.begin(), verdicts.end(), [&](Verdict verdict) { return report.summary.count(verdict) > 0; });
}

ReportJson sideEntry(const Report& report)
{
    const Summary& summary = report.summary;
    return {{"size", {report.side.h, report.side.w}},
            {"productive", summary.count(Verdict::Productive)},
            {"critical", summary.count(Verdict::Critical)},
            {"partial", summary.count(Verdict::Partial)},
            {"unproductive", summary.count(Verdict::Unproductive)},
            {"macs", summary.macs}};
}

int run(const std::vector<std::string>& words, std::ostream& out, std::ostream&)
{
    const Arguments arguments("analyze", words,
                              {{"--size", true}, {"--sizes", true}, {"--json"}, {"--pointwise"}, {"--input", true},
                               {"--reach", true, true}, {"--fail-on", true}},
                              {"MODEL"});
    const auto level = arguments.value("--fail-on");
    const std::vector<Verdict> failOn = level ? fromLevel(*level) : std::vector<Verdict>{};
    const auto sizes = arguments.value("--sizes");
    const std::vector<Side> sides = sizes ? parseSides(*sizes, "--sizes") : std::vector<Side>{};
    const Opened opened = openFor(arguments);
    const std::string& model = arguments.operand(0);

    std::vector<Report> atSides;
    for (const Side& side : sides) atSides.push_back(analyze(withSide(opened.graph, side.h, side.w, opened.options.input), opened.options));
    const bool table = !arguments.has("--json");
    if (table && !atSides.empty()) {
        out << sidesTable(atSides, model);
    } else {
        const Report report = analyze(opened.graph, opened.options);
        if (table) out << analysisTable(report, model);
        else {
            ReportJson json = analysisObject(opened.graph, report, model);
            for (const Report& atSide : atSides) json["sizes"].push_back(sideEntry(atSide));
            out << jsonText(json);
        }
        if (atSides.empty()) atSides.push_back(report);
    }
    const bool fails = std::any_of(atSides.begin(), atSides.end(), [&](const Report& report) { return hasAny(report, failOn); });
    return fails ? 1 : 0;
}

}  // namespace

const Command kAnalyze{"analyze", "which layers are productive, and what the network costs", kHelp, run};

}  // namespace fovea::cli
