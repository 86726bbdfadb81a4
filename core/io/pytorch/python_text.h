// Values and names as Python source. Names come from files that anybody may have made: what stands here is the only
// way in which they enter the source.
#pragma once

#include "core/graph/attributes.h"

#include <string>
#include <string_view>
#include <vector>

namespace fovea {

// A string literal in double quotes, ASCII only: JSON's escapes are Python's too. Bytes that are no UTF-8 become
// U+FFFD.
std::string pythonString(std::string_view text);
std::string pythonReal(double value);                                // "0.1", "2.0", 'float("inf")'
std::string pythonTuple(const Ints& values);                         // "(3,)", "(1, 2)"
std::string pythonList(const Ints& values);                          // "[1, 2]"
std::string pythonPair(const Ints& values);                          // "3" where all are alike, else the tuple
std::string pythonArguments(const std::vector<std::string>& items);  // joined by ", "

bool isPythonIdentifier(std::string_view text);  // ASCII, no keyword
bool isWholeNumber(std::string_view text);       // "0", "12"; not "012"

// Whether torch.nn.Module can hold a member of this name: an identifier (keywords too) or a number that is no
// attribute of every module ("forward", "training", ...) and does not start with an underscore.
bool isMemberName(std::string_view text);
// `text` with everything that no identifier holds replaced; "layer" where nothing is left.
std::string identifierFrom(std::string_view text);

// "self.layer1[0].conv1" for the path "layer1.0.conv1".
std::string pythonAccess(std::string_view path);

}  // namespace fovea
