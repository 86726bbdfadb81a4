// Base64 (RFC 4648) for bytes inside a text document.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fovea {

std::string toBase64(std::string_view bytes);

// nullopt where the text is not canonical base64 with padding.
std::optional<std::string> fromBase64(std::string_view text);

// Whether the bytes are valid UTF-8 and so may stand in JSON as they are.
bool isUtf8(std::string_view text);

}  // namespace fovea
