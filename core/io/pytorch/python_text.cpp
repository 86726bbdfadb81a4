#include "core/io/pytorch/python_text.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace fovea {

namespace {

constexpr std::array kKeywords{"False", "None",     "True",  "and",    "as",   "assert", "async",  "await",    "break",
                               "class", "continue", "def",   "del",    "elif", "else",   "except", "finally",  "for",
                               "from",  "global",   "if",    "import", "in",   "is",     "lambda", "nonlocal", "not",
                               "or",    "pass",     "raise", "return", "try",  "while",  "with",   "yield"};

// dir(torch.nn.Module()) of PyTorch 1.13 and 2.5 without what starts with an underscore.
constexpr std::array kModuleAttributes{"T_destination",
                                       "add_module",
                                       "apply",
                                       "bfloat16",
                                       "buffers",
                                       "call_super_init",
                                       "children",
                                       "compile",
                                       "cpu",
                                       "cuda",
                                       "double",
                                       "dump_patches",
                                       "eval",
                                       "extra_repr",
                                       "float",
                                       "forward",
                                       "get_buffer",
                                       "get_extra_state",
                                       "get_parameter",
                                       "get_submodule",
                                       "half",
                                       "ipu",
                                       "load_state_dict",
                                       "modules",
                                       "mtia",
                                       "named_buffers",
                                       "named_children",
                                       "named_modules",
                                       "named_parameters",
                                       "parameters",
                                       "register_backward_hook",
                                       "register_buffer",
                                       "register_forward_hook",
                                       "register_forward_pre_hook",
                                       "register_full_backward_hook",
                                       "register_full_backward_pre_hook",
                                       "register_load_state_dict_post_hook",
                                       "register_load_state_dict_pre_hook",
                                       "register_module",
                                       "register_parameter",
                                       "register_state_dict_post_hook",
                                       "register_state_dict_pre_hook",
                                       "requires_grad_",
                                       "set_extra_state",
                                       "set_submodule",
                                       "share_memory",
                                       "state_dict",
                                       "to",
                                       "to_empty",
                                       "train",
                                       "training",
                                       "type",
                                       "xpu",
                                       "zero_grad"};

template <typename Names>
bool holds(const Names& names, std::string_view text)
{
    return std::find(names.begin(), names.end(), text) != names.end();
}

bool isLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool isDigit(char c) { return c >= '0' && c <= '9'; }

bool looksLikeIdentifier(std::string_view text)
{
    return !text.empty() && isLetter(text[0]) &&
           std::all_of(text.begin(), text.end(), [](char c) { return isLetter(c) || isDigit(c); });
}

std::string joined(const Ints& values)
{
    std::string out;
    for (const std::int64_t value : values) out += (out.empty() ? "" : ", ") + std::to_string(value);
    return out;
}

}  // namespace

std::string pythonString(std::string_view text)
{
    using Plain = nlohmann::json;
    return Plain(std::string(text)).dump(-1, ' ', true, Plain::error_handler_t::replace);
}

std::string pythonReal(double value)
{
    if (std::isnan(value)) return "float(\"nan\")";
    if (std::isinf(value)) return value > 0 ? "float(\"inf\")" : "float(\"-inf\")";
    char buffer[32];
    std::string out(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
    if (out.find_first_of(".e") == std::string::npos) out += ".0";
    return out;
}

std::string pythonTuple(const Ints& values) { return "(" + joined(values) + (values.size() == 1 ? ",)" : ")"); }
std::string pythonList(const Ints& values) { return "[" + joined(values) + "]"; }

std::string pythonPair(const Ints& values)
{
    const bool alike =
        !values.empty() && std::all_of(values.begin(), values.end(), [&](std::int64_t v) { return v == values[0]; });
    return alike ? std::to_string(values[0]) : pythonTuple(values);
}

std::string pythonArguments(const std::vector<std::string>& items)
{
    std::string out;
    for (const std::string& item : items) out += (out.empty() ? "" : ", ") + item;
    return out;
}

bool isPythonIdentifier(std::string_view text) { return looksLikeIdentifier(text) && !holds(kKeywords, text); }

bool isWholeNumber(std::string_view text)
{
    return !text.empty() && text.size() < 10 && std::all_of(text.begin(), text.end(), isDigit) &&
           (text == "0" || text[0] != '0');
}

bool isMemberName(std::string_view text)
{
    constexpr std::size_t kLongest = 100;
    return text.size() <= kLongest &&
           (isWholeNumber(text) || (looksLikeIdentifier(text) && text[0] != '_' && !holds(kModuleAttributes, text)));
}

std::string identifierFrom(std::string_view text)
{
    constexpr std::size_t kLongest = 60;
    std::string out;
    for (const char c : text.substr(0, kLongest)) {
        const bool fits = isLetter(c) || isDigit(c);
        if (fits && c != '_') out += c;
        else if (!out.empty() && out.back() != '_') out += '_';
    }
    while (!out.empty() && out.back() == '_') out.pop_back();
    if (out.empty()) return "layer";
    if (!isPythonIdentifier(out) || !isMemberName(out)) out = "layer_" + out;
    return out;
}

std::string pythonAccess(std::string_view path)
{
    std::string out = "self";
    while (!path.empty()) {
        const std::string_view part = path.substr(0, path.find('.'));
        path.remove_prefix(std::min(path.size(), part.size() + 1));
        if (isPythonIdentifier(part)) out += "." + std::string(part);
        else if (isWholeNumber(part)) out += "[" + std::string(part) + "]";
        else out += "[" + pythonString(part) + "]";
    }
    return out;
}

}  // namespace fovea
