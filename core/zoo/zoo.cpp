#include "core/zoo/zoo.h"

#include "core/base/spelling.h"
#include "core/zoo/recipe.h"

#include <algorithm>
#include <sstream>

namespace fovea {

namespace zoo {

namespace {

// In the order of the list.
constexpr Family kFamilies[] = {
    lenetRecipes,        alexnetRecipes,      vggRecipes,         googlenetRecipes,  inceptionRecipes,
    resnetRecipes,       cifarResnetRecipes,  densenetRecipes,    squeezenetRecipes, xceptionRecipes,
    mobilenetV1Recipes,  mobilenetV2Recipes,  mobilenetV3Recipes, mnasnetRecipes,    nasnetRecipes,
    shufflenetRecipes,   efficientnetRecipes, regnetRecipes,      convnextRecipes,   unetRecipes,
    segmentationRecipes, pyramidRecipes,
};

const std::vector<Recipe>& recipes()
{
    static const std::vector<Recipe> all = [] {
        std::vector<Recipe> out;
        for (const Family family : kFamilies)
            for (Recipe& recipe : family()) out.push_back(std::move(recipe));
        return out;
    }();
    return all;
}

// The three known words nearest to `wanted`: "'resnet18', 'resnet50' or 'resnet101'".
std::string nearest(const std::string& wanted, std::vector<std::string> known)
{
    std::stable_sort(known.begin(), known.end(), [&](const std::string& a, const std::string& b) {
        return editDistance(wanted, a) < editDistance(wanted, b);
    });
    known.resize(std::min<std::size_t>(known.size(), 3));
    std::string out;
    for (std::size_t i = 0; i < known.size(); ++i)
        out += (i == 0 ? "'" : i + 1 == known.size() ? " or '" : ", '") + known[i] + "'";
    return out;
}

const Recipe& recipeNamed(const std::string& name)
{
    std::vector<std::string> known;
    for (const Recipe& recipe : recipes()) {
        if (name == recipe.entry.name) return recipe;
        known.push_back(recipe.entry.name);
    }
    throw Error(ErrorCode::Usage,
                "There is no built-in network '" + name + "'; did you mean " + nearest(name, known) + "?");
}

std::vector<ZooParameter> parametersOf(const Recipe& recipe)
{
    std::vector<ZooParameter> out = {
        {"size", std::to_string(recipe.entry.size), "side of the input, or HEIGHTxWIDTH"},
        {"classes", std::to_string(recipe.classes), "channels of the output"},
        {"channels", std::to_string(recipe.channels), "channels of the input"},
    };
    out.insert(out.end(), recipe.extra.begin(), recipe.extra.end());
    return out;
}

std::map<std::string, std::string> defaults(const Recipe& recipe)
{
    std::map<std::string, std::string> out;
    for (const ZooParameter& parameter : parametersOf(recipe)) out[parameter.key] = parameter.fallback;
    return out;
}

void readSetting(std::map<std::string, std::string>& values, const std::string& setting, const std::string& network)
{
    const std::size_t equals = setting.find('=');
    const std::string key = setting.substr(0, equals);
    if (!values.contains(key)) {
        std::vector<std::string> known;
        for (const auto& entry : values) known.push_back(entry.first);
        throw Error(ErrorCode::Usage,
                    "'" + network + "' has no parameter '" + key + "'; did you mean " + nearest(key, known) + "?");
    }
    if (equals == std::string::npos || equals + 1 == setting.size())
        throw Error(ErrorCode::Usage, "The parameter '" + key + "' needs a value, as in '" + network + "," + key + "=" +
                                          values[key] + "'.");
    values[key] = setting.substr(equals + 1);
}

}  // namespace

}  // namespace zoo

const std::vector<ZooEntry>& zooEntries()
{
    static const std::vector<ZooEntry> entries = [] {
        std::vector<ZooEntry> out;
        for (const zoo::Recipe& recipe : zoo::recipes()) out.push_back(recipe.entry);
        return out;
    }();
    return entries;
}

std::vector<ZooParameter> zooParameters(const std::string& network)
{
    return zoo::parametersOf(zoo::recipeNamed(network));
}

Graph buildZoo(const std::string& spec)
{
    std::istringstream parts(spec);
    std::string name, setting;
    std::getline(parts, name, ',');
    const zoo::Recipe& recipe = zoo::recipeNamed(name);
    std::map<std::string, std::string> values = zoo::defaults(recipe);
    while (std::getline(parts, setting, ',')) zoo::readSetting(values, setting, name);
    const zoo::Parameters parameters(std::move(values));
    zoo::Builder builder(name);
    const Port image = builder.input(parameters.channels(), parameters.size());
    const Port output = recipe.build(builder, image, parameters);
    if (!builder.hasOutputs()) builder.output(output);
    return builder.finish();
}

}  // namespace fovea
