// Reading JSON that nobody vouches for: bounded while it is parsed, checked by type while it is read, with
// the place in every message ("nodes[3].inputs[0] must be a list, but is a string.").
#pragma once

#include "core/base/error.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fovea {

using Json = nlohmann::ordered_json;

struct JsonBounds {
    int depth = 32;
    std::size_t values = 20'000'000;
    std::size_t keys = 512;  // per object: looking a key up is linear
};

// Throws Error(Format) with line and column for what is not JSON, Error(Limit) beyond the bounds.
Json parseJson(std::string_view text, const JsonBounds& bounds = {});

// A value inside a parsed document; as cheap as two pointers. Every accessor throws Error(Format).
class JsonAt {
public:
    explicit JsonAt(const Json& root) : m_root(&root), m_value(&root) {}

    JsonAt at(const char* key) const;                 // a member that must be there
    std::optional<JsonAt> find(const char* key) const;  // nullopt where it is absent or null
    JsonAt operator[](std::size_t index) const;
    std::size_t size() const;  // of a list
    bool isNull() const { return m_value->is_null(); }
    const Json& json() const { return *m_value; }
    const Json& object() const;  // checked to be one, for iteration
    JsonAt inside(const Json& part) const { return JsonAt(m_root, &part); }  // `part` lies below this value

    std::int64_t integer(std::int64_t low, std::int64_t high) const;
    double real(double low, double high) const;  // finite
    bool boolean() const;
    // A string, or {"base64": "..."} for text that is not UTF-8.
    std::string text() const;
    std::string bytes() const;  // a base64 string

    [[noreturn]] void fail(const std::string& must) const;  // "PATH must MUST, but is a string."
    [[noreturn]] void wrong(const std::string& what) const;  // "PATH WHAT."
    std::string path() const;

private:
    JsonAt(const Json* root, const Json* value) : m_root(root), m_value(value) {}
    const Json* m_root;
    const Json* m_value;
};

// The opposite of JsonAt::text().
Json textJson(std::string_view text);

// One line of JSON; text that is not UTF-8 where it cannot be helped (keys) is replaced, never thrown about.
std::string jsonLine(const Json& value);

}  // namespace fovea
