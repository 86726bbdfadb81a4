#include "app/cli/command.h"
#include "core/base/error.h"
#include "core/io/reports/report_json.h"
#include "core/io/reports/reports.h"
#include "core/io/reports/table.h"
#include "core/zoo/zoo.h"

#include <algorithm>
#include <ostream>

namespace fovea::cli {

namespace {

constexpr const char* kHelp =
    "Lists the built-in networks with what they cost and the sides they suit, or shows one with all that can be\n"
    "set in its name.\n\n"
    "Usage: fovea zoo list [--json]\n"
    "       fovea zoo show NAME[,key=value...] [--json]\n\n"
    "  --json   {\"networks\": [...]}, or one of them with its \"settings\", instead of a table\n\n"
    "Open one as zoo:NAME[,key=value...] wherever a MODEL is asked for.\n\n"
    "Example: fovea zoo show example\n";

struct Row {
    const ZooEntry* entry;
    Summary summary;
    PerAxis<std::int64_t> side;
};

Row rowOf(const ZooEntry& entry, const std::string& spec)
{
    const Report report = analyze(buildZoo(spec));
    return {&entry, report.summary, report.side};
}

std::vector<Row> rows()
{
    std::vector<Row> out;
    for (const ZooEntry& entry : zooEntries()) out.push_back(rowOf(entry, entry.name));
    return out;
}

std::string table()
{
    TextTable table({{"name"}, {"family"}, {"year", true}, {"size", true}, {"parameters", true}, {"MACs", true}, {"i_min", true}, {"i_max", true}, {"paper"}});
    for (const auto& [entry, summary, side] : rows())
        table.add({entry->name, entry->family, std::to_string(entry->year), std::to_string(entry->size), shortCount(summary.parameters),
                   shortCount(summary.macs), sideText(summary.iMin), sideText(summary.iMax), entry->paper});
    return table.text();
}

ReportJson facts(const Row& row)
{
    const auto& [entry, summary, side] = row;
    return {{"name", entry->name},
            {"family", entry->family},
            {"year", entry->year},
            {"paper", entry->paper},
            {"size", entry->size},
            {"parameters", summary.parameters},
            {"macs", summary.macs},
            {"i_min", sideObject(summary.iMin)},
            {"i_max", sideObject(summary.iMax)}};
}

std::string json()
{
    ReportJson networks = ReportJson::array();
    for (const Row& row : rows()) networks.push_back(facts(row));
    return jsonText({{"networks", std::move(networks)}});
}

// The network as `spec` makes it.
Row shown(const std::string& spec)
{
    const std::string name = spec.substr(0, spec.find(','));
    for (const ZooEntry& entry : zooEntries())
        if (name == entry.name) return rowOf(entry, spec);
    buildZoo(spec);  // says which names are near
    throw Error(ErrorCode::Internal, "'" + name + "' is built but not listed.");
}

std::string shownJson(const Row& row)
{
    ReportJson out = facts(row);
    out["note"] = row.entry->note;
    out["settings"] = ReportJson::array();
    for (const auto& [key, fallback, doc] : zooParameters(row.entry->name))
        out["settings"].push_back({{"key", key}, {"default", fallback}, {"meaning", doc}});
    return jsonText(out);
}

std::string shownTable(const Row& row)
{
    const auto& [entry, summary, side] = row;
    TextTable table({{"key"}, {"default"}, {"meaning"}});
    for (const auto& [key, fallback, doc] : zooParameters(entry->name)) table.add({key, fallback, doc});
    return std::string(entry->name) + ": " + entry->family + ", " + std::to_string(entry->year) + ", " + entry->paper + "\n" + entry->note + "\n" +
           shortCount(summary.parameters) + " parameters, " + shortCount(summary.macs) + " MACs at " + sideText(side) + "; i_min " +
           sideText(summary.iMin) + ", i_max " + sideText(summary.iMax) + "\n\n" + table.text();
}

int run(const std::vector<std::string>& words, std::ostream& out, std::ostream&)
{
    const bool shows = std::find(words.begin(), words.end(), "show") != words.end();
    const std::vector<std::string> operands = shows ? std::vector<std::string>{"'show'", "NAME"} : std::vector<std::string>{"'list' or 'show'"};
    const Arguments arguments("zoo", words, {{"--json"}}, operands);
    if (arguments.operand(0) != (shows ? "show" : "list"))
        throw Error(ErrorCode::Usage, "'fovea zoo' knows 'list' and 'show', but got '" + arguments.operand(0) + "'. See 'fovea zoo --help'.");
    if (!shows) {
        out << (arguments.has("--json") ? json() : table());
        return 0;
    }
    const std::string& spec = arguments.operand(1);
    const Row row = shown(spec.starts_with("zoo:") ? spec.substr(4) : spec);
    out << (arguments.has("--json") ? shownJson(row) : shownTable(row));
    return 0;
}

}  // namespace

const Command kZoo{"zoo", "list the built-in networks, or show one", kHelp, run};

}  // namespace fovea::cli
