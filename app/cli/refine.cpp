#include "app/cli/engine_work.h"
#include "app/cli/latency.h"
#include "app/cli/limits.h"
#include "core/base/error.h"
#include "core/base/printable.h"
#include "core/graph/names.h"
#include "core/io/model/model.h"
#include "core/io/reports/report_json.h"
#include "core/io/reports/reports.h"
#include "core/refine/plan.h"

#include <algorithm>
#include <ostream>
#include <utility>

namespace fovea::cli {

namespace {

constexpr const char* kHelp =
    "Proposes changes of a few hyperparameters that make layers productive, and applies one.\n\n"
    "Usage: fovea refine MODEL --size N [options]\n\n"
    "  --size N|HxW         the input side to refine for; without it the model's own\n"
    "  --reach LAYER=REACH  what a layer reads that Fovea cannot read, as k3s2p1, global or same; several times\n"
    "  --want GOAL          productive (default, also called accuracy), balance or efficiency\n"
    "  --max-macs LIMIT     as 1.5x of now, or a count: 4G, 600M\n"
    "  --max-params LIMIT   the same for parameters; without it as many as now\n"
    "  --min-params LIMIT   the fewest parameters that may be left; for productive 0.99x without it, and no limit\n"
    "                       for the other goals\n"
    "  --max-memory LIMIT   what a training step keeps: 2GiB, 512MiB, 1.5x\n"
    "  --max-inference-memory LIMIT   the most that inference has alive at once\n"
    "  --max-latency LIMIT  the longest that inference may take, as the engine measures it on this machine:\n"
    "                       12ms, 0.05s, 1.5x\n"
    "  --batch N            batch size for the three; 1 without it\n"
    "  --element TYPE       float32 (default), float16, bfloat16, float64 or int8, for both memories\n"
    "  --device NAME        that latency is measured on: auto (default), cpu, cuda, cuda:1\n"
    "  --output-stride N    pixels per unit of the coarsest map: a number, or keep\n"
    "  --keep LAYER         leave this layer, or group of layers, as it is, by the file's name or the printed one; may\n"
    "                       be given several times\n"
    "  --reach LAYER=REACH  what an unrecognised layer reads, as in 'fovea analyze'; may be given several times\n"
    "  --list               list the proposals (what it does unless told to apply)\n"
    "  --moves              list every single change that can be made within the limits, whether it helps or not\n"
    "  --apply ID           apply the proposal of that id; or single changes, one after the other, where\n"
    "                       several are given; exits with 1 where that exceeds a limit\n"
    "  --auto               apply the best proposal that changes more than the input side\n"
    "  --all                write every listed proposal, or single change with --moves; OUT names them by {id}.\n"
    "                       One that cannot be written is named and the others are; exits with 2 where none can\n"
    "  -o OUT               write the refined network: .onnx or .fovea\n"
    "  --json               JSON (schema fovea.plans/1) instead of a table\n\n"
    "Exits with 1 when the network needs a proposal and none stays within the limits: layers are not productive, no field\n"
    "covers the side, or its head does not fit the side. So it does when there is none because nothing is known of layers\n"
    "behind one that cannot be read.\n\n"
    "Example: fovea refine model.onnx --size 64 --max-macs 2x --auto -o refined.onnx\n"
    "         fovea refine model.onnx --size 64 --all -o 'refined-{id}.onnx'\n";

constexpr std::string_view kIdMark = "{id}";

void checkOptions(const Arguments& arguments)
{
    const int modes = arguments.has("--list") + arguments.has("--moves") + arguments.has("--apply") + arguments.has("--auto");
    if (modes > 1)
        throw Error(ErrorCode::Usage, "Options '--list', '--moves', '--apply' and '--auto' exclude one another. See 'fovea refine --help'.");
    if (arguments.has("--max-latency") && (arguments.has("--moves") || arguments.values("--apply").size() > 1))
        throw Error(ErrorCode::Usage, "Option '--max-latency' is for proposals: single changes are not measured, so leave it out with '--moves' or several '--apply'.");
    const auto output = arguments.value("-o");
    if (arguments.has("--all")) {
        if (arguments.has("--apply") || arguments.has("--auto"))
            throw Error(ErrorCode::Usage, "Option '--all' writes every proposal, so it excludes '--apply' and '--auto'. See 'fovea refine --help'.");
        if (!output || output->find(kIdMark) == std::string::npos)
            throw Error(ErrorCode::Usage, "Option '--all' needs '-o OUT' with {id} in its name, such as 'refined-{id}.onnx'.");
    }
    if (!output) return;
    if (!arguments.has("--apply") && !arguments.has("--auto") && !arguments.has("--all"))
        throw Error(ErrorCode::Usage, "Option '-o' needs '--apply ID', '--auto' or '--all': listing writes no network. See 'fovea refine --help'.");
    refuseOverwrite(arguments.operand(0), *output);
}

// A single change of this id, which needs no search; nullopt where it is none.
std::optional<Plan> singleMove(const Graph& graph, const std::string& id, PlanRequest request)
{
    std::vector<Plan> moves = listMoves(graph, request);
    const auto it = std::find_if(moves.begin(), moves.end(), [&](const Plan& move) { return move.id == id; });
    return it == moves.end() ? std::nullopt : std::optional(std::move(*it));
}

// The proposal of this id that the limits keep out, if it is one.
std::optional<Plan> beyondLimits(const Graph& graph, const std::string& id, PlanRequest request)
{
    for (auto* limit : {&request.maxMacs, &request.minParameters, &request.maxParameters, &request.maxTraining, &request.maxInference, &request.outputStride})
        limit->reset();
    std::vector<Plan> plans = propose(graph, request);
    const auto it = std::find_if(plans.begin(), plans.end(), [&](const Plan& plan) { return plan.id == id; });
    return it == plans.end() ? std::nullopt : std::optional(std::move(*it));
}

// The plan to apply, one of `plans` or made of single moves; nullopt where --auto finds none.
std::optional<Plan> chosen(const Arguments& arguments, const std::vector<Plan>& plans, const Graph& graph, const PlanRequest& request)
{
    if (arguments.has("--auto")) {
        const auto first = std::find_if(plans.begin(), plans.end(), [](const Plan& plan) { return !isSideChange(plan.edits); });
        return first == plans.end() ? std::nullopt : std::optional(*first);
    }
    const std::vector<std::string> ids = arguments.values("--apply");
    if (ids.empty()) return std::nullopt;
    if (ids.size() > 1) return combine(graph, ids, request);
    std::string known;
    for (const Plan& plan : plans) {
        if (plan.id == ids.front()) return plan;
        known += (known.empty() ? "" : ", ") + plan.id;
    }
    const bool latency = arguments.has("--max-latency");
    if (!latency)
        for (const auto& find : {singleMove, beyondLimits})
            if (auto plan = find(graph, ids.front(), request)) return plan;
    throw Error(ErrorCode::Usage, "There is no proposal '" + ids.front() + "' here; " +
                                      (known.empty() ? "there are none." : "the proposals are " + known + ".") +
                                      (latency ? " Single changes are not measured: leave '--max-latency' out." : " Option '--moves' lists single changes."));
}

struct Outcome {
    std::optional<Plan> applied;
    std::optional<Plan> refused;  // it exceeds the limits
    bool withheld = false;        // there would be plans, were it known what some layer reads
    std::string unwritable;       // why what helps cannot be written, where that holds for all
    bool written = false;
    std::vector<std::string> initialised;
};

// What is wrong with the network as it is.
std::string problemOf(const Report& before)
{
    const Summary& now = before.summary;
    const std::string side = sideText(before.side);
    if (firstError(before)) return "This is no network at side " + side;
    if (now.count(Verdict::Unproductive) + now.count(Verdict::Partial) + now.count(Verdict::Critical) > 0)
        return "Layers are not productive at side " + side;
    return "The largest field, " + shortFieldText(*now.iMax, before.side) + ", is smaller than side " + side;
}

std::string errorText(const Report& before)
{
    const Issue* error = firstError(before);
    return error ? printable(moduleName(error->layer) + ": " + error->message) + "\n" : "";
}

// Why a network with layers of unknown reach gets no proposal, and what helps; empty where every reach is known.
std::string unknownText(const Report& before)
{
    const int unknown = before.summary.count(Verdict::Unknown);
    const LayerReport* first = firstUnknown(before);
    if (!first) return unknown > 0 ? "No input of this network is an image, so no layer is judged" : "";
    const auto opaque = static_cast<int>(std::count_if(before.layers.begin(), before.layers.end(), [](const LayerReport& layer) {
        return layer.op->opClass == OpClass::Opaque && layer.verdict == Verdict::Unknown;
    }));
    std::string text = "It is not known what layer '" + moduleName(first->name()) + "' reads, so no proposal changes its input or a layer behind it";
    if (unknown > opaque)
        text += ", and " + std::to_string(unknown - opaque) + (unknown - opaque == 1 ? " layer is" : " layers are") + " not judged";
    return text + ". State what it reads, as in --reach '" + first->name() + "=k3s1p1'";
}

std::string outcomeText(const Arguments& arguments, const Report& before, const std::vector<Plan>& plans, const Outcome& outcome, bool needed, const std::string& loosen)
{
    const auto output = arguments.value("-o");
    std::string text;
    if (outcome.refused) return outcome.refused->id + ": " + printable(outcome.refused->title) + "\nThis exceeds the limits." + loosen + "\n";
    if (outcome.applied) {
        const Plan& plan = *outcome.applied;
        text = plan.id + ": " + printable(plan.title) + "\n" + printable(plan.reason) + "\n\nbefore: " + summaryLine(plan.before) + "\nafter:  " +
               summaryLine(plan.after) + "\ntensors: " + transferLine(plan.weights) + "\n\n";
        return text + (outcome.written ? wroteText(*output, outcome.initialised) : "Nothing was written: give -o OUT to keep the refined network.\n") +
               statedSidesText(before.graph, plan.graph);
    }
    if (needed && !plans.empty() && arguments.has("--auto"))
        return problemOf(before) + ", and only another side helps within the limits:\n" + plans.front().id +
               ": " + printable(plans.front().title) + ". Option '--apply' takes it.\n";
    if (outcome.withheld) return "No proposal is left. " + unknownText(before) + ".\n";
    if (needed && !outcome.unwritable.empty())
        return problemOf(before) + ", but the file cannot hold any proposal that helps. " + outcome.unwritable + "\n";
    if (plans.empty() && needed) return problemOf(before) + ", but no proposal within the limits helps." + loosen + "\n" + errorText(before);
    if (plans.empty()) text = "Nothing to do at side " + sideText(before.side) + ": " + summaryLine(before.summary) + ".\n";
    else text = plansTable(before, plans);
    if (!plans.empty() && dependsOnUnknown(before.summary)) text += "\n" + unknownText(before) + ".\n";
    return text + (outcome.written ? "The network is unchanged. " + wroteText(*output, outcome.initialised) : "");
}

ReportJson outcomeJson(const Arguments& arguments, const Report& before, const std::vector<Plan>& plans, const Outcome& outcome, const std::vector<Loosening>& loosen)
{
    ReportJson json = plansObject(before, plans);
    for (const Loosening& l : loosen) json["loosen"].push_back({{"option", optionOf(l.limit)}, {"from", l.from}, {"to", l.to}, {"layer", l.layer.empty() ? ReportJson(nullptr) : ReportJson(l.layer)}});
    if (!outcome.unwritable.empty()) json["withheld"] = {{"layer", nullptr}, {"message", outcome.unwritable}};
    if (outcome.withheld) {
        const LayerReport* layer = firstUnknown(before);
        json["withheld"] = {{"layer", layer ? ReportJson(layer->name()) : ReportJson(nullptr)}, {"message", unknownText(before) + "."}};
    }
    if (arguments.has("--apply") || arguments.has("--auto")) {
        json["applied"] = outcome.applied ? ReportJson(outcome.applied->id) : ReportJson(nullptr);
        json["output"] = outcome.written ? ReportJson(*arguments.value("-o")) : ReportJson(nullptr);
        json["initialised"] = outcome.initialised;
        // Sizes that the file leaves open and the plan states.
        json["stated"] = outcome.applied ? statedSymbols(before.graph, outcome.applied->graph) : std::vector<std::string>{};
    }
    return json;
}

// Every one of them into a file of its own; where each went, as text or into `json`. One that cannot be written, such as
// one that ONNX has no operator for, does not keep the others back; throws its error where that holds for all.
std::string writeAll(const std::vector<Plan>& plans, const Model& model, const std::string& output, ReportJson& json)
{
    std::string text;
    json = ReportJson::array();
    std::optional<Error> failed;
    bool wrote = plans.empty();
    for (const Plan& plan : plans) {
        std::string path = output;
        for (std::size_t at = path.find(kIdMark); at != std::string::npos; at = path.find(kIdMark, at + plan.id.size()))
            path.replace(at, kIdMark.size(), plan.id);
        Model refined = model;
        refined.graph = plan.graph;
        try {
            const std::vector<std::string> initialised = saveModel(refined, path);
            text += wroteText(path, initialised) + statedSidesText(model.graph, plan.graph);
            json.push_back({{"id", plan.id}, {"output", path}, {"initialised", initialised}, {"error", nullptr}, {"stated", statedSymbols(model.graph, plan.graph)}});
            wrote = true;
        } catch (const Error& error) {
            text += "Could not write " + path + ": " + printable(error.what()) + "\n";
            json.push_back({{"id", plan.id}, {"output", nullptr}, {"initialised", ReportJson::array()}, {"error", error.what()}});
            if (!failed) failed = error;
        }
    }
    if (!wrote) throw *failed;
    return text;
}

int run(const std::vector<std::string>& words, std::ostream& out, std::ostream& notes)
{
    std::vector<OptionSpec> options = limitOptions();
    options.insert(options.end(), {{"--size", true}, {"--list"}, {"--moves"}, {"--apply", true, true}, {"--auto"}, {"--all"}, {"-o", true}, {"--json"}, {"--reach", true, true}});
    const Arguments arguments("refine", words, options, {"MODEL"});
    checkOptions(arguments);
    const Opened opened = openFor(arguments);
    const Report before = analyze(opened.graph, opened.options);
    PlanRequest request = requestFrom(arguments, opened, before);
    std::string unwritable;  // why the file cannot hold a plan that would help
    if (const auto refusal = refusalsFor(opened.model))
        request.accepts = [&unwritable, refusal](const Graph& graph) {
            const auto why = refusal(graph);
            if (why) unwritable = *why;
            return !why;
        };
    const bool isJson = arguments.has("--json");
    // Only one of the two is made.
    const auto tell = [&](const std::vector<Plan>& plans, const auto& text, const auto& json) {
        ReportJson outputs;
        std::string wrote;
        if (arguments.has("--all")) wrote = writeAll(plans, opened.model, *arguments.value("-o"), outputs);
        if (!isJson) {
            out << text() + (wrote.empty() ? "" : "\n" + wrote);
            return;
        }
        ReportJson object = json();
        if (arguments.has("--all")) object["outputs"] = std::move(outputs);
        out << jsonText(object);
    };
    if (arguments.has("--moves")) {
        std::vector<Plan> moves = listMoves(opened.graph, request);
        std::erase_if(moves, [&](const Plan& move) { return !exceededBy(move, request).empty(); });
        tell(moves, [&] { return plansTable(before, moves); }, [&] { return plansObject(before, moves); });
        return 0;
    }
    std::vector<Loosening> loosen;
    const auto latency = latencyLimit(arguments);
    if (!latency) refuseWithout(arguments, "--max-latency", {{"--device", true}});
    Outcome outcome;
    // A search would only find it again, and is needed for the list.
    const std::vector<std::string> ids = arguments.values("--apply");
    if (ids.size() == 1 && !latency && !isJson) outcome.applied = singleMove(opened.graph, ids.front(), request);
    const std::vector<Plan> plans =
        outcome.applied ? std::vector<Plan>{}
        : latency ? proposeWithin(*latency, opened.graph, request, arguments.value("--device").value_or("auto"), loosen, notes)
                : propose(opened.graph, request, &loosen);
    const bool needed = needsRefinement(before);
    if (!outcome.applied) outcome.applied = chosen(arguments, plans, opened.graph, request);
    if (outcome.applied) {
        // The user's own limits hold for single changes, too.
        if (auto exceeded = exceededBy(*outcome.applied, request); !exceeded.empty()) {
            outcome.refused = std::exchange(outcome.applied, std::nullopt);
            loosen = std::move(exceeded);
        }
    }
    if (plans.empty() && !outcome.applied && loosen.empty()) outcome.unwritable = unwritable;
    const bool isUnknown = dependsOnUnknown(before.summary) || (needed && firstUnknown(before));
    outcome.withheld = isUnknown && plans.empty() && loosen.empty() && !outcome.applied && !outcome.refused;
    const bool stuck = outcome.refused || outcome.withheld || (needed && !outcome.applied && (plans.empty() || arguments.has("--auto")));
    const auto output = arguments.value("-o");
    if (output && !stuck && !arguments.has("--all")) {
        // Without a plan the network goes out exactly as it came in, side included.
        Model refined = opened.model;
        if (outcome.applied) refined.graph = outcome.applied->graph;
        outcome.initialised = saveModel(refined, *output);
        outcome.written = true;
    }
    tell(
        plans, [&] { return outcomeText(arguments, before, plans, outcome, needed, loosenText(loosen, before, request.memory)); },
        [&] { return outcomeJson(arguments, before, plans, outcome, loosen); });
    return stuck ? 1 : 0;
}

}  // namespace

const Command kRefine{"refine", "propose and apply changes that make layers productive", kHelp, run, true};

}  // namespace fovea::cli
