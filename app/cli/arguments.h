// The words after a verb, sorted into options and operands.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fovea::cli {

struct OptionSpec {
    const char* name;          // "--size", "-o"
    bool takesValue = false;
    bool repeats = false;
};

class Arguments {
public:
    // Accepts "--size 64" and "--size=64"; "--" ends the options. Throws Error(Usage) for an option that is not
    // listed (with the nearest one), a value that is missing or not taken, an option given twice, and for more
    // or fewer operands than `operands` names.
    Arguments(const std::string& verb, const std::vector<std::string>& words, const std::vector<OptionSpec>& specs,
              const std::vector<std::string>& operands);

    bool has(const std::string& option) const;
    std::optional<std::string> value(const std::string& option) const;
    std::vector<std::string> values(const std::string& option) const;
    const std::string& operand(std::size_t index) const { return m_operands[index]; }

private:
    std::vector<std::pair<std::string, std::string>> m_options;
    std::vector<std::string> m_operands;
};

struct Side {
    std::int64_t h = 0, w = 0;
};
// "224" or "192x224"; `option` is named in the Error(Usage).
Side parseSide(const std::string& text, const std::string& option);
std::vector<Side> parseSides(const std::string& text, const std::string& option);

// "32": digits alone. Error(Usage) names the option and the range.
std::int64_t parseWhole(const std::string& text, const std::string& option, std::int64_t least, std::int64_t most);

// "1.5x" (times `reference`, where there is one), "4G", "4e9", "600M"; bytes also "2GiB".
std::int64_t parseAmount(const std::string& text, const std::string& option, std::optional<std::int64_t> reference, bool bytes = false);

}  // namespace fovea::cli
