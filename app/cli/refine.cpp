#include "app/cli/command.h"
#include "core/analysis/memory.h"
#include "core/base/error.h"
#include "core/io/model/model.h"
#include "core/io/reports/report_json.h"
#include "core/io/reports/reports.h"
#include "core/refine/plan.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ostream>

namespace fovea::cli {

namespace {

constexpr const char* kHelp =
    "Proposes changes of a few hyperparameters that make layers productive, and applies one.\n\n"
    "Usage: fovea refine MODEL --size N [options]\n\n"
    "  --size N|HxW         the input side to refine for; without it the model's own\n"
    "  --want GOAL          accuracy (default), efficiency or balance\n"
    "  --max-macs LIMIT     as 1.5x of now, or a count: 4G, 600M\n"
    "  --max-params LIMIT   the same for parameters\n"
    "  --max-memory LIMIT   what training keeps at batch 1 in float32: 2GiB, 512MiB\n"
    "  --keep LAYER         leave this layer as it is; may be given several times\n"
    "  --list               list the proposals (what it does unless told to apply)\n"
    "  --apply ID           apply the proposal of that id\n"
    "  --auto               apply the best proposal\n"
    "  -o OUT               write the refined network: .onnx or .fovea\n"
    "  --json               JSON (schema fovea.plans/1) instead of a table\n\n"
    "Exits with 1 when layers are not productive and no proposal stays within the limits.\n\n"
    "Example: fovea refine model.onnx --size 64 --max-macs 2x --auto -o refined.onnx\n";

Want wantNamed(const std::string& text)
{
    if (text == "accuracy") return Want::Accuracy;
    if (text == "efficiency") return Want::Efficiency;
    if (text == "balance") return Want::Balance;
    throw Error(ErrorCode::Usage, "Option '--want' takes accuracy, efficiency or balance, but got '" + text + "'.");
}

void checkOptions(const Arguments& arguments)
{
    if (arguments.has("--max-latency"))
        throw Error(ErrorCode::Usage, "Latency cannot be limited: it has to be measured on a device, and Fovea does not measure it yet. Limit --max-macs or --max-memory instead.");
    const int modes = arguments.has("--list") + arguments.has("--apply") + arguments.has("--auto");
    if (modes > 1) throw Error(ErrorCode::Usage, "Options '--list', '--apply' and '--auto' exclude one another. See 'fovea refine --help'.");
    const auto output = arguments.value("-o");
    if (!output) return;
    if (!arguments.has("--apply") && !arguments.has("--auto"))
        throw Error(ErrorCode::Usage, "Option '-o' needs '--apply ID' or '--auto': listing writes no network. See 'fovea refine --help'.");
    refuseOverwrite(arguments.operand(0), *output);
}

PlanRequest requestFrom(const Arguments& arguments, const Opened& opened, const Report& before)
{
    const Summary& now = before.summary;
    PlanRequest request;
    request.analysis = opened.options;
    if (const auto want = arguments.value("--want")) request.want = wantNamed(*want);
    if (const auto limit = arguments.value("--max-macs")) request.maxMacs = parseAmount(*limit, "--max-macs", now.macs);
    if (const auto limit = arguments.value("--max-params")) request.maxParameters = parseAmount(*limit, "--max-params", now.parameters);
    if (const auto limit = arguments.value("--max-memory")) request.maxMemoryBytes = parseAmount(*limit, "--max-memory", memoryOf(before).training, true);
    request.keep = arguments.values("--keep");
    std::vector<std::string> names;
    for (const auto& node : opened.graph.nodes()) names.push_back(node->name);
    for (const std::string& name : request.keep)
        if (!opened.graph.findByName(name))
            throw Error(ErrorCode::Usage, "Option '--keep' names '" + name + "', but no layer is called that." + suggestion(name, names));
    return request;
}

std::string loosenText(const std::vector<Loosening>& loosen, const Report& before)
{
    std::string out;
    for (const Loosening& l : loosen) {
        out += out.empty() ? "Loosen " : " and ";
        const auto atLeast = [&](const char* option, const std::string& from, std::int64_t now, const std::string& to) {
            char factor[32];
            std::snprintf(factor, sizeof factor, "%.2fx", std::ceil(100.0 * static_cast<double>(l.to) / static_cast<double>(std::max<std::int64_t>(1, now))) / 100);
            out += std::string(option) + " from " + from + " to at least " + to + " (" + factor + " of now)";
        };
        switch (l.limit) {
        case Loosening::Limit::Macs: atLeast("--max-macs", shortCount(l.from), before.summary.macs, std::to_string(l.to)); break;
        case Loosening::Limit::Parameters: atLeast("--max-params", shortCount(l.from), before.summary.parameters, std::to_string(l.to)); break;
        case Loosening::Limit::Memory: atLeast("--max-memory", shortBytes(l.from), memoryOf(before).training, std::to_string(l.to)); break;
        }
    }
    return out.empty() ? "" : " " + out + ".";
}

const char* optionOf(Loosening::Limit limit)
{
    switch (limit) {
    case Loosening::Limit::Macs: return "--max-macs";
    case Loosening::Limit::Parameters: return "--max-params";
    case Loosening::Limit::Memory: return "--max-memory";
    }
    return "";
}

// The plan to apply; null where --auto finds none.
const Plan* chosen(const Arguments& arguments, const std::vector<Plan>& plans)
{
    if (arguments.has("--auto")) return plans.empty() ? nullptr : &plans.front();
    const auto id = arguments.value("--apply");
    if (!id) return nullptr;
    std::string known;
    for (const Plan& plan : plans) {
        if (plan.id == *id) return &plan;
        known += (known.empty() ? "" : ", ") + plan.id;
    }
    throw Error(ErrorCode::Usage, "There is no proposal '" + *id + "' here; " + (known.empty() ? "there are none." : "the proposals are " + known + "."));
}

struct Outcome {
    const Plan* applied = nullptr;
    bool written = false;
    std::vector<std::string> initialised;
};

std::string outcomeText(const Arguments& arguments, const Report& before, const std::vector<Plan>& plans, const Outcome& outcome, bool needed, const std::vector<Loosening>& loosen)
{
    const auto output = arguments.value("-o");
    std::string text;
    if (outcome.applied) {
        const Plan& plan = *outcome.applied;
        text = plan.id + ": " + plan.title + "\n" + plan.reason + "\n\nbefore: " + summaryLine(plan.before) + "\nafter:  " +
               summaryLine(plan.after) + "\ntensors: " + transferLine(plan.weights) + "\n\n";
        return text + (outcome.written ? wroteText(*output, outcome.initialised) : "Nothing was written: give -o OUT to keep the refined network.\n");
    }
    if (plans.empty() && needed) return "Layers are not productive at side " + sideText(before.side) + ", but no proposal within the limits helps." + loosenText(loosen, before) + "\n";
    if (plans.empty()) text = "Nothing to do at side " + sideText(before.side) + ": " + summaryLine(before.summary) + ".\n";
    else text = plansTable(before, plans);
    return text + (outcome.written ? "The network is unchanged. " + wroteText(*output, outcome.initialised) : "");
}

std::string outcomeJson(const Arguments& arguments, const Report& before, const std::vector<Plan>& plans, const Outcome& outcome, const std::vector<Loosening>& loosen)
{
    ReportJson json = plansObject(before, plans);
    for (const Loosening& l : loosen) json["loosen"].push_back({{"option", optionOf(l.limit)}, {"from", l.from}, {"to", l.to}});
    if (arguments.has("--apply") || arguments.has("--auto")) {
        json["applied"] = outcome.applied ? ReportJson(outcome.applied->id) : ReportJson(nullptr);
        json["output"] = outcome.written ? ReportJson(*arguments.value("-o")) : ReportJson(nullptr);
        json["initialised"] = outcome.initialised;
    }
    return jsonText(json);
}

int run(const std::vector<std::string>& words, std::ostream& out, std::ostream&)
{
    const Arguments arguments("refine", words,
                              {{"--size", true}, {"--want", true}, {"--max-macs", true}, {"--max-params", true}, {"--max-memory", true}, {"--max-latency", true},
                               {"--keep", true, true}, {"--list"}, {"--apply", true}, {"--auto"}, {"-o", true}, {"--json"}},
                              {"MODEL"});
    checkOptions(arguments);
    const Opened opened = openFor(arguments);
    const Report before = analyze(opened.graph, opened.options);
    std::vector<Loosening> loosen;
    const std::vector<Plan> plans = propose(opened.graph, requestFrom(arguments, opened, before), &loosen);
    const bool needed = needsRefinement(before), stuck = plans.empty() && needed;
    Outcome outcome;
    outcome.applied = chosen(arguments, plans);
    const auto output = arguments.value("-o");
    if (output && !stuck) {
        // Without a plan the network goes out exactly as it came in, side included.
        Model refined = opened.model;
        if (outcome.applied) refined.graph = outcome.applied->graph;
        outcome.initialised = saveModel(refined, *output);
        outcome.written = true;
    }
    out << (arguments.has("--json") ? outcomeJson(arguments, before, plans, outcome, loosen) : outcomeText(arguments, before, plans, outcome, needed, loosen));
    return stuck ? 1 : 0;
}

}  // namespace

const Command kRefine{"refine", "propose and apply changes that make layers productive", kHelp, run};

}  // namespace fovea::cli
