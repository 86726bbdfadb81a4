// What a family file gives to the zoo: its networks, the parameters each takes, and how each is built.
#pragma once

#include "core/zoo/builder.h"
#include "core/zoo/zoo.h"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace fovea::zoo {

// A parameter of a network: "width" with its default as text and its meaning.
struct Parameter {
    const char* key;
    const char* fallback;
    const char* doc;
};

// The parameters of one call, each given or its default. Getters throw Error(Usage) with the accepted range.
class Parameters {
public:
    explicit Parameters(std::map<std::string, std::string> values) : m_values(std::move(values)) {}

    std::int64_t getInt(const std::string& key, std::int64_t min, std::int64_t max) const;
    double getReal(const std::string& key, double min, double max) const;  // min is excluded
    Pair size() const;                                                     // "224" or "224x192"
    std::int64_t classes() const { return getInt("classes", 1, 1'000'000); }
    std::int64_t channels() const { return getInt("channels", 1, 65'536); }

private:
    std::map<std::string, std::string> m_values;
};

struct Recipe {
    ZooEntry entry;
    int classes;                                                         // default
    std::vector<Parameter> extra;                                        // beyond size, classes and channels
    std::function<Port(Builder&, Port image, const Parameters&)> build;  // returns the output
};

std::vector<Recipe> vggRecipes();
std::vector<Recipe> resnetRecipes();

}  // namespace fovea::zoo
