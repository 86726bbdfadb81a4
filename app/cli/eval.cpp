#include "app/cli/engine_work.h"
#include "core/base/error.h"
#include "core/base/printable.h"
#include "core/io/json/json_reader.h"
#include "core/ops/classifier.h"

#include <algorithm>
#include <cstdio>
#include <ostream>

namespace fovea::cli {

namespace {

const std::string kHelp =
    std::string(
        "Says how well a network tells labelled images apart: top-1, top-5, loss, and what is taken for what.\n\n"
        "Usage: fovea eval MODEL --data SOURCE [options]\n\n"
        "  --against MODEL      another network, such as the one before a refinement, side by side\n"
        "  --size N|HxW         input side; without it the model's own\n"
        "  --part PART          validation (default) or train\n"
        "  --images N           at most so many\n") +
    dataHelp() +
    "  --json               JSON (schema fovea.eval/1) instead of a table\n\n"
    "Example: fovea eval refined.onnx --against original.onnx --data photos --size 64\n";

constexpr std::size_t kMaxTable = 20;  // classes that a terminal shows

void printConfusion(const EvaluateReply& reply, std::ostream& out)
{
    if (reply.confusion.empty()) return;  // too many classes
    if (reply.classes.size() > kMaxTable) {
        out << "\nThe confusion table of " << reply.classes.size() << " classes is in the JSON.\n";
        return;
    }
    std::size_t wide = 5;
    for (const std::string& name : reply.classes) wide = std::max(wide, std::min<std::size_t>(name.size(), 24));
    out << "\nimages of each class (rows) by what they were taken for (columns, in the same order)\n";
    for (std::size_t row = 0; row < reply.confusion.size(); ++row) {
        std::string name = printable(reply.classes[row]).substr(0, wide);
        name.resize(wide + 1, ' ');
        out << name;
        for (const std::int64_t count : reply.confusion[row]) {
            char cell[32];
            std::snprintf(cell, sizeof cell, " %6lld", static_cast<long long>(count));
            out << cell;
        }
        out << "\n";
    }
}

void printScores(const std::string& name, const EvaluateReply& reply, std::ostream& out)
{
    char loss[32];
    std::snprintf(loss, sizeof loss, "%.4f", reply.loss);
    out << printable(name) << "\n  images  " << reply.images << "\n  top-1   " << percent(reply.top1) << "\n  top-5   "
        << percent(reply.top5) << "\n  loss    " << loss << "\n";
}

EvaluateReply evaluated(EngineClient& engine, const Graph& graph, const Weights& weights, const Arguments& arguments,
                        std::ostream& notes)
{
    EvaluateRequest request;
    request.data = dataUse(arguments);
    const LoadReply loaded = loadInto(engine, graph, weights, arguments.value("--device").value_or("auto"));
    if (loaded.initialised > 0) notes << loaded.initialised << " tensors had no values and were filled at random.\n";
    auto reply = engine.ask<EvaluateReply>(request, tellTo(notes));
    tellBroken(reply.broken, notes);
    return reply;
}

int run(const std::vector<std::string>& words, std::ostream& out, std::ostream& notes)
{
    const Arguments arguments("eval", words, joined({{"--size", true}, {"--against", true}, {"--json"}}, dataOptions()),
                              {"MODEL"});
    // What is wrong there should not cost reading a large file.
    checkDataOfRun(arguments.operand(0), dataUse(arguments), notes);
    const Opened opened = openFor(arguments);
    const auto against = openOther(arguments, opened.graph);
    classifierIn(opened.graph);  // what cannot be evaluated is said before anything starts
    if (against) classifierIn(against->graph);
    const auto engine = startEngine();
    const EvaluateReply reply = evaluated(*engine, opened.graph, opened.model.weights, arguments, notes);
    std::optional<EvaluateReply> other;
    if (against) other = evaluated(*engine, against->graph, against->weights, arguments, notes);
    if (arguments.has("--json")) {
        Json json = toJson(reply);
        json["schema"] = "fovea.eval/1";
        json["model"] = textJson(arguments.operand(0));
        json["against"] = other ? toJson(*other) : Json(nullptr);
        out << jsonLine(json) << "\n";
        return 0;
    }
    printScores(arguments.operand(0), reply, out);
    if (other) printScores(against->name, *other, out);
    printConfusion(reply, out);
    return 0;
}

}  // namespace

const Command kEval{"eval", "how well labelled images are told apart", kHelp.c_str(), run, true};

}  // namespace fovea::cli
