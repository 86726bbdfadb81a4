// Text of unknown origin, such as a layer's name, as it can be shown on one line.
#pragma once

#include <string>
#include <string_view>

namespace fovea {

// Control characters, line and paragraph separators and what turns the direction of text are written as escapes ("\n",
// "\t", "\x1b", "\u2028"), so that a name breaks no table and steers no terminal; so are bytes that are no UTF-8.
std::string printable(std::string_view text);

}  // namespace fovea
