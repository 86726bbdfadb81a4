#include "app/cli/programs.h"
#include "app/cli/renderer.h"
#include "tests/cli/cli_run.h"

namespace fovea::test {
namespace {

using Render = CliTest;

std::filesystem::path script(const std::string& folder, const std::string& body)
{
    std::filesystem::create_directories(folder);
    const std::filesystem::path path = std::filesystem::absolute(folder) / "fovea-studio";
    std::ofstream(path) << "#!/bin/sh\n" << body;
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path;
}

TEST_F(Render, FindsTheStudioBesideItselfBeforeThePath)
{
    const auto own = script("own", ""), first = script("first", ""), second = script("second", "");
    const std::string path = "nowhere:" + first.parent_path().string() + ":" + second.parent_path().string();
    EXPECT_EQ(cli::findProgram("fovea-studio", own.parent_path(), path), own);
    EXPECT_EQ(cli::findProgram("fovea-studio", "elsewhere", path), first);
    std::filesystem::permissions(first, std::filesystem::perms::owner_read);
    EXPECT_EQ(cli::findProgram("fovea-studio", "elsewhere", path), second);
    EXPECT_EQ(cli::findProgram("fovea-studio", "elsewhere", ""), std::nullopt);
}

TEST_F(Render, PassesEveryWordAsItIs)
{
    const auto studio = script("bin", "for word in \"$@\"; do echo \"[$word]\" >> words; done\n");
    EXPECT_EQ(cli::runChild(studio, {"--render", "a b; touch x", "$HOME"}).exitCode, 0);
    EXPECT_EQ(readText("words"), "[--render]\n[a b; touch x]\n[$HOME]\n");
    EXPECT_FALSE(exists("x"));
}

TEST_F(Render, NeedsNoDisplay)
{
    const auto studio = script("bin", "echo $QT_QPA_PLATFORM >&2\n");
    EXPECT_EQ(cli::runChild(studio, {}).sentence, std::getenv("QT_QPA_PLATFORM") ? std::getenv("QT_QPA_PLATFORM") : "offscreen");
}

TEST_F(Render, BringsBackTheExitCodeAndTheLastSentence)
{
    const auto studio = script("bin", "echo noise; echo first >&2; echo 'fovea-studio: It broke.' >&2; exit 2\n");
    const cli::ChildResult result = cli::runChild(studio, {});
    EXPECT_EQ(result.exitCode, 2);
    EXPECT_EQ(result.sentence, "It broke.");
}

TEST_F(Render, NoticesAChildThatIsKilled)
{
    const cli::ChildResult result = cli::runChild(script("bin", "kill -9 $$\n"), {});
    EXPECT_EQ(result.exitCode, -1);
    EXPECT_EQ(result.signal, 9);
}

TEST_F(Render, SurvivesAChildThatFloodsItsErrors)
{
    const cli::ChildResult result = cli::runChild(script("bin", "yes noise | head -c 3000000 >&2; echo >&2; echo end >&2; exit 3\n"), {});
    EXPECT_EQ(result.exitCode, 3);
    EXPECT_EQ(result.sentence, "end");
}

TEST_F(Render, RefusesWhatItCannotDoBeforeItStartsAnything)
{
    save("net.fovea", kNet);
    expectRefused({"render", "net.fovea"}, "Option '-o' is missing: it names the picture to write. See 'fovea render --help'.");
    expectRefused({"render", "net.fovea", "-o", "net.gif"}, "Cannot draw 'net.gif': its name must end in .svg, .pdf or .png.");
    expectRefused({"render", "net.fovea", "--view", "pie", "-o", "net.svg"}, "Option '--view' takes graph or chart, but got 'pie'.");
    expectRefused({"render", "net.fovea", "--size", "big", "-o", "net.svg"},
                  "Option '--size' takes a side from 1 to 1000000 such as 224, or HEIGHTxWIDTH such as 192x224, but got 'big'.");
}

}  // namespace
}  // namespace fovea::test
