#include "core/io/onnx/names.h"

#include <gtest/gtest.h>

namespace fovea {
namespace {

TEST(Names, ASequentialsChildRepeatsItsParentsName)
{
    EXPECT_EQ(modulePath("/layer1/layer1.0/conv1/Conv"), "layer1.0.conv1");
    EXPECT_EQ(modulePath("/features/features.0/features.0.2/HardSwish"), "features.0.2");
    EXPECT_EQ(modulePath("/trunk/block1/block1-0/f/a/a.0/Conv"), "trunk.block1.block1-0.f.a.0");
    EXPECT_EQ(modulePath("/Flatten"), "");
    EXPECT_EQ(modulePath("Conv_0"), "");
}

TEST(Names, SeveralNodesShareTheirCommonModule)
{
    EXPECT_EQ(commonPath({"/a/a.0/Div", "/a/a.0/Erf"}), "a.0");
    EXPECT_EQ(commonPath({"/a/a.0/Div", "/a/a.1/Erf"}), "a");
    EXPECT_EQ(commonPath({"/a/Div", "/b/Erf"}), "");
    EXPECT_EQ(parentPath("layer1.0.conv1"), "layer1.0");
    EXPECT_EQ(parentPath("conv1"), "");
}

TEST(Names, MadeUpTensorNamesAreKnown)
{
    EXPECT_TRUE(isMadeUpName("onnx::Conv_497"));
    EXPECT_TRUE(isMadeUpName("497"));
    EXPECT_FALSE(isMadeUpName("layer1.0.conv1.weight"));
    EXPECT_FALSE(isMadeUpName(""));
}

TEST(Names, ATagComesBackAsItWasWritten)
{
    for (const LayerTag& tag : {LayerTag{"ReLU", "layer1.0.relu", "layer1.0"}, {"GELU", "a name\nof two lines", ""}})
        EXPECT_EQ(readTag(tagText(tag)), tag);
    EXPECT_EQ(readTag(""), std::nullopt);
    EXPECT_EQ(readTag("/usr/lib/python3/dist-packages/torch/nn/functional.py(1): relu"), std::nullopt);
    EXPECT_EQ(readTag("Fovea layer\n"), std::nullopt);
    EXPECT_EQ(readTag("Fovea layer\nReLU\nrelu"), std::nullopt);
    EXPECT_EQ(readTag("Fovea layer\nReLU\n\n"), std::nullopt);
}

}  // namespace
}  // namespace fovea
