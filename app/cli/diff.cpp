#include "app/cli/command.h"
#include "core/base/error.h"
#include "core/base/printable.h"
#include "core/graph/names.h"
#include "core/io/json/preprocessing_json.h"
#include "core/io/model/model.h"
#include "core/io/reports/report_json.h"
#include "core/io/reports/reports.h"
#include "core/refine/differences.h"

#include <ostream>

namespace fovea::cli {

namespace {

constexpr const char* kHelp =
    "Says what changed from one network to another: layers added, removed and moved, settings from and to, and both\n"
    "summaries. Layers are matched by name.\n\n"
    "Usage: fovea diff A B [--size N|HxW] [--json]\n\n"
    "  --size N|HxW   look at both at this side; without it each at its own\n"
    "  --json         JSON (schema fovea.diff/1) instead of text\n\n"
    "Example: fovea diff model.onnx refined.onnx\n";

Report reportOf(const std::string& path, const std::optional<Side>& side)
{
    Graph graph = openModel(path).graph;
    if (side) graph = withSide(graph, side->h, side->w);
    return analyze(graph);
}

ReportJson textOrNull(const std::string& text) { return text.empty() ? ReportJson(nullptr) : ReportJson(text); }

std::string orNone(const std::string& value) { return value.empty() ? "none" : value; }

// Layers that the outputs read, in order.
std::vector<std::string> outputLayers(const Graph& graph)
{
    std::vector<std::string> out;
    for (const GraphOutput& output : graph.outputs())
        if (const Node* node = graph.find(output.port.node)) out.push_back(node->name);
    return out;
}

std::string listText(const std::vector<std::string>& names)
{
    std::string out;
    for (const std::string& name : names) out += (out.empty() ? "" : ", ") + moduleName(name);
    return orNone(out);
}

ReportJson preprocessingJson(const Graph& graph)
{
    return graph.preprocessing() ? ReportJson(toJson(*graph.preprocessing())) : ReportJson(nullptr);
}

// What stands beside the layers: null where both have the same.
ReportJson fromTo(bool differs, ReportJson from, ReportJson to)
{
    return differs ? ReportJson{{"from", std::move(from)}, {"to", std::move(to)}} : ReportJson(nullptr);
}

ReportJson json(const Report& a, const Report& b, const std::vector<Edit>& edits)
{
    ReportJson list = ReportJson::array();
    for (const Edit& edit : edits)
        list.push_back({{"op", toString(edit.op)},
                        {"layer", edit.layer},
                        {"attribute", textOrNull(edit.attribute)},
                        {"from", textOrNull(edit.from)},
                        {"to", textOrNull(edit.to)},
                        {"after", textOrNull(edit.after)}});
    return {{"schema", "fovea.diff/1"},
            {"changes", std::move(list)},
            {"outputs", fromTo(outputLayers(a.graph) != outputLayers(b.graph), outputLayers(a.graph), outputLayers(b.graph))},
            {"preprocessing", fromTo(a.graph.preprocessing() != b.graph.preprocessing(), preprocessingJson(a.graph), preprocessingJson(b.graph))},
            {"before", summaryObject(a.summary, &a)},
            {"after", summaryObject(b.summary, &b)}};
}

std::string line(const Edit& edit)
{
    const std::string name = moduleName(edit.layer);
    switch (edit.op) {
    case Edit::Op::Set: return "set      " + name + ": " + edit.attribute + " from " + orNone(edit.from) + " to " + orNone(edit.to);
    case Edit::Op::Add: return "added    " + name + (edit.after.empty() ? "" : " after " + moduleName(edit.after));
    case Edit::Op::Remove: return "removed  " + name;
    case Edit::Op::Move: return "moved    " + name + ": reads " + orNone(moduleName(edit.to)) + " instead of " + orNone(moduleName(edit.from));
    }
    return {};
}

std::string preprocessingText(const Graph& graph)
{
    return graph.preprocessing() ? jsonLine(toJson(*graph.preprocessing())) : "none";
}

std::string text(const Report& a, const Report& b, const std::vector<Edit>& edits)
{
    std::string out;
    for (const Edit& edit : edits) out += printable(line(edit)) + "\n";
    if (edits.empty()) out = "No layer differs.\n";
    if (outputLayers(a.graph) != outputLayers(b.graph))
        out += printable("set      outputs from " + listText(outputLayers(a.graph)) + " to " + listText(outputLayers(b.graph))) + "\n";
    if (a.graph.preprocessing() != b.graph.preprocessing())
        out += "set      preprocessing from " + preprocessingText(a.graph) + " to " + preprocessingText(b.graph) + "\n";
    return out + "\nbefore: side " + sideText(a.side) + ", " + summaryLine(a.summary) + "\nafter:  side " + sideText(b.side) + ", " +
           summaryLine(b.summary) + "\n";
}

int run(const std::vector<std::string>& words, std::ostream& out, std::ostream&)
{
    const Arguments arguments("diff", words, {{"--size", true}, {"--json"}}, {"A", "B"});
    std::optional<Side> side;
    if (const auto size = arguments.value("--size")) side = parseSide(*size, "--size");
    const Report a = reportOf(arguments.operand(0), side), b = reportOf(arguments.operand(1), side);
    const std::vector<Edit> edits = differences(a.graph, b.graph);
    out << (arguments.has("--json") ? jsonText(json(a, b, edits)) : text(a, b, edits));
    return 0;
}

}  // namespace

const Command kDiff{"diff", "what changed from one network to another", kHelp, run};

}  // namespace fovea::cli
