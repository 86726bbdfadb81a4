#include "core/io/onnx/names.h"

#include <algorithm>
#include <cctype>

namespace fovea {

std::string modulePath(std::string_view name)
{
    if (name.empty() || name[0] != '/') return {};
    std::string path;
    std::string last;
    std::size_t at = 1;
    for (std::size_t slash = name.find('/', at); slash != std::string_view::npos; slash = name.find('/', at)) {
        const std::string part(name.substr(at, slash - at));
        at = slash + 1;
        if (part.empty()) continue;
        // A sequential's child repeats its name: features, features.0.
        if (!last.empty() && part.starts_with(last + ".")) path += part.substr(last.size());
        else path += (path.empty() ? "" : ".") + part;
        last = part;
    }
    return path;
}

std::string parentPath(std::string_view path)
{
    const std::size_t dot = path.rfind('.');
    return dot == std::string_view::npos ? std::string() : std::string(path.substr(0, dot));
}

std::string commonPath(const std::vector<std::string>& nodeNames)
{
    std::string common;
    bool first = true;
    for (const std::string& name : nodeNames) {
        std::string path = modulePath(name);
        if (first) {
            common = std::move(path);
            first = false;
            continue;
        }
        while (!common.empty() && path != common && !path.starts_with(common + ".")) common = parentPath(common);
    }
    return common;
}

bool isMadeUpName(std::string_view tensor)
{
    if (tensor.starts_with("onnx::")) return true;
    return !tensor.empty() && std::all_of(tensor.begin(), tensor.end(), [](unsigned char c) { return std::isdigit(c); });
}

namespace {
constexpr std::string_view kTag = "Fovea layer\n";
}

std::string tagText(const LayerTag& tag) { return std::string(kTag) + tag.kind + "\n" + tag.name + "\n" + tag.group; }

std::optional<LayerTag> readTag(std::string_view docString)
{
    if (!docString.starts_with(kTag)) return std::nullopt;
    docString.remove_prefix(kTag.size());
    const std::size_t first = docString.find('\n'), last = docString.rfind('\n');
    if (first == std::string_view::npos || last <= first + 1) return std::nullopt;
    return LayerTag{std::string(docString.substr(0, first)), std::string(docString.substr(first + 1, last - first - 1)),
                    std::string(docString.substr(last + 1))};
}

}  // namespace fovea
