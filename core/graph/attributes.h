// The settings of a layer: a small sorted list of named values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace fovea {

using Ints = std::vector<std::int64_t>;
using AttrValue = std::variant<std::int64_t, double, bool, std::string, Ints>;

// "3", "0.5", "true", "same", "3x3" (lists joined by x).
std::string toText(const AttrValue& value);

class Attributes {
public:
    using Entry = std::pair<std::string, AttrValue>;

    const AttrValue* find(std::string_view name) const;
    void set(std::string_view name, AttrValue value);
    void erase(std::string_view name);
    bool has(std::string_view name) const { return find(name) != nullptr; }

    // The value where it is there and of that type, else the fallback. An integer reads as a double too.
    std::int64_t getInt(std::string_view name, std::int64_t fallback) const;
    double getDouble(std::string_view name, double fallback) const;
    bool getBool(std::string_view name, bool fallback) const;
    std::string getText(std::string_view name, std::string_view fallback = {}) const;
    const Ints* getInts(std::string_view name) const;
    // Element `index` of a list, or the fallback.
    std::int64_t at(std::string_view name, std::size_t index, std::int64_t fallback) const;

    const std::vector<Entry>& entries() const { return m_entries; }
    bool operator==(const Attributes&) const = default;

private:
    std::vector<Entry> m_entries;
};

}  // namespace fovea
