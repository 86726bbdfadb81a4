#include "app/cli/arguments.h"

#include "core/base/checked.h"
#include "core/base/error.h"

#include <charconv>
#include <cmath>
#include <map>

namespace fovea::cli {

namespace {

constexpr std::int64_t kMaxSide = 1'000'000;

[[noreturn]] void bad(const std::string& option, const std::string& text, const std::string& wanted)
{
    throw Error(ErrorCode::Usage, "Option '" + option + "' takes " + wanted + ", but got '" + text + "'.");
}

std::optional<std::int64_t> wholeSide(std::string_view text)
{
    std::int64_t value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc() || end != text.data() + text.size() || value < 1 || value > kMaxSide) return std::nullopt;
    return value;
}

std::optional<double> unitFactor(const std::string& unit, bool bytes)
{
    static const std::map<std::string, double> kCounts = {{"", 1}, {"k", 1e3}, {"K", 1e3}, {"M", 1e6}, {"G", 1e9}, {"T", 1e12}};
    static const std::map<std::string, double> kBytes = {{"B", 1},        {"kB", 1e3},          {"KB", 1e3},         {"MB", 1e6},
                                                         {"GB", 1e9},     {"TB", 1e12},         {"KiB", 1024.0},     {"MiB", 1048576.0},
                                                         {"GiB", 1073741824.0}, {"TiB", 1099511627776.0}};
    if (const auto it = kCounts.find(unit); it != kCounts.end()) return it->second;
    if (const auto it = kBytes.find(unit); bytes && it != kBytes.end()) return it->second;
    return std::nullopt;
}

}  // namespace

Side parseSide(const std::string& text, const std::string& option)
{
    const std::size_t cross = text.find('x');
    const auto h = wholeSide(std::string_view(text).substr(0, cross));
    const auto w = cross == std::string::npos ? h : wholeSide(std::string_view(text).substr(cross + 1));
    if (!h || !w) bad(option, text, "a side from 1 to 1000000 such as 224, or HEIGHTxWIDTH such as 192x224");
    return {*h, *w};
}

std::vector<Side> parseSides(const std::string& text, const std::string& option)
{
    std::vector<Side> out;
    for (std::size_t from = 0; from <= text.size();) {
        const std::size_t to = std::min(text.find(',', from), text.size());
        out.push_back(parseSide(text.substr(from, to - from), option));
        from = to + 1;
    }
    return out;
}

std::int64_t parseWhole(const std::string& text, const std::string& option, std::int64_t least, std::int64_t most)
{
    std::int64_t value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc() || end != text.data() + text.size() || value < least || value > most)
        bad(option, text, "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    return value;
}

std::int64_t parseAmount(const std::string& text, const std::string& option, std::optional<std::int64_t> reference, bool bytes)
{
    const std::string wanted = bytes ? "an amount of memory such as 2GiB or 512MiB" : "a count such as 4G or 600M, or a multiple such as 1.5x";
    double value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc() || !std::isfinite(value) || value <= 0) bad(option, text, wanted);
    const std::string unit(end, text.data() + text.size());
    const auto factor = unit == "x" && reference ? static_cast<double>(*reference) : unitFactor(unit, bytes);
    if (!factor) bad(option, text, wanted);
    const double amount = value * *factor;
    return amount >= static_cast<double>(kSaturated) ? kSaturated : static_cast<std::int64_t>(std::floor(amount));
}

}  // namespace fovea::cli
