#include "app/cli/programs.h"

#include "app/cli/engine_client.h"
#include "core/base/error.h"

#include <algorithm>
#include <cstdlib>
#include <system_error>
#include <unistd.h>

namespace fovea::cli {

namespace {

bool isProgram(const std::filesystem::path& path)
{
    std::error_code missing;
    return std::filesystem::is_regular_file(path, missing) && ::access(path.c_str(), X_OK) == 0;
}

}  // namespace

std::optional<std::filesystem::path> findProgram(const std::string& name, const std::filesystem::path& folder,
                                                 const std::string& pathList)
{
    if (!folder.empty() && isProgram(folder / name)) return folder / name;
    for (std::size_t from = 0; from <= pathList.size();) {
        const std::size_t to = std::min(pathList.find(':', from), pathList.size());
        const std::filesystem::path candidate = std::filesystem::path(pathList.substr(from, to - from)) / name;
        if (to > from && isProgram(candidate)) return candidate;
        from = to + 1;
    }
    return std::nullopt;
}

std::optional<std::filesystem::path> findProgram(const std::string& name)
{
    const char* path = std::getenv("PATH");
    return findProgram(name, ownFolder(), path ? path : "");
}

std::optional<std::filesystem::path> findEngine()
{
    const char* told = std::getenv("FOVEA_ENGINE");
    if (!told || !*told) return findProgram(kEngineProgram);
    if (!isProgram(told))
        throw Error(ErrorCode::Usage, "FOVEA_ENGINE names '" + std::string(told) + "', which is no program.");
    return std::filesystem::absolute(told);
}

std::filesystem::path ownFolder()
{
    std::error_code failed;
    return std::filesystem::read_symlink("/proc/self/exe", failed).parent_path();
}

}  // namespace fovea::cli
