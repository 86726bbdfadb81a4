#include "tests/cli/cli_run.h"

namespace fovea::test {
namespace {

using Usage = CliTest;

TEST_F(Usage, NamesTheVersion)
{
    const Ran ran = run({"--version"});
    EXPECT_EQ(ran.code, 0);
    EXPECT_EQ(ran.out, "fovea " FOVEA_VERSION "\n");
    EXPECT_EQ(ran.err, "");
}

TEST_F(Usage, ListsTheCommands)
{
    const Ran ran = run({"--help"});
    EXPECT_EQ(ran.code, 0);
    EXPECT_EQ(ran.out,
              "Receptive field analysis and refinement of convolutional networks.\n"
              "\n"
              "Usage: fovea VERB ...\n"
              "\n"
              "  analyze      which layers are productive, and what the network costs\n"
              "  refine       propose and apply changes that make layers productive\n"
              "  convert      write a network in another format\n"
              "  diff         what changed from one network to another\n"
              "  zoo          list the built-in networks, or show one\n"
              "  render       draw the network or its chart\n"
              "  field        the exact field of one unit, and its gradient\n"
              "  train        train or fine-tune on labelled images\n"
              "  eval         how well labelled images are told apart\n"
              "  probe        measure what each layer adds\n"
              "  measure      time and memory of a step on this machine\n"
              "  recalibrate  norms' statistics anew, or folded norms put back\n"
              "  doctor       say which LibTorch and devices there are\n"
              "\n"
              "'fovea VERB --help' explains one of them with an example; 'fovea --version' names the version.\n"
              "MODEL is a .onnx file, a .fovea document, the folder of a training run, or zoo:NAME[,key=value...].\n"
              "Exit codes: 0 done, 1 the check asked for fails, 2 bad input or usage, 3 internal error.\n"
              "\n"
              "Example: fovea analyze zoo:example --size 64\n");
}

TEST_F(Usage, ExplainsEveryCommandWithAnExample)
{
    for (const char* verb : {"analyze", "refine", "convert", "diff", "zoo", "render", "field", "doctor"}) {
        const Ran ran = run({verb, "--help"});
        EXPECT_EQ(ran.code, 0) << verb;
        EXPECT_EQ(ran.err, "") << verb;
        EXPECT_NE(ran.out.find(std::string("Usage: fovea ") + verb), std::string::npos) << verb;
        EXPECT_NE(ran.out.find(std::string("\nExample: fovea ") + verb), std::string::npos) << verb;
    }
}

TEST_F(Usage, RefusesACommandThatDoesNotExist)
{
    expectRefused({}, "A command is missing. See 'fovea --help'.");
    expectRefused({"analyse", "x.onnx"}, "Unknown command 'analyse'. Did you mean 'analyze'? See 'fovea --help'.");
    expectRefused({"--verbose"}, "Unknown command '--verbose'. See 'fovea --help'.");
}

TEST_F(Usage, RefusesAnOptionThatDoesNotExistAndNamesTheNearest)
{
    expectRefused({"analyze", "x.onnx", "--sise", "3"}, "Unknown option '--sise'. Did you mean '--size'? See 'fovea analyze --help'.");
    expectRefused({"convert", "a.onnx", "b.onnx", "-x"}, "Unknown option '-x'. See 'fovea convert --help'.");
}

TEST_F(Usage, TakesOperandsThatLookLikeOptionsBehindTwoDashes)
{
    save("--odd.fovea", kNet);
    EXPECT_EQ(run({"analyze", "--", "--odd.fovea"}).code, 0);
}

}  // namespace
}  // namespace fovea::test
