#include "core/io/json/json_reader.h"

#include "core/io/json/base64.h"

#include <limits>
#include <vector>

namespace fovea {

namespace {

// Watches the parser so that no nesting, count or object grows beyond what a document can need.
class Watch {
public:
    explicit Watch(const JsonBounds& bounds) : m_bounds(bounds) {}

    void operator()(int depth, Json::parse_event_t event)
    {
        using Event = Json::parse_event_t;
        if (depth > m_bounds.depth) stop("is nested deeper than " + std::to_string(m_bounds.depth) + " levels");
        if (event == Event::object_start) m_keys.push_back(0);
        if (event == Event::object_end) m_keys.pop_back();
        if (event == Event::key && ++m_keys.back() > m_bounds.keys)
            stop("has an object of more than " + std::to_string(m_bounds.keys) + " keys");
        if (++m_values > m_bounds.values) stop("has more than " + std::to_string(m_bounds.values) + " values");
    }

private:
    [[noreturn]] static void stop(const std::string& what) { throw Error(ErrorCode::Limit, "The JSON text " + what + "."); }

    const JsonBounds& m_bounds;
    std::vector<std::size_t> m_keys;
    std::size_t m_values = 0;
};

const char* nameOf(const Json& value)
{
    switch (value.type()) {
    case Json::value_t::null: return "null";
    case Json::value_t::object: return "an object";
    case Json::value_t::array: return "a list";
    case Json::value_t::string: return "a string";
    case Json::value_t::boolean: return "true or false";
    case Json::value_t::number_float: return "a number with a fraction";
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned: return "a whole number";
    default: return "something else";
    }
}

// The way from `from` to `target`, by address: only walked when something is wrong.
bool findPath(const Json& from, const Json* target, std::string& path)
{
    if (&from == target) return true;
    const std::size_t length = path.size();
    if (from.is_object())
        for (auto it = from.begin(); it != from.end(); ++it) {
            path += (path.empty() ? "" : ".") + it.key();
            if (findPath(it.value(), target, path)) return true;
            path.resize(length);
        }
    if (from.is_array())
        for (std::size_t i = 0; i < from.size(); ++i) {
            path += "[" + std::to_string(i) + "]";
            if (findPath(from[i], target, path)) return true;
            path.resize(length);
        }
    return false;
}

// nlohmann's messages end in "...: syntax error ... last read: '...'"; only the place helps the user.
std::string placeOf(std::string_view text, std::size_t byte)
{
    std::size_t line = 1, column = 1;
    for (std::size_t i = 0; i + 1 < byte && i < text.size(); ++i) {
        if (text[i] == '\n') ++line, column = 1;
        else ++column;
    }
    return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

}  // namespace

Json parseJson(std::string_view text, const JsonBounds& bounds)
{
    Watch watch(bounds);
    try {
        return Json::parse(text.begin(), text.end(), [&watch](int depth, Json::parse_event_t event, Json&) {
            watch(depth, event);
            return true;
        });
    } catch (const Json::parse_error& error) {
        throw Error(ErrorCode::Format, "The text is not JSON: it breaks at " + placeOf(text, error.byte) + ".");
    } catch (const Json::exception&) {
        throw Error(ErrorCode::Format, "The text is not JSON: it holds a number that no type can hold.");
    }
}

std::string JsonAt::path() const
{
    std::string path;
    findPath(*m_root, m_value, path);
    return path.empty() ? "the document" : path;
}

void JsonAt::fail(const std::string& must) const
{
    throw Error(ErrorCode::Format, path() + " must " + must + ", but is " + nameOf(*m_value) + ".");
}

void JsonAt::wrong(const std::string& what) const { throw Error(ErrorCode::Format, path() + " " + what + "."); }

const Json& JsonAt::object() const
{
    if (!m_value->is_object()) fail("be an object");
    return *m_value;
}

JsonAt JsonAt::at(const char* key) const
{
    const auto it = object().find(key);
    if (it == m_value->end()) wrong(std::string("has no '") + key + "'");
    return JsonAt(m_root, &*it);
}

std::optional<JsonAt> JsonAt::find(const char* key) const
{
    const auto it = object().find(key);
    if (it == m_value->end() || it->is_null()) return std::nullopt;
    return JsonAt(m_root, &*it);
}

std::size_t JsonAt::size() const
{
    if (!m_value->is_array()) fail("be a list");
    return m_value->size();
}

JsonAt JsonAt::operator[](std::size_t index) const
{
    if (index >= size()) wrong("has no element " + std::to_string(index));
    return JsonAt(m_root, &(*m_value)[index]);
}

std::int64_t JsonAt::integer(std::int64_t low, std::int64_t high) const
{
    if (!m_value->is_number_integer()) fail("be a whole number");
    const bool huge = m_value->is_number_unsigned() &&
                      m_value->get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    const std::int64_t value = huge ? 0 : m_value->get<std::int64_t>();
    if (huge || value < low || value > high)
        wrong("must lie between " + std::to_string(low) + " and " + std::to_string(high) + ", but is " + m_value->dump());
    return value;
}

double JsonAt::real(double low, double high) const
{
    if (!m_value->is_number()) fail("be a number");
    const double value = m_value->get<double>();
    if (!(value >= low && value <= high))
        wrong("must lie between " + Json(low).dump() + " and " + Json(high).dump() + ", but is " + m_value->dump());
    return value;
}

bool JsonAt::boolean() const
{
    if (!m_value->is_boolean()) fail("be true or false");
    return m_value->get<bool>();
}

std::string JsonAt::text() const
{
    if (m_value->is_object() && m_value->contains("base64")) return at("base64").bytes();
    if (!m_value->is_string()) fail("be a string");
    return m_value->get<std::string>();
}

std::string JsonAt::bytes() const
{
    if (!m_value->is_string()) fail("be a base64 string");
    auto out = fromBase64(m_value->get_ref<const std::string&>());
    if (!out) wrong("is not base64");
    return std::move(*out);
}

Json textJson(std::string_view text)
{
    if (isUtf8(text)) return std::string(text);
    return Json{{"base64", toBase64(text)}};
}

std::string jsonLine(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace fovea
