#include "core/base/printable.h"

#include <cstdint>
#include <cstdio>

namespace fovea {

namespace {

struct Letter {
    std::uint32_t code = 0;
    std::size_t bytes = 0;  // 0: no UTF-8
};

// The first character of a text that is not empty (RFC 3629).
Letter letterOf(std::string_view text)
{
    const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
    const std::uint32_t first = byte(0);
    if (first < 0x80) return {first, 1};
    const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || text.size() < length) return {};
    std::uint32_t code = first & (0xffu >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0) != 0x80) return {};
        code = code << 6 | (byte(i) & 0x3f);
    }
    const bool tooLong = code < (length == 4 ? 0x10000u : length == 3 ? 0x800u : 0x80u);
    if (tooLong || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return {};
    return {code, length};
}

bool isControl(std::uint32_t code)
{
    const auto within = [code](std::uint32_t low, std::uint32_t high) { return code >= low && code <= high; };
    return code < 0x20 || within(0x7f, 0x9f) || within(0x200e, 0x200f) || within(0x2028, 0x202e) || within(0x2066, 0x2069);
}

std::string escaped(std::uint32_t code)
{
    if (code == '\n') return "\\n";
    if (code == '\t') return "\\t";
    if (code == '\r') return "\\r";
    char out[16];
    std::snprintf(out, sizeof out, code < 0x100 ? "\\x%02x" : "\\u%04x", static_cast<unsigned>(code));
    return out;
}

}  // namespace

std::string printable(std::string_view text)
{
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const Letter letter = letterOf(text);
        if (letter.bytes == 0) out += escaped(static_cast<unsigned char>(text[0]));
        else if (isControl(letter.code)) out += escaped(letter.code);
        else out += text.substr(0, letter.bytes);
        text.remove_prefix(letter.bytes == 0 ? 1 : letter.bytes);
    }
    return out;
}

}  // namespace fovea
