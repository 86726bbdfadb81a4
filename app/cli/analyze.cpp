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
    "  --sizes A,B,...       one line of verdict counts, MACs and memory per side\n"
    "  --batch N             batch size for the memory; 1 without it\n"
    "  --element TYPE        float32, float16, bfloat16, float64 or int8, for the memory; float32 without it\n"
    "  --memory              two columns more: what each layer keeps for training, and what is alive in it\n"
    "  --json                JSON (schema fovea.analysis/1) instead of a table\n"
    "  --pointwise           judge 1x1 convolutions and per-position linear layers too\n"
    "  --input NAME          the input to analyse, or an inner tensor that is the image where the network\n"
    "                        decodes or normalises first (at the file's own size); without it the first image\n"
    "  --reach LAYER=REACH   what an unrecognised layer reads: k3s2p1 (kernel, stride, padding, d for\n"
    "                        dilation), up2 (a map twice as large), same or global; op:TYPE=REACH for all\n"
    "                        layers of an ONNX type; may be given several times\n"
    "  --fail-on LEVEL       exit with 1 when a layer is at LEVEL or worse, or depends on one of unknown\n"
    "                        reach: productive < critical < partial < unproductive\n\n"
    "Example: fovea analyze model.onnx --size 64 --batch 32 --fail-on unproductive\n";

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

ReportJson sideEntry(const AtSide& at)
{
    const auto& [report, memory] = at;
    const Summary& summary = report.summary;
    return {{"size", {report.side.h, report.side.w}},
            {"productive", summary.count(Verdict::Productive)},
            {"critical", summary.count(Verdict::Critical)},
            {"partial", summary.count(Verdict::Partial)},
            {"unproductive", summary.count(Verdict::Unproductive)},
            {"macs", summary.macs},
            {"training_memory", memory.training},
            {"inference_memory", memory.inference}};
}

AtSide at(const Graph& graph, const Opened& opened, const MemoryOptions& options)
{
    AtSide out{analyze(graph, opened.options), {}};
    out.memory = memoryOf(out.report, options);
    return out;
}

int run(const std::vector<std::string>& words, std::ostream& out, std::ostream&)
{
    const Arguments arguments("analyze", words,
                              {{"--size", true}, {"--sizes", true}, {"--json"}, {"--batch", true}, {"--element", true}, {"--memory"}, {"--pointwise"}, {"--input", true},
                               {"--reach", true, true}, {"--fail-on", true}},
                              {"MODEL"});
    const auto level = arguments.value("--fail-on");
    const std::vector<Verdict> failOn = level ? fromLevel(*level) : std::vector<Verdict>{};
    const auto sizes = arguments.value("--sizes");
    const std::vector<Side> sides = sizes ? parseSides(*sizes, "--sizes") : std::vector<Side>{};
    const MemoryOptions memory = memoryOptions(arguments);
    const Opened opened = openFor(arguments);
    const std::string& model = arguments.operand(0);

    std::vector<AtSide> atSides;
    for (const Side& side : sides) atSides.push_back(at(withSide(opened.graph, side.h, side.w, opened.options.input), opened, memory));
    const bool table = !arguments.has("--json");
    if (table && !atSides.empty()) {
        out << sidesTable(atSides, model);
    } else {
        AtSide own = at(opened.graph, opened, memory);
        if (table) out << analysisTable(own.report, own.memory, model, arguments.has("--memory"));
        else {
            ReportJson json = analysisObject(own.report, own.memory, model);
            for (const AtSide& side : atSides) json["sizes"].push_back(sideEntry(side));
            out << jsonText(json);
        }
        if (atSides.empty()) atSides.push_back(std::move(own));
    }
    // A layer that depends on one of unknown reach may be at any level.
    const bool fails = std::any_of(atSides.begin(), atSides.end(), [&](const AtSide& side) {
        return hasAny(side.report, failOn) || (!failOn.empty() && !side.report.summary.judged);
    });
    return fails ? 1 : 0;
}

}  // namespace

const Command kAnalyze{"analyze", "which layers are productive, and what the network costs", kHelp, run};

}  // namespace fovea::cli
