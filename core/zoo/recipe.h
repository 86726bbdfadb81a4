// What a family file gives to the zoo: its networks, the parameters each takes, and how each is built.
#pragma once

#include "core/zoo/builder.h"
#include "core/zoo/zoo.h"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace fovea::zoo {

// Parameters that most families take beyond size, classes and channels.
inline const ZooParameter kWidth{"width", "1", "factor on the channels of every layer"};
inline const ZooParameter kDepth{"depth", "1", "factor on the blocks of every stage, rounded up"};
inline const ZooParameter kOutputStride{"output_stride", "32", "8, 16 or 32: later strides become dilation"};

// The same parameter with a network's own default.
inline ZooParameter withDefault(ZooParameter parameter, const char* fallback)
{
    parameter.fallback = fallback;
    return parameter;
}

// The parameters of one call, each given or its default. Getters throw Error(Usage) with the accepted range.
class Parameters {
public:
    explicit Parameters(std::map<std::string, std::string> values) : m_values(std::move(values)) {}

    std::int64_t getInt(const std::string& key, std::int64_t min, std::int64_t max) const;
    double getReal(const std::string& key, double min, double max) const;  // min is excluded
    Pair size() const;                                                     // "224" or "224x192"
    std::int64_t classes() const { return getInt("classes", 1, 1'000'000); }
    std::int64_t channels() const { return getInt("channels", 1, 65'536); }
    double width() const { return getReal("width", 0, 64); }
    std::int64_t scaled(std::int64_t channels) const;  // by `width`, at least 1
    std::int64_t repeats(int blocks) const;            // by `depth`, rounded up
    std::int64_t outputStride() const;                 // 8, 16 or 32

private:
    std::map<std::string, std::string> m_values;
};

struct Recipe {
    ZooEntry entry;
    int classes;                      // default
    std::vector<ZooParameter> extra;  // beyond size, classes and channels
    // Returns the output, or nothing where it has called Builder::output itself.
    std::function<Port(Builder&, Port image, const Parameters&)> build;
    int channels = 3;  // default
};

using Family = std::vector<Recipe> (*)();
std::vector<Recipe> alexnetRecipes();
std::vector<Recipe> cifarResnetRecipes();
std::vector<Recipe> convnextRecipes();
std::vector<Recipe> densenetRecipes();
std::vector<Recipe> efficientnetRecipes();
std::vector<Recipe> googlenetRecipes();
std::vector<Recipe> inceptionRecipes();
std::vector<Recipe> lenetRecipes();
std::vector<Recipe> mnasnetRecipes();
std::vector<Recipe> mobilenetV1Recipes();
std::vector<Recipe> mobilenetV2Recipes();
std::vector<Recipe> mobilenetV3Recipes();
std::vector<Recipe> nasnetRecipes();
std::vector<Recipe> pyramidRecipes();
std::vector<Recipe> regnetRecipes();
std::vector<Recipe> resnetRecipes();
std::vector<Recipe> segmentationRecipes();
std::vector<Recipe> shufflenetRecipes();
std::vector<Recipe> squeezenetRecipes();
std::vector<Recipe> unetRecipes();
std::vector<Recipe> vggRecipes();
std::vector<Recipe> xceptionRecipes();

}  // namespace fovea::zoo
