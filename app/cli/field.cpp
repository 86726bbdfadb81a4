#include "app/cli/engine_work.h"
#include "core/analysis/unit_field.h"
#include "core/base/error.h"
#include "core/base/printable.h"
#include "core/base/spelling.h"
#include "core/io/json/json_reader.h"

#include <charconv>
#include <cstdio>
#include <ostream>

namespace fovea::cli {

namespace {

const std::string kHelp =
    std::string(
        "The exact receptive field of one unit: the pixels of the image that it reads, found by following what it\n"
        "reads backward through the network.\n\n"
        "Usage: fovea field MODEL --layer NAME [options]\n\n"
        "  --layer NAME          the layer\n"
        "  --unit Y,X            row and column on the layer's output map; without it the middle\n"
        "  --size N|HxW          input side; without it the model's own\n"
        "  --measure             also measure it: the engine builds the network with positive weights and takes the\n"
        "                        unit's gradient; exits 1 where that is not the same box\n"
        "  --input NAME          the input that is looked at\n"
        "  --reach NAME=k3s2p1   what an unknown layer reads; may be given several times\n"
        "  --json                as JSON: layer, unit, box [top,left,bottom,right], clipped, padding_fraction\n\n"
        "  --effective           also the effective field: the unit's |gradient| with the model's own weights, "
        "averaged\n"
        "                        over images or noise (Luo et al. 2016)\n"
        "  --train-mode          norms and dropout as while training\n"
        "  --threshold SHARE     of the largest gradient: pixels above it count; 0.0455 without it\n"
        "  --images N            how many images, or pictures of noise without --data\n"
        "  -o FILE.safetensors   the averaged gradient itself, \"field\" [height, width]\n") +
    dataHelp() +
    "\nThe box is half-open and unclipped: padding counts as pixels outside the image.\n\n"
    "Example: fovea field zoo:example --layer conv1 --unit 0,0 --measure\n"
    "         fovea field trained.fovea --layer layer4.1.conv2 --effective --data photos -o field.safetensors\n";

std::int64_t number(const std::string& text, const std::string& whole)
{
    std::int64_t value = -1;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed != std::errc() || end != text.data() + text.size() || value < 0)
        throw Error(ErrorCode::Usage, "Option '--unit' takes ROW,COLUMN such as 0,7, but got '" + whole + "'.");
    return value;
}

Unit parseUnit(const std::string& text)
{
    const std::size_t comma = text.find(',');
    if (comma == std::string::npos) number("", text);
    return {number(text.substr(0, comma), text), number(text.substr(comma + 1), text), 0};
}

std::optional<PixelBox> measured(const Graph& graph, const std::string& layer, const Unit& unit)
{
    const auto engine = startEngine();
    LoadRequest load;
    load.graph = graph;
    load.support = true;
    engine->ask<LoadReply>(load);
    GradientRequest request;
    request.layer = layer;
    request.unit = {unit.y, unit.x};
    return engine->ask<GradientReply>(request).box;
}

EffectiveReply effective(const Opened& opened, const std::string& layer, const Unit& unit, const Arguments& arguments,
                         std::ostream& notes)
{
    EffectiveRequest request;
    request.layer = layer;
    request.unit = {unit.y, unit.x};
    if (arguments.has("--data")) request.data = dataUse(arguments);
    if (const auto images = arguments.value("--images"))
        request.data.images = parseWhole(*images, "--images", 1, 1'000'000'000);
    if (const auto seed = arguments.value("--seed")) request.seed = parseWhole(*seed, "--seed", 0, 9'000'000'000'000'000);
    if (const auto share = arguments.value("--threshold")) request.threshold = parseShare(*share, "--threshold");
    request.trainMode = arguments.has("--train-mode");
    request.image = arguments.value("-o").value_or("");
    const auto engine = startEngine();
    const LoadReply loaded =
        loadInto(*engine, opened.graph, opened.model.weights, arguments.value("--device").value_or("auto"),
                 static_cast<std::uint64_t>(request.seed));
    if (loaded.initialised > 0)
        notes << loaded.initialised << " tensors have no weights in the model and were drawn anew.\n";
    auto reply = engine->ask<EffectiveReply>(request, tellTo(notes));
    tellBroken(reply.broken, notes);
    return reply;
}

Json boxJson(const std::optional<PixelBox>& box)
{
    return box ? Json::array({box->top, box->left, box->bottom, box->right}) : Json(nullptr);
}

std::string boxText(const std::optional<PixelBox>& box)
{
    if (!box) return "none";
    return "[" + std::to_string(box->top) + ", " + std::to_string(box->left) + ", " + std::to_string(box->bottom) +
           ", " + std::to_string(box->right) + "]  " + std::to_string(box->height()) + " x " +
           std::to_string(box->width()) + " px";
}

void print(const UnitField& field, const std::string& layer, const Unit& unit, std::ostream& out)
{
    char padding[32];
    std::snprintf(padding, sizeof padding, "%.1f %%", field.paddingFraction * 100);
    out << printable(layer) << ", unit " << unit.y << "," << unit.x << ", image " << field.side.h << " x " << field.side.w << "\n";
    out << "  box       " << boxText(field.box) << (field.unbounded ? ", reads a whole map on the way" : "") << "\n";
    out << "  in image  " << boxText(field.clipped) << "\n";
    out << "  padding   " << padding << "\n";
}

std::optional<PixelBox> boxOf(const EffectiveReply& reply)
{
    if (!reply.box) return std::nullopt;
    const auto& [top, left, bottom, right] = *reply.box;
    return PixelBox{top, left, bottom, right};
}

void print(const EffectiveReply& reply, std::ostream& out)
{
    char text[160];
    std::snprintf(text, sizeof text, "%lld px above the threshold, as a disc %.1f px wide; deviation %.1f px",
                  static_cast<long long>(reply.area), reply.diameter, reply.sigma);
    out << "  effective " << boxText(boxOf(reply)) << ", " << text << ", over " << reply.images
        << (reply.images == 1 ? " image\n" : " images\n");
}

int run(const std::vector<std::string>& words, std::ostream& out, std::ostream& notes)
{
    const Arguments arguments("field", words,
                              joined({{"--layer", true},
                                      {"--unit", true},
                                      {"--size", true},
                                      {"--measure"},
                                      {"--effective"},
                                      {"--train-mode"},
                                      {"--threshold", true},
                                      {"-o", true},
                                      {"--input", true},
                                      {"--reach", true, true},
                                      {"--json"}},
                                     dataOptions()),
                              {"MODEL"});
    refuseWithout(arguments, "--effective",
                  joined({{"--train-mode"}, {"--threshold", true}, {"-o", true}}, dataOptions()));
    if (const auto file = arguments.value("-o")) {
        refuseOverwrite(arguments.operand(0), *file);
        if (!file->ends_with(".safetensors"))
            throw Error(ErrorCode::Usage, "Option '-o' takes a file that ends in .safetensors, but got '" + *file + "'.");
    }
    const auto layer = arguments.value("--layer");
    if (!layer)
        throw Error(ErrorCode::Usage, "Option '--layer' is missing: it names the layer. See 'fovea field --help'.");
    const auto wanted = arguments.value("--unit");
    const Unit given = wanted ? parseUnit(*wanted) : Unit{};
    const Opened opened = openFor(arguments);
    std::vector<std::string> names;
    for (const auto& node : opened.graph.nodes()) names.push_back(node->name);
    if (!opened.graph.findByName(*layer))
        throw Error(ErrorCode::Usage, "There is no layer called '" + *layer + "'." + suggestion(*layer, names));
    const Unit unit = wanted ? given : centreUnit(opened.graph, *layer);
    const UnitField field = unitField(opened.graph, *layer, unit, opened.options.input);
    const auto gradient = arguments.has("--measure") ? measured(opened.graph, *layer, unit) : std::nullopt;
    const auto gradients =
        arguments.has("--effective") ? std::optional(effective(opened, *layer, unit, arguments, notes)) : std::nullopt;
    if (arguments.has("--json")) {
        Json json{{"layer", textJson(*layer)},
                  {"unit", Json::array({unit.y, unit.x})},
                  {"box", boxJson(field.box)},
                  {"clipped", boxJson(field.clipped)},
                  {"padding_fraction", field.paddingFraction},
                  {"unbounded", field.unbounded}};
        if (arguments.has("--measure")) json["measured"] = boxJson(gradient);
        if (gradients) json["effective"] = toJson(*gradients);
        out << jsonLine(json) << "\n";
    } else {
        print(field, *layer, unit, out);
        if (arguments.has("--measure"))
            out << "  measured  " << boxText(gradient) << (gradient == field.clipped ? ", the same" : ", NOT the same")
                << "\n";
        if (gradients) print(*gradients, out);
    }
    return !arguments.has("--measure") || gradient == field.clipped ? 0 : 1;
}

}  // namespace

const Command kField{"field", "the exact field of one unit, and its gradient", kHelp.c_str(), run};

}  // namespace fovea::cli
