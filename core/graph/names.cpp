#include "core/graph/names.h"

#include <algorithm>
#include <cctype>

namespace fovea {

std::vector<std::string> nameParts(std::string_view name)
{
    const std::string whole(name);
    if (!name.starts_with('/')) return {whole};
    std::vector<std::string> parts;
    while (!name.empty()) {
        const std::string part(name.substr(0, name.find('/')));
        name.remove_prefix(std::min(name.size(), part.size() + 1));
        if (part.empty()) continue;
        if (!parts.empty() && part.starts_with(parts.back() + '.')) parts.pop_back();
        parts.push_back(part);
    }
    const auto isLetter = [](unsigned char c) { return std::isalpha(c) != 0; };
    if (parts.size() > 1 && std::all_of(parts.back().begin(), parts.back().end(), isLetter)) parts.pop_back();
    return parts.empty() ? std::vector<std::string>{whole} : parts;
}

std::string moduleName(std::string_view name)
{
    std::string out;
    for (const std::string& part : nameParts(name)) out += (out.empty() ? "" : ".") + part;
    return out;
}

std::string commonGroup(std::string_view a, std::string_view b)
{
    std::size_t end = 0;
    for (std::size_t i = 0; i <= std::min(a.size(), b.size()); ++i) {
        const bool endsA = i == a.size() || a[i] == '.', endsB = i == b.size() || b[i] == '.';
        if (endsA && endsB) end = i;
        if (i == a.size() || i == b.size() || a[i] != b[i]) break;
    }
    return std::string(a.substr(0, end));
}

std::string firstNames(const std::vector<std::string>& names)
{
    constexpr std::size_t kNamed = 10;
    std::string out;
    for (std::size_t i = 0; i < names.size() && i < kNamed; ++i) out += (i ? ", " : "") + names[i];
    return out + (names.size() > kNamed ? ", and " + std::to_string(names.size() - kNamed) + " more" : "");
}

}  // namespace fovea
