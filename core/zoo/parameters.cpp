#include "core/zoo/recipe.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>

namespace fovea::zoo {

namespace {

template <typename Number>
bool parseWhole(std::string_view text, Number& out)
{
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc() && end == text.data() + text.size();
}

std::string numberText(double value)
{
    std::ostringstream out;
    out << value;
    return out.str();
}

}  // namespace

std::int64_t Parameters::getInt(const std::string& key, std::int64_t min, std::int64_t max) const
{
    std::int64_t value = 0;
    const std::string& text = m_values.at(key);
    if (parseWhole(text, value) && value >= min && value <= max) return value;
    throw Error(ErrorCode::Usage, "The parameter '" + key + "' must be a whole number from " + std::to_string(min) +
                                      " to " + std::to_string(max) + ", got '" + text + "'.");
}

double Parameters::getReal(const std::string& key, double min, double max) const
{
    double value = 0;
    const std::string& text = m_values.at(key);
    if (parseWhole(text, value) && value > min && value <= max) return value;
    throw Error(ErrorCode::Usage, "The parameter '" + key + "' must be a number above " + numberText(min) +
                                      " and up to " + numberText(max) + ", got '" + text + "'.");
}

std::int64_t Parameters::scaled(std::int64_t channels) const
{
    return std::max<std::int64_t>(1, std::llround(static_cast<double>(channels) * width()));
}

std::int64_t Parameters::repeats(int blocks) const
{
    // Not 12 for ten blocks and a depth of 1.1, whose product is a little over 11.
    return std::max(1LL, std::llround(std::ceil(blocks * getReal("depth", 0, 64) - 1e-9)));
}

std::int64_t Parameters::outputStride() const
{
    const std::string& text = m_values.at("output_stride");
    for (const std::int64_t stride : {8, 16, 32})
        if (text == std::to_string(stride)) return stride;
    throw Error(ErrorCode::Usage, "The parameter 'output_stride' must be 8, 16 or 32, got '" + text + "'.");
}

Pair Parameters::size() const
{
    const std::string& text = m_values.at("size");
    const std::size_t cross = text.find('x');
    const std::string_view all = text;
    std::int64_t height = 0, width = 0;
    const bool read = parseWhole(all.substr(0, cross), height) &&
                      parseWhole(cross == std::string::npos ? all : all.substr(cross + 1), width);
    if (read && height >= 1 && width >= 1 && height <= 1'000'000 && width <= 1'000'000) return {height, width};
    throw Error(ErrorCode::Usage,
                "The parameter 'size' must be a side or HEIGHTxWIDTH from 1 to 1000000, got '" + text + "'.");
}

}  // namespace fovea::zoo
