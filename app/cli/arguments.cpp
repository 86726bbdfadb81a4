#include "app/cli/arguments.h"

#include "core/base/error.h"
#include "core/base/spelling.h"

#include <algorithm>

namespace fovea::cli {

namespace {

[[noreturn]] void usage(const std::string& verb, const std::string& message)
{
    throw Error(ErrorCode::Usage, message + " See 'fovea " + verb + " --help'.");
}

const OptionSpec& specFor(const std::string& verb, const std::string& name, const std::vector<OptionSpec>& specs)
{
    std::vector<std::string> names;
    for (const OptionSpec& spec : specs) {
        if (name == spec.name) return spec;
        names.push_back(spec.name);
    }
    usage(verb, "Unknown option '" + name + "'." + suggestion(name, names));
}

void checkOperands(const std::string& verb, const std::vector<std::string>& found, const std::vector<std::string>& wanted)
{
    if (found.size() < wanted.size()) usage(verb, wanted[found.size()] + " is missing.");
    if (found.size() > wanted.size()) usage(verb, "Unexpected '" + found[wanted.size()] + "'.");
}

}  // namespace

Arguments::Arguments(const std::string& verb, const std::vector<std::string>& words, const std::vector<OptionSpec>& specs,
                     const std::vector<std::string>& operands)
{
    bool optionsEnded = false;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string& word = words[i];
        if (optionsEnded || word.size() < 2 || word[0] != '-') {
            m_operands.push_back(word);
            continue;
        }
        if (word == "--") {
            optionsEnded = true;
            continue;
        }
        const std::size_t equals = word.starts_with("--") ? word.find('=') : std::string::npos;
        const std::string name = word.substr(0, equals);
        const OptionSpec& spec = specFor(verb, name, specs);
        if (!spec.repeats && has(name)) usage(verb, "Option '" + name + "' is given twice.");
        if (!spec.takesValue && equals != std::string::npos) usage(verb, "Option '" + name + "' takes no value.");
        if (spec.takesValue && equals == std::string::npos && i + 1 == words.size()) usage(verb, "Option '" + name + "' needs a value.");
        std::string value;
        if (spec.takesValue) value = equals == std::string::npos ? words[++i] : word.substr(equals + 1);
        m_options.emplace_back(name, std::move(value));
    }
    checkOperands(verb, m_operands, operands);
}

bool Arguments::has(const std::string& option) const
{
    return std::any_of(m_options.begin(), m_options.end(), [&](const auto& entry) { return entry.first == option; });
}

std::optional<std::string> Arguments::value(const std::string& option) const
{
    for (const auto& [name, value] : m_options)
        if (name == option) return value;
    return std::nullopt;
}

std::vector<std::string> Arguments::values(const std::string& option) const
{
    std::vector<std::string> out;
    for (const auto& [name, value] : m_options)
        if (name == option) out.push_back(value);
    return out;
}

}  // namespace fovea::cli
