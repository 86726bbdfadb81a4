#include "app/cli/engine_work.h"
#include "core/analysis/report.h"
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
        "Measures what each layer adds: a linear classifier on its pooled output, trained on your images, beside "
        "the predicted verdict.\n\n"
        "Usage: fovea probe MODEL --data SOURCE [options]\n\n"
        "  --layer NAME         probe this layer; may be given several times; without it every convolution,\n"
        "                       pooling and linear layer\n"
        "  --size N|HxW         input side; without it the model's own\n"
        "  --images N           at most so many training and so many validation images\n") +
    dataHelp() +
    "  --json               JSON (schema fovea.probe/1) instead of a table\n\n"
    "Example: fovea probe trained.fovea --data photos --size 64 --json\n";

std::string verdictOf(const Report& report, const std::string& layer)
{
    for (const LayerReport& entry : report.layers)
        if (entry.name() == layer) return toString(entry.verdict);
    return "unknown";
}

int run(const std::vector<std::string>& words, std::ostream& out, std::ostream& notes)
{
    const Arguments arguments("probe", words,
                              joined({{"--size", true}, {"--layer", true, true}, {"--json"}}, dataOptions()), {"MODEL"});
    if (arguments.has("--part"))
        throw Error(ErrorCode::Usage, "Option '--part' has no meaning here: a probe is trained on the training images and "
                                      "tried on the others.");
    ProbeRequest request;
    request.data = dataUse(arguments);
    checkDataOfRun(arguments.operand(0), request.data, notes);
    request.layers = arguments.values("--layer");
    const Opened opened = openFor(arguments);
    classifierIn(opened.graph);  // what cannot be probed is said before anything starts
    const Report report = analyze(opened.graph, opened.options);
    const auto engine = startEngine();
    loadInto(*engine, opened.graph, opened.model.weights, arguments.value("--device").value_or("auto"));
    const auto reply = engine->ask<ProbeReply>(request, tellTo(notes));
    tellBroken(reply.broken, notes);
    if (arguments.has("--json")) {
        Json json = toJson(reply);
        json["schema"] = "fovea.probe/1";
        json["model"] = textJson(arguments.operand(0));
        for (Json& row : json["rows"]) row["verdict"] = verdictOf(report, row["layer"].get<std::string>());
        out << jsonLine(json) << "\n";
        return reply.stopped ? 1 : 0;
    }
    std::size_t wide = 5;
    for (const ProbeRow& row : reply.rows) wide = std::max(wide, printable(row.layer).size());
    out << "a linear classifier of " << reply.classes << " classes, trained on " << reply.images << " images, tried on "
        << reply.validationImages << "\n";
    for (const ProbeRow& row : reply.rows) {
        char line[96];
        std::snprintf(line, sizeof line, "  %8s  %8s  %6lld features  ", percent(row.top1).c_str(),
                      percent(row.trainTop1).c_str(), static_cast<long long>(row.features));
        const std::string name = printable(row.layer);
        out << name << std::string(wide - name.size(), ' ') << line << verdictOf(report, row.layer) << "\n";
    }
    if (reply.stopped) out << "Stopped before the last layer.\n";
    return reply.stopped ? 1 : 0;
}

}  // namespace

const Command kProbe{"probe", "measure what each layer adds", kHelp.c_str(),
                     run, true};

}  // namespace fovea::cli
