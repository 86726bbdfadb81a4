#include "core/recipe/run_folder.h"

#include "core/base/files.h"
#include "core/io/json/graph_json.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <unistd.h>

namespace fovea {

namespace {

constexpr std::size_t kMaxJson = 1u << 22, kMaxMetrics = 1u << 28, kMaxGraph = 1u << 28;
constexpr std::string_view kStateStart = "last-", kStateEnding = ".state.safetensors";
constexpr const char* kSchema = "fovea.run/1";

void read(const JsonAt& at, Graph& out) { out = graphFrom(at); }

template <typename Value>
Value valueIn(const std::filesystem::path& file, std::size_t most = kMaxJson)
{
    Value out;
    try {
        const Json json = parseJson(readText(file, most));
        read(JsonAt(json), out);
    } catch (Error& error) {
        throw error.within("'" + file.string() + "'");
    }
    return out;
}

}  // namespace

Json toJson(const RunInfo& info)
{
    Json classes = Json::array();
    for (const std::string& name : info.classes) classes.push_back(textJson(name));
    return Json{{"schema", kSchema},
                {"name", textJson(info.name)},
                {"data", textJson(info.data)},
                {"size", Json::array({info.size[0], info.size[1]})},
                {"classes", classes},
                {"images", Json::array({info.images[0], info.images[1]})},
                {"device", info.device},
                {"libtorch", info.libtorch},
                {"from", textJson(info.from)},
                {"state", info.state},
                {"reason", textJson(info.reason)},
                {"threads", info.threads}};
}

void read(const JsonAt& at, RunInfo& out)
{
    constexpr std::int64_t kMaxSide = 1'000'000;
    const std::string schema = at.at("schema").text();
    if (schema != kSchema) at.at("schema").wrong("is '" + schema + "', but must be '" + kSchema + "'");
    out.name = at.at("name").text();
    out.data = at.at("data").text();
    const JsonAt size = at.at("size");
    if (size.size() != 2) size.wrong("must have 2 elements, but has " + std::to_string(size.size()));
    out.size = {size[0].integer(1, kMaxSide), size[1].integer(1, kMaxSide)};
    const JsonAt classes = at.at("classes");
    out.classes.clear();
    for (std::size_t i = 0; i < classes.size(); ++i) out.classes.push_back(classes[i].text());
    if (const auto images = at.find("images")) {
        if (images->size() != 2) images->wrong("must have 2 elements, but has " + std::to_string(images->size()));
        constexpr std::int64_t kMost = 1'000'000'000'000;
        out.images = {(*images)[0].integer(0, kMost), (*images)[1].integer(0, kMost)};
    }
    out.device = at.at("device").text();
    out.libtorch = at.at("libtorch").text();
    out.from = at.at("from").text();
    out.state = at.at("state").text();
    out.reason = at.at("reason").text();
    out.threads = at.at("threads").integer(0, 4096);
}

std::filesystem::path RunFolder::state(std::int64_t step) const
{
    return root / (std::string(kStateStart) + std::to_string(step) + std::string(kStateEnding));
}

bool isStateFile(const std::filesystem::path& path)
{
    const std::string name = path.filename().string();
    if (!name.starts_with(kStateStart) || !name.ends_with(kStateEnding)) return false;
    const std::string_view step = std::string_view(name).substr(kStateStart.size(), name.size() - kStateStart.size() - kStateEnding.size());
    return !step.empty() && step.find_first_not_of("0123456789") == std::string_view::npos;
}

bool isRunFolder(const std::filesystem::path& path)
{
    std::error_code none;
    return std::filesystem::is_regular_file(RunFolder{path}.info(), none);
}

namespace {

// Known before anything long is begun.
void refuseUnwritable(const std::filesystem::path& folder)
{
    std::error_code none;
    std::filesystem::path existing = std::filesystem::absolute(folder, none);
    while (existing.has_relative_path() && !std::filesystem::exists(existing, none)) existing = existing.parent_path();
    if (!std::filesystem::is_directory(existing, none))
        throw Error(ErrorCode::File, "'" + existing.string() + "' is a file; a run needs a folder.");
    if (::access(existing.c_str(), W_OK | X_OK) != 0)
        throw Error(ErrorCode::File,
                    "Cannot write into '" + existing.string() + "': " + std::string(std::strerror(errno)) + ".");
}

}  // namespace

void refuseTaken(const RunFolder& folder, const std::vector<std::filesystem::path>& more)
{
    if (isRunFolder(folder.root))
        throw Error(ErrorCode::Usage,
                    "'" + folder.root.string() + "' holds a training run already: resume it, or name another folder.");
    refuseUnwritable(folder.root);
    std::vector<std::filesystem::path> written{folder.graph(), folder.recipe(), folder.metrics(),
                                               folder.log(),   folder.last(),   folder.best()};
    written.insert(written.end(), more.begin(), more.end());
    std::error_code none;
    const auto taken = std::find_if(written.begin(), written.end(),
                                    [&](const auto& path) { return std::filesystem::exists(path, none); });
    if (taken == written.end()) return;
    try {
        readRunGraph(folder);
    } catch (const Error&) {
        throw Error(ErrorCode::Usage, "'" + folder.root.string() + "' has a file '" + taken->filename().string() +
                                          "' that is of no training run, and would be written over: name another "
                                          "folder.");
    }
}

RunInfo readRunInfo(const RunFolder& folder) { return valueIn<RunInfo>(folder.info()); }

Graph readRunGraph(const RunFolder& folder) { return valueIn<Graph>(folder.graph(), kMaxGraph); }

Recipe readRecipe(const std::filesystem::path& file) { return valueIn<Recipe>(file); }

std::vector<MetricsLine> readMetrics(const std::filesystem::path& file)
{
    const std::string text = readText(file, kMaxMetrics);
    std::vector<MetricsLine> out;
    for (std::size_t at = 0;;) {
        const std::size_t end = text.find('\n', at);
        if (end == std::string::npos) return out;
        try {
            const Json json = parseJson(std::string_view(text).substr(at, end - at));
            MetricsLine line;
            read(JsonAt(json), line);
            out.push_back(line);
        } catch (const Error&) {
            // What somebody wrote in between is theirs.
        }
        at = end + 1;
    }
}

}  // namespace fovea
