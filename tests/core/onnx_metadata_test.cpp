#include "core/base/files.h"
#include "core/io/onnx/onnx.h"
#include "tests/document/folder.h"
#include "tests/support/onnx_text.h"
#include "tests/support/text_graph.h"

#include <gtest/gtest.h>

namespace fovea {
namespace {

class OnnxMetadata : public ::testing::Test {
protected:
    std::string bytesOf(const Model& model) const
    {
        writeOnnx(model, m_folder / "out.onnx");
        return readText(m_folder / "out.onnx", 1 << 20);
    }
    Model reread(const Model& model) const
    {
        writeOnnx(model, m_folder / "in.onnx");
        return readOnnx(m_folder / "in.onnx");
    }

    test::Folder m_folder;
    Preprocessing m_bgr{256, ChannelOrder::Bgr, {0.5, 0.25, 0.125}, {0.2, 0.3, 0.4}};
};

TEST_F(OnnxMetadata, AnExportCarriesThePreprocessing)
{
    Model model{test::graphOf("input 3x8x8 > conv k=3 c=2 > relu"), {}, nullptr};
    EXPECT_EQ(reread(model).graph.preprocessing(), std::nullopt);
    model.graph.setPreprocessing(m_bgr);
    EXPECT_EQ(reread(model).graph.preprocessing(), m_bgr);
}

TEST_F(OnnxMetadata, AnUneditedImportGoesOutByteForByteAndAnEditedPreprocessingChangesIt)
{
    Model model{test::graphOf("input 3x8x8 > conv k=3 c=2 > relu"), {}, nullptr};
    model.graph.setPreprocessing(m_bgr);
    Model read = reread(model);
    const std::string same = bytesOf(read);
    EXPECT_EQ(bytesOf(readOnnx(m_folder / "out.onnx")), same);
    Preprocessing other = m_bgr;
    other.resize = 0;
    read.graph.setPreprocessing(other);
    EXPECT_EQ(reread(read).graph.preprocessing(), other);
    read.graph.setPreprocessing(std::nullopt);
    EXPECT_EQ(reread(read).graph.preprocessing(), std::nullopt);
    EXPECT_EQ(bytesOf(read).find("fovea.preprocessing"), std::string::npos);
}

// Whole numbers come unscaled, and a file that says nothing of it goes out saying nothing.
TEST_F(OnnxMetadata, AnImageOfWholeNumbersIsFedAsItIs)
{
    test::OnnxText file(13);
    file.wholeInput("x", {1, 8, 8, 3});
    file.node("Cast x -> real", {{"to", std::int64_t{1}}});
    file.node("Transpose real -> map", {{"perm", Ints{0, 3, 1, 2}}});
    file.reals("w", {2, 3, 3, 3});
    file.node("Conv map,w -> y");
    file.output("y");
    writeAtomically(m_folder / "whole.onnx", file.serialized());
    const Model read = readOnnx(m_folder / "whole.onnx");
    EXPECT_EQ(read.graph.preprocessing(), (Preprocessing{0, ChannelOrder::Rgb, {0}, {1.0 / 255}}));
    EXPECT_EQ(bytesOf(read).find("fovea.preprocessing"), std::string::npos);
    EXPECT_EQ(readOnnx(m_folder / "out.onnx").graph.preprocessing(), read.graph.preprocessing());
}

TEST_F(OnnxMetadata, ThatCannotBeReadIsNotedAndKept)
{
    Model model{test::graphOf("input 3x8x8 > relu"), {}, nullptr};
    model.graph.setPreprocessing(m_bgr);
    std::string bytes = bytesOf(model);
    const std::size_t at = bytes.find("\"order\":\"bgr\"");
    ASSERT_NE(at, std::string::npos);
    bytes.replace(at, 13, "\"order\":\"xyz\"");
    writeAtomically(m_folder / "odd.onnx", bytes);
    const Model odd = readOnnx(m_folder / "odd.onnx");
    EXPECT_EQ(odd.graph.preprocessing(), std::nullopt);
    ASSERT_EQ(odd.graph.notes().size(), 1u);
    EXPECT_EQ(odd.graph.notes()[0].code, "preprocessing-unread");
    EXPECT_NE(bytesOf(odd).find("xyz"), std::string::npos);
}

}  // namespace
}  // namespace fovea
