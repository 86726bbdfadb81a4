#include "app/cli/engine_work.h"
#include "core/base/error.h"
#include "core/io/json/json_reader.h"
#include "core/io/model/model.h"
#include "core/ops/classifier.h"
#include "core/io/safetensors/safetensors.h"

#include <cmath>
#include <ostream>

namespace fovea::cli {

namespace {

const std::string kHelp =
    std::string(
        "Takes the statistics of batch norms anew from images, which a refinement moves, without training; or puts "
        "back norms that an exporter folded into convolutions.\n\n"
        "Usage: fovea recalibrate MODEL --data SOURCE -o OUT [options]\n\n"
        "  -o OUT               the network to write: .onnx or .fovea\n"
        "  --unfold             put norms back instead: a BatchNorm2d behind each convolution whose norm was\n"
        "                       folded, set so that the output stays the same\n"
        "  --size N|HxW         input side; without it the model's own\n"
        "  --images N           at most so many; 1000 training images without it\n") +
    dataHelp() +
    "  --json               JSON (schema fovea.recalibrate/1)\n\n"
    "Example: fovea recalibrate refined.onnx --data photos --size 64 -o recalibrated.onnx\n";

int run(const std::vector<std::string>& words, std::ostream& out, std::ostream& notes)
{
    const Arguments arguments("recalibrate", words,
                              joined({{"--size", true}, {"-o", true}, {"--unfold"}, {"--json"}}, dataOptions()),
                              {"MODEL"});
    const DataUse data = dataUse(arguments);
    const auto path = arguments.value("-o");
    if (!path) throw Error(ErrorCode::Usage, "Option '-o' is missing: it names the network to write.");
    refuseOverwrite(arguments.operand(0), *path);
    Opened opened = openFor(arguments);
    classifierIn(opened.graph);  // what cannot be recalibrated is said before anything starts
    const auto engine = startEngine();
    loadInto(*engine, opened.graph, opened.model.weights, arguments.value("--device").value_or("auto"));
    const TemporaryFile changed;
    Json json;
    if (arguments.has("--unfold")) {
        UnfoldRequest request;
        request.data = data;
        request.out = changed.path().string();
        const auto reply = engine->ask<UnfoldReply>(request, tellTo(notes));
        tellBroken(reply.broken, notes);
        opened.model.graph = reply.graph;
        json = toJson(reply);
        json.erase("graph");  // it is in the file
        if (!arguments.has("--json"))
            out << reply.norms << " norms put back from " << reply.images << " images; the output differs by "
                << Json(reply.difference).dump() << " of its largest value.\n";
    } else {
        RecalibrateRequest request;
        request.data = data;
        request.out = changed.path().string();
        const auto reply = engine->ask<RecalibrateReply>(request, tellTo(notes));
        tellBroken(reply.broken, notes);
        opened.model.graph.setPreprocessing(reply.preprocessing);  // another one would make other statistics
        json = toJson(reply);
        if (!arguments.has("--json"))
            out << reply.norms << " norms recalibrated on " << reply.images << " images"
                << (std::isfinite(reply.top1Before)
                        ? ": top-1 " + percent(reply.top1Before) + " before, " + percent(reply.top1After) + " after.\n"
                        : ".\n");
    }
    const Weights written = readSafetensors(changed.path());
    for (const auto& [name, tensor] : written.tensors()) opened.model.weights.set(name, tensor);
    const std::vector<std::string> initialised = saveModel(opened.model, *path);
    json["schema"] = "fovea.recalibrate/1";
    json["wrote"] = textJson(*path);
    if (arguments.has("--json")) out << jsonLine(json) << "\n";
    else out << wroteText(*path, initialised);
    return 0;
}

}  // namespace

const Command kRecalibrate{"recalibrate", "norms' statistics anew, or folded norms put back",
                           kHelp.c_str(), run, true};

}  // namespace fovea::cli
