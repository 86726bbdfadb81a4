#include "app/cli/engine_client.h"
#include "tests/cli/cli_run.h"

namespace fovea::test {
namespace {

class Field : public CliTest {
protected:
    Field() { save("net.fovea", "input 3x32x32 > conv:a k=3 s=2 p=1 c=4 > conv:b k=5x1 p=2x0 c=2 > gap:g"); }
};

TEST_F(Field, PrintsTheBoxOfAUnit)
{
    const Ran ran = run({"field", "net.fovea", "--layer", "b", "--unit", "0,3"});
    EXPECT_EQ(ran.code, 0);
    EXPECT_EQ(ran.err, "");
    EXPECT_EQ(ran.out, "b, unit 0,3, image 32 x 32\n"
                       "  box       [-5, 5, 6, 8]  11 x 3 px\n"
                       "  in image  [0, 5, 6, 8]  6 x 3 px\n"
                       "  padding   45.5 %\n");
}

TEST_F(Field, WritesJsonWithTheContractsKeys)
{
    const Ran ran = run({"field", "net.fovea", "--layer", "a", "--unit", "1,1", "--json"});
    EXPECT_EQ(ran.out, "{\"layer\":\"a\",\"unit\":[1,1],\"box\":[1,1,4,4],\"clipped\":[1,1,4,4],\"padding_fraction\":0."
                       "0,\"unbounded\":false}\n");
}

TEST_F(Field, TakesTheMiddleUnitWhereNoneIsNamed)
{
    EXPECT_NE(run({"field", "net.fovea", "--layer", "a"}).out.find("a, unit 8,8, image 32 x 32\n"), std::string::npos);
    EXPECT_NE(run({"field", "net.fovea", "--layer", "a", "--size", "20x64"}).out.find("a, unit 5,16, image 20 x 64\n"),
              std::string::npos);
}

TEST_F(Field, SaysWhereAWholeMapIsRead)
{
    EXPECT_NE(run({"field", "net.fovea", "--layer", "g"}).out.find(", reads a whole map on the way\n"),
              std::string::npos);
}

TEST_F(Field, RefusesWhatIsNotThere)
{
    expectRefused({"field", "net.fovea"}, "Option '--layer' is missing: it names the layer. See 'fovea field --help'.");
    expectRefused({"field", "net.fovea", "--layer", "aa"}, "The network has no layer called 'aa'. Did you mean 'a'?");
    expectRefused({"field", "net.fovea", "--layer", "a", "--unit", "16,0"},
                  "Layer 'a' has 16x16 units, so there is none at 16,0.");
    for (const char* unit : {"x", "1", "1,", ",1", "-1,2", "1,2,3", "1.5,2"})
        expectRefused({"field", "net.fovea", "--layer", "a", "--unit", unit},
                      std::string("Option '--unit' takes ROW,COLUMN such as 0,7, but got '") + unit + "'.");
}

TEST_F(Field, ADeadEngineIsAnErrorWithOneSentence)
{
    std::ofstream("dead-engine") << "#!/bin/sh\nread line\nkill -9 $$\n";
    std::filesystem::permissions("dead-engine", std::filesystem::perms::owner_all);
    try {
        cli::EngineClient engine(std::filesystem::absolute("dead-engine"));
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.message(), "fovea-engine was ended by signal 9 instead of answering 'hello'.");
    }
    std::ofstream("dead-engine") << "#!/bin/sh\necho one >&2\necho 'libtorch.so: cannot open' >&2\nexit 127\n";
    try {
        cli::EngineClient engine(std::filesystem::absolute("dead-engine"));
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.message(), "fovea-engine ended with code 127 instead of answering 'hello'. Its last words: "
                                   "libtorch.so: cannot open");
    }
}

}  // namespace
}  // namespace fovea::test
