// Simonyan, Zisserman: "Very Deep Convolutional Networks for Large-Scale Image Recognition", arXiv 1409.1556,
// table 1 (A, B, D, E), as torchvision builds it: 7x7 adaptive pooling before the classifier.
#include "core/zoo/recipe.h"

#include <sstream>

namespace fovea::zoo {

namespace {

struct Vgg {
    const char* name;
    const char* table;  // channels of 3x3 convolutions; M: 2x2 max pooling
};

constexpr Vgg kTable[] = {
    {"vgg11", "64 M 128 M 256 256 M 512 512 M 512 512 M"},
    {"vgg13", "64 64 M 128 128 M 256 256 M 512 512 M 512 512 M"},
    {"vgg16", "64 64 M 128 128 M 256 256 256 M 512 512 512 M 512 512 512 M"},
    {"vgg19", "64 64 M 128 128 M 256 256 256 256 M 512 512 512 512 M 512 512 512 512 M"},
};

Port features(Builder& b, Port x, const char* table, bool norm, const Parameters& p)
{
    const auto scope = b.scope("features");
    std::istringstream columns(table);
    int index = 0;
    const auto next = [&] { return std::to_string(index++); };
    for (std::string column; columns >> column;) {
        if (column == "M") {
            x = b.maxPool(x, next(), {.kernel = 2, .stride = 2});
            continue;
        }
        x = b.conv(x, next(), {.out = p.scaled(std::stoll(column)), .kernel = 3, .bias = true});
        if (norm) x = b.batchNorm(x, next());
        x = b.relu(x, next());
    }
    return x;
}

Port head(Builder& b, Port x, std::int64_t classes)
{
    x = b.flatten(b.adaptiveAvgPool(x, "avgpool", 7));
    const auto scope = b.scope("classifier");
    x = b.dropout(b.relu(b.linear(x, "0", 4096), "1"), "2");
    x = b.dropout(b.relu(b.linear(x, "3", 4096), "4"), "5");
    return b.linear(x, "6", classes);
}

Recipe recipe(const Vgg& vgg, bool norm)
{
    static const char* const kNames[] = {"vgg11_bn", "vgg13_bn", "vgg16_bn", "vgg19_bn"};
    const auto row = &vgg - kTable;
    return {{norm ? kNames[row] : vgg.name, "VGG", 2014, "arXiv 1409.1556", 224,
             norm ? "A plain chain of 3x3 convolutions and poolings, with batch normalisation."
                  : "A plain chain of 3x3 convolutions and poolings."},
            1000,
            {kWidth},
            [table = vgg.table, norm](Builder& b, Port image, const Parameters& p) {
                return head(b, features(b, image, table, norm, p), p.classes());
            }};
}

}  // namespace

std::vector<Recipe> vggRecipes()
{
    std::vector<Recipe> out;
    for (const bool norm : {false, true})
        for (const Vgg& vgg : kTable) out.push_back(recipe(vgg, norm));
    return out;
}

}  // namespace fovea::zoo
