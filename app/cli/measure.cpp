#include "app/cli/engine_work.h"
#include "core/base/error.h"
#include "core/base/printable.h"
#include "core/graph/first_image.h"
#include "core/io/json/json_reader.h"

#include <cstdio>
#include <optional>
#include <ostream>

namespace fovea::cli {

namespace {

constexpr const char* kHelp =
    "Measures what a network costs on this machine: time of a step and the memory of all tensors at its most, for\n"
    "training and inference. Any network that the engine runs can be measured: where it tells no classes apart, the mean\n"
    "square of its outputs stands for the loss.\n\n"
    "Usage: fovea measure MODEL [options]\n\n"
    "  --against MODEL      another network, such as the one before a refinement, side by side\n"
    "  --size N|HxW         input side; without it the model's own\n"
    "  --batch N            images in a step; 32 without it\n"
    "  --repeats N          timed steps; 5 without it, and the median counts\n"
    "  --device NAME        auto (default), cpu, cuda, cuda:1\n"
    "  --json               JSON (schema fovea.cost/1) instead of a table\n\n"
    "Example: fovea measure refined.onnx --against original.onnx --size 64 --batch 64\n";

struct Cost {
    std::string name, images;  // "32 images of 64x64"
    CostReply inference;
    std::optional<CostReply> training;
    std::string whyNoTraining;
};

CostRequest requestFrom(const Arguments& arguments)
{
    CostRequest request;
    if (const auto batch = arguments.value("--batch")) request.batch = parseWhole(*batch, "--batch", 1, 65536);
    if (const auto repeats = arguments.value("--repeats"))
        request.repeats = parseWhole(*repeats, "--repeats", 1, 1000);
    return request;
}

Cost costOf(EngineClient& engine, const std::string& name, const Graph& graph, const Weights& weights,
            const std::string& device, CostRequest request, std::ostream& notes)
{
    const Node* image = firstImage(graph);
    const Shape shape = image ? imageShape(*image) : Shape();
    const std::string of = image ? " of " + std::to_string(shape[2]) + "x" + std::to_string(shape[3]) : "";
    loadInto(engine, graph, weights, device);
    Cost out{name, std::to_string(request.batch) + (request.batch == 1 ? " image" : " images") + of, {}, {}, {}};
    request.training = false;
    out.inference = engine.ask<CostReply>(request, tellTo(notes));
    request.training = true;
    try {
        out.training = engine.ask<CostReply>(request, tellTo(notes));
    } catch (const Error& error) {
        if (error.code() != ErrorCode::Usage) throw;
        out.whyNoTraining = error.what();  // such as a network without weights
    }
    return out;
}

void print(const Cost& cost, std::ostream& out)
{
    const auto line = [&](const char* what, const CostReply& reply) {
        char text[96];
        std::snprintf(text, sizeof text, "  %-10s %9.1f ms a step  %9.1f MiB\n", what, reply.median * 1e3,
                      static_cast<double>(reply.memory) / (1 << 20));
        out << text;
    };
    out << printable(cost.name) << ", " << cost.images << ", " << cost.inference.device << "\n";
    line("inference", cost.inference);
    if (cost.training) line("training", *cost.training);
    else out << "  training   not measured: " << printable(cost.whyNoTraining) << "\n";
}

Json costJson(const Cost& cost)
{
    Json out{{"model", textJson(cost.name)},
             {"inference", toJson(cost.inference)},
             {"training", cost.training ? toJson(*cost.training) : Json(nullptr)}};
    if (!cost.training) out["why_no_training"] = textJson(cost.whyNoTraining);
    return out;
}

int run(const std::vector<std::string>& words, std::ostream& out, std::ostream& notes)
{
    const Arguments arguments(
        "measure", words,
        {{"--size", true}, {"--against", true}, {"--batch", true}, {"--repeats", true}, {"--device", true}, {"--json"}},
        {"MODEL"});
    const CostRequest request = requestFrom(arguments);
    const std::string device = arguments.value("--device").value_or("auto");
    const Opened opened = openFor(arguments);
    const auto engine = startEngine();
    std::vector<Cost> costs = {
        costOf(*engine, arguments.operand(0), opened.graph, opened.model.weights, device, request, notes)};
    if (const auto against = openOther(arguments, opened.graph))
        costs.push_back(costOf(*engine, against->name, against->graph, against->weights, device, request, notes));
    if (arguments.has("--json")) {
        Json list = Json::array();
        for (const Cost& cost : costs) list.push_back(costJson(cost));
        out << jsonLine(Json{{"schema", "fovea.cost/1"}, {"networks", list}}) << "\n";
        return 0;
    }
    for (const Cost& cost : costs) print(cost, out);
    return 0;
}

}  // namespace

const Command kMeasure{"measure", "time and memory of a step on this machine", kHelp, run, true};

}  // namespace fovea::cli
