#include "core/graph/attributes.h"

#include <algorithm>
#include <cstdio>

namespace fovea {

namespace {

auto lowerBound(auto& entries, std::string_view name)
{
    return std::lower_bound(entries.begin(), entries.end(), name,
                            [](const Attributes::Entry& entry, std::string_view key) { return entry.first < key; });
}

}  // namespace

std::string toText(const AttrValue& value)
{
    if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
    if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
    if (const auto* text = std::get_if<std::string>(&value)) return *text;
    if (const auto* real = std::get_if<double>(&value)) {
        char buffer[32];
        std::snprintf(buffer, sizeof buffer, "%g", *real);
        return buffer;
    }
    std::string out;
    for (const std::int64_t item : std::get<Ints>(value)) out += (out.empty() ? "" : "x") + std::to_string(item);
    return out;
}

// A layer has a dozen attributes at most; looking at their lengths first is faster than a search by order.
const AttrValue* Attributes::find(std::string_view name) const
{
    for (const Entry& entry : m_entries)
        if (entry.first.size() == name.size() && entry.first == name) return &entry.second;
    return nullptr;
}

void Attributes::set(std::string_view name, AttrValue value)
{
    const auto it = lowerBound(m_entries, name);
    if (it != m_entries.end() && it->first == name) it->second = std::move(value);
    else m_entries.emplace(it, std::string(name), std::move(value));
}

void Attributes::erase(std::string_view name)
{
    const auto it = lowerBound(m_entries, name);
    if (it != m_entries.end() && it->first == name) m_entries.erase(it);
}

std::int64_t Attributes::getInt(std::string_view name, std::int64_t fallback) const
{
    const AttrValue* value = find(name);
    const auto* number = value ? std::get_if<std::int64_t>(value) : nullptr;
    return number ? *number : fallback;
}

double Attributes::getDouble(std::string_view name, double fallback) const
{
    const AttrValue* value = find(name);
    if (!value) return fallback;
    if (const auto* real = std::get_if<double>(value)) return *real;
    if (const auto* number = std::get_if<std::int64_t>(value)) return static_cast<double>(*number);
    return fallback;
}

bool Attributes::getBool(std::string_view name, bool fallback) const
{
    const AttrValue* value = find(name);
    const auto* flag = value ? std::get_if<bool>(value) : nullptr;
    return flag ? *flag : fallback;
}

std::string Attributes::getText(std::string_view name, std::string_view fallback) const
{
    const AttrValue* value = find(name);
    const auto* text = value ? std::get_if<std::string>(value) : nullptr;
    return text ? *text : std::string(fallback);
}

const Ints* Attributes::getInts(std::string_view name) const
{
    const AttrValue* value = find(name);
    return value ? std::get_if<Ints>(value) : nullptr;
}

std::int64_t Attributes::at(std::string_view name, std::size_t index, std::int64_t fallback) const
{
    const Ints* list = getInts(name);
    return list && index < list->size() ? (*list)[index] : fallback;
}

}  // namespace fovea
