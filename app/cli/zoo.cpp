#include "app/cli/command.h"
#include "core/base/error.h"
#include "core/io/reports/report_json.h"
#include "core/io/reports/reports.h"
#include "core/io/reports/table.h"
#include "core/zoo/zoo.h"

#include <ostream>

namespace fovea::cli {

namespace {

constexpr const char* kHelp =
    "Lists the built-in networks with what they cost and the sides they suit.\n\n"
    "Usage: fovea zoo list [--json]\n\n"
    "  --json   {\"networks\": [...]} instead of a table\n\n"
    "Open one as zoo:NAME[,key=value...] wherever a MODEL is asked for; keys are size, classes, channels and\n"
    "what the network documents.\n\n"
    "Example: fovea zoo list\n";

struct Row {
    const ZooEntry* entry;
    Summary summary;
};

std::vector<Row> rows()
{
    std::vector<Row> out;
    for (const ZooEntry& entry : zooEntries()) out.push_back({&entry, analyze(buildZoo(entry.name)).summary});
    return out;
}

std::string table()
{
    TextTable table({{"name"}, {"family"}, {"year", true}, {"size", true}, {"parameters", true}, {"MACs", true}, {"i_min", true}, {"i_max", true}, {"paper"}});
    for (const auto& [entry, summary] : rows())
        table.add({entry->name, entry->family, std::to_string(entry->year), std::to_string(entry->size), shortCount(summary.parameters),
                   shortCount(summary.macs), sideText(summary.iMin), sideText(summary.iMax), entry->paper});
    return table.text();
}

std::string json()
{
    ReportJson networks = ReportJson::array();
    for (const auto& [entry, summary] : rows())
        networks.push_back({{"name", entry->name},
                            {"family", entry->family},
                            {"year", entry->year},
                            {"paper", entry->paper},
                            {"size", entry->size},
                            {"parameters", summary.parameters},
                            {"macs", summary.macs},
                            {"i_min", sideObject(summary.iMin)},
                            {"i_max", sideObject(summary.iMax)}});
    return jsonText({{"networks", std::move(networks)}});
}

int run(const std::vector<std::string>& words, std::ostream& out, std::ostream&)
{
    const Arguments arguments("zoo", words, {{"--json"}}, {"'list'"});
    if (arguments.operand(0) != "list")
        throw Error(ErrorCode::Usage, "'fovea zoo' knows 'list', but got '" + arguments.operand(0) + "'. See 'fovea zoo --help'.");
    out << (arguments.has("--json") ? json() : table());
    return 0;
}

}  // namespace

const Command kZoo{"zoo", "list the built-in networks", kHelp, run};

}  // namespace fovea::cli
