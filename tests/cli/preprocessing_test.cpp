// --mean, --std, --resize and --channel-order.
#include "core/io/model/model.h"
#include "core/recipe/run_folder.h"
#include "tests/cli/cli_run.h"

namespace fovea::test {
namespace {

class PreprocessingOptions : public CliTest {
protected:
    PreprocessingOptions() { save("net.fovea", "input 3x16x16 > conv:a k=3 p=1 c=4 > gap > flatten > linear:head c=2"); }

    static Preprocessing written(const std::string& from, const std::string& to, std::vector<std::string> options)
    {
        options.insert(options.begin(), {"convert", from, to});
        const Ran ran = run(options);
        EXPECT_EQ(ran.code, 0) << ran.err;
        return openModel(to).graph.preprocessing().value_or(Preprocessing{});
    }
};

TEST_F(PreprocessingOptions, AreWrittenIntoTheFormats)
{
    const Preprocessing wanted{256, ChannelOrder::Bgr, {0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}};
    const std::vector<std::string> options{"--mean", "0.485,0.456,0.406", "--std", "0.229,0.224,0.225", "--resize", "256",
                                           "--channel-order", "bgr"};
    EXPECT_EQ(written("net.fovea", "out.fovea", options), wanted);
    EXPECT_EQ(written("net.fovea", "out.onnx", options), wanted);
    EXPECT_EQ(written("out.onnx", "same.fovea", {}), wanted);
    // One of them alone changes only that.
    Preprocessing other = wanted;
    other.resize = 0;
    EXPECT_EQ(written("out.onnx", "other.fovea", {"--resize", "0"}), other);
    // One number stands for all channels.
    other.mean = {0.5, 0.5, 0.5};
    EXPECT_EQ(written("other.fovea", "grey.fovea", {"--mean", "0.5"}), other);
    EXPECT_EQ(written("net.fovea", "plain.fovea", {"--mean", "0", "--std", "1"}).mean, std::vector<double>{0});
}

TEST_F(PreprocessingOptions, AreCheckedBeforeAnythingIsWritten)
{
    const auto refused = [](std::vector<std::string> options, const std::string& why) {
        options.insert(options.begin(), {"convert", "net.fovea", "out.fovea"});
        expectRefused(options, why);
        EXPECT_FALSE(exists("out.fovea"));
    };
    const std::string both = "The model does not say how its images are prepared: give '--mean' and '--std' both "
                             "('--mean 0 --std 1' leaves values as they are).";
    refused({"--mean", "0.5"}, both);
    refused({"--resize", "256"}, both);
    const std::string rest = ", one for each of 3 channels or one for all, separated by commas, but got '";
    for (const char* text : {"0.1,0.2", "", "a", "0.1,,0.2", "1e7", "nan", "0.1 0.2 0.3"})
        refused({"--mean", text, "--std", "1"},
                "Option '--mean' takes numbers from -1e+06 to 1e+06" + rest + text + "'.");
    refused({"--mean", "0", "--std", "0"}, "Option '--std' takes numbers from 1e-06 to 1e+06" + rest + "0'.");
    refused({"--mean", "0", "--std", "1", "--resize", "-1"}, "Option '--resize' takes a side from 1 to 65536, or 0, but got '-1'.");
    refused({"--mean", "0", "--std", "1", "--channel-order", "gbr"},
            "Option '--channel-order' takes rgb or bgr, but got 'gbr'.");
}

TEST_F(PreprocessingOptions, ReachTheJobThatIsExported)
{
    const Ran ran = run({"train", "net.fovea", "--data", "patterns:classes=2,size=16,images=32,validation=8,pattern=11",
                         "--export-job", "job", "--mean", "0.25", "--std", "0.5", "--resize", "20"});
    ASSERT_EQ(ran.code, 0) << ran.err;
    const Preprocessing wanted{20, ChannelOrder::Rgb, {0.25}, {0.5}};
    EXPECT_EQ(readRunGraph({"job"}).preprocessing(), wanted);
}

}  // namespace
}  // namespace fovea::test
