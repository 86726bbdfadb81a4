#include "core/graph/first_image.h"
#include "core/io/onnx/onnx.h"
#include "tests/cli/cli_run.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <limits>
#include <map>

namespace fovea::test {
namespace {

using Json = nlohmann::ordered_json;

class Refine : public CliTest {
protected:
    Refine() { save("net.fovea", kNet); }

    static Json plans(const std::vector<std::string>& more = {})
    {
        std::vector<std::string> args{"refine", "net.fovea", "--json"};
        args.insert(args.end(), more.begin(), more.end());
        return Json::parse(run(args).out, nullptr, false);
    }
};

TEST_F(Refine, ListsPlansWithTheKeysOfTheSchema)
{
    const Json json = plans();
    EXPECT_EQ(json["schema"], "fovea.plans/1");
    EXPECT_EQ(json["before"]["i_min"].dump(), "[43,75]");
    ASSERT_GT(json["plans"].size(), 0u);
    const Json& plan = json["plans"][0];
    std::vector<std::string> keys;
    for (const auto& [key, value] : plan.items()) keys.push_back(key);
    EXPECT_EQ(keys,
              (std::vector<std::string>{"id", "title", "reason", "edits", "before", "after", "weights", "memory", "issues"}));
    keys.clear();
    for (const auto& [key, value] : plan["edits"][0].items()) keys.push_back(key);
    EXPECT_EQ(keys, (std::vector<std::string>{"op", "layer", "attribute", "from", "to", "after"}));
    keys.clear();
    for (const auto& [key, value] : plan["weights"].items()) keys.push_back(key);
    EXPECT_EQ(keys, (std::vector<std::string>{"copied", "sliced", "padded", "new", "dropped", "kept", "rows"}));
    EXPECT_EQ(plan["before"], json["before"]);
    EXPECT_EQ(plan["after"]["verdicts"]["unproductive"], 0);
}

TEST_F(Refine, NamesThePlansThatComeToMindAndTheShareOfWeightsThatIsKept)
{
    const Json json = plans({"--min-params", "0.01x"});
    std::vector<std::string> keys;
    for (const auto& [key, value] : json["picks"].items()) keys.push_back(key);
    EXPECT_EQ(keys, (std::vector<std::string>{"cheapest", "balanced", "productive"}));
    std::int64_t least = std::numeric_limits<std::int64_t>::max();
    std::string cheapest;
    for (const Json& plan : json["plans"]) {
        const double kept = plan["weights"]["kept"];
        EXPECT_GE(kept, 0);
        EXPECT_LE(kept, 1);
        const auto lost = plan["weights"]["dropped"]["parameters"].get<std::int64_t>();
        EXPECT_TRUE(kept == 1 || !plan["weights"]["rows"].empty()) << plan;
        EXPECT_TRUE(kept < 1 || lost == 0) << plan;
        if (plan["title"].get<std::string>().starts_with("Side ") || plan["after"]["macs"] >= least) continue;
        least = plan["after"]["macs"];
        cheapest = plan["id"];
    }
    EXPECT_EQ(json["picks"]["cheapest"], cheapest);
    EXPECT_EQ(json["picks"]["productive"], json["plans"][0]["id"]);
    EXPECT_EQ(plans({"--want", "productive"}), plans({"--want", "accuracy"}));
    EXPECT_EQ(plans({"--want", "productive"}), plans());
}

TEST_F(Refine, SaysWhatItDoesNotKnowInsteadOfThatAllIsWell)
{
    save("odd.fovea", "input 3x64x64 > conv:a k=3 p=1 c=8 > opaque:odd onnx_op=GridSample declared_in=1x8x64x64 "
                      "declared_out=1x8x64x64 > conv:b k=3 p=1 c=8 > gap > flatten > linear c=4");
    const Ran ran = run({"refine", "odd.fovea", "--auto", "-o", "out.fovea"});
    EXPECT_EQ(ran.code, 1);
    EXPECT_EQ(ran.out, "No proposal is left. It is not known what layer 'odd' reads, so no proposal changes its input or a "
                       "layer behind it, and 1 layer is not judged. State what it reads, as in --reach 'odd=k3s1p1'.\n");
    EXPECT_FALSE(exists("out.fovea"));
    const Json json = Json::parse(run({"refine", "odd.fovea", "--json"}).out);
    EXPECT_TRUE(json["plans"].empty());
    EXPECT_EQ(json["withheld"]["layer"], "odd");
    EXPECT_EQ(json["picks"]["cheapest"], nullptr);
    EXPECT_EQ(run({"refine", "odd.fovea", "--reach", "odd=same"}).code, 0);
}

TEST_F(Refine, SaysOfEveryTensorThatIsNotCopiedWhatBecomesOfIt)
{
    save("wide.fovea", "input 3x16x16 > conv:stem k=7 s=2 p=3 c=8 > relu > conv:mid k=3 p=1 c=8 > maxpool k=2 > "
                       "conv:late k=5 p=2 c=8 > conv:last k=3 p=1 c=8 > gap > flatten > linear:fc c=10");
    const auto moveOf = [](const std::string& title) {
        const Json listed = Json::parse(run({"refine", "wide.fovea", "--moves", "--json"}).out);
        for (const Json& plan : listed["plans"])
            if (plan["title"].get<std::string>().starts_with(title)) return plan["weights"];
        ADD_FAILURE() << "no move '" << title << "' in " << listed["plans"];
        return Json();
    };
    EXPECT_EQ(moveOf("Stride of 'stem' from 2 to 1")["rows"], Json::array());
    EXPECT_EQ(moveOf("Kernel of 'stem' from 7 to 5")["rows"],
              Json::parse(R"([{"tensor":"stem.weight","layer":"stem","action":"sliced",
                               "from":[8,3,7,7],"to":[8,3,5,5]}])"));
    const Json cut = moveOf("Pooling 'maxpool' removed");
    EXPECT_EQ(cut["rows"], Json::array());
    EXPECT_EQ(cut["copied"]["tensors"], 10);
}

TEST_F(Refine, RowsOfTensorsAddUpToTheirTotals)
{
    int added = 0, gone = 0;
    const Json listed = Json::parse(run({"refine", "zoo:mobilenet_v2", "--size", "64", "--moves", "--json"}).out);
    for (const Json& plan : listed["plans"]) {
        std::map<std::string, int> count;
        for (const Json& row : plan["weights"]["rows"]) {
            std::vector<std::string> keys;
            for (const auto& [key, value] : row.items()) keys.push_back(key);
            EXPECT_EQ(keys, (std::vector<std::string>{"tensor", "layer", "action", "from", "to"}));
            EXPECT_NE(row["action"], "copied");
            EXPECT_EQ(row["to"].is_null(), row["action"] == "dropped") << row;
            EXPECT_FALSE(row["from"].is_null() && row["to"].is_null()) << row;
            added += row["from"].is_null();
            gone += row["to"].is_null();
            ++count[row["action"]];
        }
        for (const char* action : {"sliced", "padded", "new", "dropped"})
            EXPECT_EQ(plan["weights"][action]["tensors"], count[action]) << plan["title"];
    }
    EXPECT_GT(added, 0);
    EXPECT_GT(gone, 0);
}

TEST_F(Refine, GivesTheSameIdsEveryTime) { EXPECT_EQ(plans(), plans()); }

TEST_F(Refine, PrintsEveryPlanWithItsEffectAndItsReason)
{
    const Ran ran = run({"refine", "net.fovea"});
    EXPECT_EQ(ran.code, 0);
    EXPECT_TRUE(ran.out.starts_with("side 32\n\nid  ")) << ran.out;
    const Json json = plans();
    for (const Json& plan : json["plans"]) {
        EXPECT_NE(ran.out.find(plan["title"].get<std::string>()), std::string::npos);
        EXPECT_NE(ran.out.find(plan["id"].get<std::string>() + ": " + plan["reason"].get<std::string>()),
                  std::string::npos);
    }
}

TEST_F(Refine, AppliesAPlanByItsIdAndKeepsTheOriginal)
{
    const Json plan = plans()["plans"][0];
    const std::string id = plan["id"];
    const Ran ran = run({"refine", "net.fovea", "--apply", id, "-o", "better.fovea"});
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_NE(ran.out.find("Wrote better.fovea.\n"), std::string::npos);
    const Json after = Json::parse(run({"analyze", "better.fovea", "--json"}).out)["summary"];
    EXPECT_EQ(after, plan["after"]);
    EXPECT_EQ(Json::parse(run({"analyze", "net.fovea", "--json"}).out)["summary"], plan["before"]);
}

TEST_F(Refine, AppliesTheFirstPlanByItself)
{
    const Json listed = plans(), applied = plans({"--auto", "-o", "better.fovea"});
    EXPECT_EQ(applied["applied"], listed["plans"][0]["id"]);
    EXPECT_EQ(applied["output"], "better.fovea");
    EXPECT_EQ(Json::parse(run({"analyze", "better.fovea", "--json"}).out)["summary"], listed["plans"][0]["after"]);
}

TEST_F(Refine, LeavesOpenSizesOpenUnlessThePlanChangesThemAndThenSaysSo)
{
    ASSERT_EQ(run({"convert", "net.fovea", "first.onnx"}).code, 0);
    Model model = readOnnx("first.onnx");
    model.graph.update(firstImage(model.graph)->id, [](Node& input) { setSymbols(input, {"", "", "rows", "columns"}); });
    writeOnnx(model, "open.onnx");
    const auto symbols = [](const char* path) { return symbolsOf(*firstImage(readOnnx(path).graph)); };
    const std::vector<std::string> words{"refine", "open.onnx", "--size", "32", "--json"};
    const auto with = [&](std::vector<std::string> more) {
        more.insert(more.begin(), words.begin(), words.end());
        return Json::parse(run(more).out, nullptr, false);
    };
    const Json layers = with({"--auto", "-o", "layers.onnx"});
    EXPECT_EQ(layers["stated"], Json::array());
    EXPECT_EQ(symbols("layers.onnx"), (std::vector<std::string>{"", "", "rows", "columns"}));
    const Json plans = with({})["plans"];
    const auto side = std::find_if(plans.begin(), plans.end(), [](const Json& plan) { return plan["edits"][0]["attribute"] == "shape"; });
    ASSERT_NE(side, plans.end());
    EXPECT_EQ(with({"--apply", (*side)["id"], "-o", "side.onnx"})["stated"], (Json{"rows", "columns"}));
    EXPECT_EQ(symbols("side.onnx"), std::vector<std::string>{});
    const std::string text = run({"refine", "open.onnx", "--size", "32", "--apply", (*side)["id"], "-o", "side.onnx"}).out;
    EXPECT_NE(text.find("The file leaves height and width open (rows, columns); they are written as "), std::string::npos) << text;
}

TEST_F(Refine, DoesNotChangeNothingButTheSideByItself)
{
    save("kept.fovea", "input 3x8x8 > conv:a k=5 p=2 c=4 > conv:b k=5 p=2 c=4 > conv:c k=5 p=2 c=4 > conv:d k=3 p=1 c=4");
    const std::vector<std::string> words{"refine", "kept.fovea", "--keep", "a", "--keep", "b", "--keep", "c", "--keep", "d"};
    const auto with = [&](std::vector<std::string> more) {
        more.insert(more.begin(), words.begin(), words.end());
        return run(more);
    };
    const Json listed = Json::parse(with({"--json"}).out);
    ASSERT_EQ(listed["plans"].size(), 1u);
    EXPECT_EQ(listed["plans"][0]["edits"][0]["attribute"], "shape");
    const Ran ran = with({"--auto", "-o", "side.fovea"});
    EXPECT_EQ(ran.code, 1);
    EXPECT_EQ(ran.out, "Layers are not productive at side 8, and only another side helps within the limits:\n" +
                           listed["plans"][0]["id"].get<std::string>() + ": Side from 8 to 15. Option '--apply' takes it.\n");
    EXPECT_FALSE(exists("side.fovea"));
    EXPECT_TRUE(Json::parse(with({"--auto", "--json"}).out)["applied"].is_null());
}

TEST_F(Refine, LatencyIsATimeOrAMultiple)
{
    for (const char* bad : {"fast", "12", "0ms", "-1s", "12 ms", "1e999s", "3h"})
        expectRefused({"refine", "net.fovea", "--max-latency", bad},
                      "Option '--max-latency' takes a time such as 12ms or 0.05s, or a multiple such as 1.5x, but got '" +
                          std::string(bad) + "'.");
    expectRefused({"refine", "net.fovea", "--device", "cpu"},
                  "Option '--device' has a meaning only together with '--max-latency'.");
}

TEST_F(Refine, WritesEveryProposalUnderItsId)
{
    const Json listed = plans()["plans"], written = plans({"--all", "-o", "all-{id}.fovea"});
    ASSERT_GT(listed.size(), 2u);
    EXPECT_EQ(written["plans"], listed);
    ASSERT_EQ(written["outputs"].size(), listed.size());
    for (std::size_t i = 0; i < listed.size(); ++i) {
        const std::string id = listed[i]["id"], path = "all-" + id + ".fovea";
        EXPECT_EQ(written["outputs"][i]["id"], id);
        EXPECT_EQ(written["outputs"][i]["output"], path);
        EXPECT_EQ(Json::parse(run({"analyze", path, "--json"}).out)["summary"], listed[i]["after"]);
    }
    const Json moves = plans({"--moves", "--all", "-o", "{id}/../move-{id}.fovea"});
    EXPECT_TRUE(moves.is_discarded()) << "there is no such folder";
    const Ran ran = run({"refine", "net.fovea", "--moves", "--all", "-o", "move-{id}.fovea"});
    EXPECT_EQ(ran.code, 0) << ran.err;
    const Json single = plans({"--moves"});
    for (const Json& move : single["plans"]) {
        const std::string path = "move-" + move["id"].get<std::string>() + ".fovea";
        EXPECT_TRUE(exists(path)) << path;
        EXPECT_NE(ran.out.find("Wrote " + path + "."), std::string::npos);
        // The same as when it is asked for by itself.
        EXPECT_EQ(run({"refine", "net.fovea", "--apply", move["id"], "-o", "one.fovea"}).code, 0);
        EXPECT_EQ(readText("one.fovea"), readText(path));
    }
    expectRefused({"refine", "net.fovea", "--all", "-o", "same.fovea"},
                  "Option '--all' needs '-o OUT' with {id} in its name, such as 'refined-{id}.onnx'.");
    expectRefused({"refine", "net.fovea", "--all", "--auto", "-o", "{id}.fovea"},
                  "Option '--all' writes every proposal, so it excludes '--apply' and '--auto'. See 'fovea refine --help'.");
}

// A folder stands where one of the files would go.
TEST_F(Refine, GoesOnAfterAProposalThatCannotBeWritten)
{
    save("adaptive.fovea", "input 3x30x30 > conv:a k=5 s=2 p=2 c=4 > conv:b k=5 s=2 p=2 c=4 > conv:c k=5 p=2 c=4 > "
                           "conv:d k=5 p=2 c=4 > adaptiveavgpool2d output_size=4 > flatten > linear c=2");
    const Json listed = Json::parse(run({"refine", "adaptive.fovea", "--json"}).out);
    ASSERT_GT(listed["plans"].size(), 1u);
    std::filesystem::create_directory(listed["plans"][1]["id"].get<std::string>() + ".onnx");
    const std::vector<std::string> words{"refine", "adaptive.fovea", "--all", "-o", "{id}.onnx"};
    const Ran ran = run(words);
    EXPECT_EQ(ran.code, 0) << ran.err;
    std::vector<std::string> asJson = words;
    asJson.push_back("--json");
    const Json json = Json::parse(run(asJson).out);
    ASSERT_EQ(json["outputs"].size(), json["plans"].size());
    int written = 0, failed = 0;
    for (const Json& output : json["outputs"]) {
        const std::string path = output["id"].get<std::string>() + ".onnx";
        EXPECT_EQ(output["output"].is_null(), output["error"].is_string());
        EXPECT_EQ(std::filesystem::is_regular_file(path), output["error"].is_null());
        (output["error"].is_null() ? written : failed) += 1;
        const std::string said = output["error"].is_null()
                                     ? "Wrote " + path + "."
                                     : "Could not write " + path + ": " + output["error"].get<std::string>() + "\n";
        EXPECT_NE(ran.out.find(said), std::string::npos) << said << "\n" << ran.out;
    }
    EXPECT_GT(written, 0);
    EXPECT_GT(failed, 0);
    const Ran none = run({"refine", "net.fovea", "--all", "-o", "nowhere/{id}.fovea"});
    EXPECT_EQ(none.code, 2);
    EXPECT_EQ(none.out, "");
}

TEST_F(Refine, WritesNothingWithoutAnOutputAndSaysSo)
{
    const Ran ran = run({"refine", "net.fovea", "--auto"});
    EXPECT_EQ(ran.code, 0);
    EXPECT_NE(ran.out.find("Nothing was written: give -o OUT to keep the refined network.\n"), std::string::npos);
}

TEST_F(Refine, SaysSoWhereThereIsNothingToDo)
{
    save("small.fovea", "input 3x8x8 > conv:a k=3 p=1 c=4 > conv:b k=3 p=1 s=2 c=4 > conv:c k=3 p=1 c=4");
    const Ran listed = run({"refine", "small.fovea", "--size", "9"});
    EXPECT_EQ(listed.code, 0);
    EXPECT_EQ(listed.out, "Nothing to do at side 9: i_min 9, i_max 9; 3 productive, 0 critical, 0 partial, 0 "
                          "unproductive; 408 parameters, 15.95 k MACs.\n");
    const Ran ran = run({"refine", "small.fovea", "--size", "9", "--auto", "-o", "same.fovea"});
    EXPECT_EQ(ran.code, 0);
    EXPECT_TRUE(ran.out.ends_with("The network is unchanged. Wrote same.fovea.\n")) << ran.out;
    EXPECT_EQ(readText("same.fovea"), readText("small.fovea"));
    const Json json = Json::parse(run({"refine", "small.fovea", "--size", "9", "--json"}).out);
    EXPECT_EQ(json["plans"].size(), 0u);
}

TEST_F(Refine, FailsWhereNoPlanStaysWithinTheLimits)
{
    const Ran ran = run({"refine", "net.fovea", "--max-macs", "0.01x", "--auto", "-o", "better.fovea"});
    EXPECT_EQ(ran.code, 1);
    const std::string said =
        "Layers are not productive at side 32, but no proposal within the limits helps. Loosen --max-macs from ";
    ASSERT_TRUE(ran.out.starts_with(said)) << ran.out;
    const Json loosen = plans({"--max-macs", "0.01x"})["loosen"];
    ASSERT_EQ(loosen.size(), 1u);
    EXPECT_EQ(loosen[0]["option"], "--max-macs");
    EXPECT_NE(ran.out.find(" to at least " + loosen[0]["to"].dump() + " ("), std::string::npos) << ran.out;
    EXPECT_GT(plans({"--max-macs", loosen[0]["to"].dump()})["plans"].size(), 0u);
    EXPECT_FALSE(exists("better.fovea"));
    EXPECT_EQ(plans({"--max-macs", "0.01x"})["plans"].size(), 0u);
}

TEST_F(Refine, SaysWhatIsWrongWhereTheNetworkDoesNotFitTheSide)
{
    save("head.fovea", "input 3x16x16 > conv:a k=3 p=1 c=4 > maxpool:p k=2 > conv:b k=3 p=1 c=4 > flatten > linear:head c=2 in_features=256");
    const Ran mended = run({"refine", "head.fovea", "--size", "8", "--auto", "-o", "mended.fovea"});
    EXPECT_EQ(mended.code, 0) << mended.out;
    EXPECT_EQ(run({"analyze", "mended.fovea", "--size", "8", "--json"}).out.find("head-size-mismatch"), std::string::npos);
    const Ran stuck = run({"refine", "head.fovea", "--size", "8", "--keep", "p", "--keep", "input", "--auto", "-o", "x.fovea"});
    EXPECT_EQ(stuck.code, 1);
    EXPECT_EQ(stuck.out, "This is no network at side 8, but no proposal within the limits helps. Loosen --keep: 'p' is in the way.\n"
                         "head: It expects 256 features but gets 64 at this input size: the layers before it fix the side of the input.\n");
    EXPECT_FALSE(exists("x.fovea"));
}

TEST_F(Refine, SaysSoWhereOnlyTheFieldIsTooSmall)
{
    save("short.fovea", "input 3x32x32 > conv:a k=3 p=1 c=4 > conv:b k=3 p=1 c=4 > gap");
    const Ran ran = run({"refine", "short.fovea", "--max-macs", "0.01x"});
    EXPECT_EQ(ran.code, 1);
    EXPECT_TRUE(ran.out.starts_with("The largest field, 5 px, is smaller than side 32, but no proposal within the limits helps."))
        << ran.out;
}

TEST_F(Refine, HoldsEveryPlanToTheLimit)
{
    const Json json = plans({"--max-macs", "3x"});
    for (const Json& plan : json["plans"])
        EXPECT_LE(plan["after"]["macs"].get<double>(), 3 * plan["before"]["macs"].get<double>());
}

TEST_F(Refine, AddsNoParameterUnlessAllowedAndHoldsBothMemories)
{
    const Json json = plans({"--max-inference-memory", "1.0x", "--max-memory", "2x", "--batch", "4", "--min-params", "0.1x"});
    EXPECT_GT(json["plans"].size(), 0u);
    for (const Json& plan : json["plans"]) {
        const Json& memory = plan["memory"];
        EXPECT_LE(memory["inference"]["after"].get<double>(), memory["inference"]["before"].get<double>());
        EXPECT_LE(memory["training"]["after"].get<double>(), 2 * memory["training"]["before"].get<double>());
        EXPECT_LE(plan["after"]["parameters"].get<double>(), plan["before"]["parameters"].get<double>());
    }
    const Json one = plans({"--max-inference-memory", "1.0x", "--min-params", "0.1x"});
    EXPECT_EQ(json["plans"][0]["memory"]["inference"]["before"].get<int>(),
              4 * one["plans"][0]["memory"]["inference"]["before"].get<int>());
}

TEST_F(Refine, KeepsEveryParameterWhereTheFewestAreAllOfThem)
{
    const Json all = plans({"--min-params", "0.1x"}), exact = plans({"--min-params", "1.0x"});
    EXPECT_GT(exact["plans"].size(), 0u);
    const auto fewer = [](const Json& list) {
        return std::any_of(list.begin(), list.end(),
                           [](const Json& plan) { return plan["after"]["parameters"] < plan["before"]["parameters"]; });
    };
    EXPECT_TRUE(fewer(all["plans"]));
    EXPECT_FALSE(fewer(exact["plans"]));
}

TEST_F(Refine, AFixedOutputStrideLeavesTheCoarsestMapAlone)
{
    const Json kept = plans({"--output-stride", "keep"});
    ASSERT_GT(kept["plans"].size(), 0u);
    for (const Json& plan : kept["plans"]) {
        ASSERT_EQ(
            run({"refine", "net.fovea", "--output-stride", "keep", "--apply", plan["id"], "-o", "kept.fovea"}).code, 0);
        const auto coarsest = [](const std::string& file) {
            double most = 1;
            const Json report = Json::parse(run({"analyze", file, "--json"}).out);
            for (const Json& layer : report["layers"])
                if (layer["jump"].is_array())
                    for (const Json& jump : layer["jump"]) most = std::max(most, jump.get<double>());
            return most;
        };
        EXPECT_EQ(coarsest("kept.fovea"), coarsest("net.fovea")) << plan["title"];
    }
    const Ran none = run({"refine", "net.fovea", "--output-stride", "512"});
    EXPECT_EQ(none.code, 1);
    EXPECT_NE(none.out.find("Loosen --output-stride from 512 to "), std::string::npos) << none.out;
}

TEST_F(Refine, SingleMovesAreListedAndCombined)
{
    const Json moves = plans({"--moves"})["plans"];
    ASSERT_GT(moves.size(), 2u);
    const auto idOf = [&](const std::string& title) -> std::string {
        for (const Json& move : moves)
            if (move["title"] == title) return move["id"];
        return "none of this title";
    };
    const std::string stem = idOf("Stride of 'stem' from 2 to 1"), pool = idOf("Pooling 'pool' removed");
    const Ran ran = run({"refine", "net.fovea", "--apply", stem, "--apply", pool, "-o", "both.fovea"});
    EXPECT_EQ(ran.code, 0) << ran.err;
    const std::string diff = run({"diff", "net.fovea", "both.fovea"}).out;
    EXPECT_NE(diff.find("stem"), std::string::npos);
    EXPECT_NE(diff.find("pool"), std::string::npos);
    const Ran twice = run({"refine", "net.fovea", "--apply", stem, "--apply", stem});
    EXPECT_EQ(twice.code, 2);
    EXPECT_EQ(twice.err, "fovea: After the moves before it, '" + stem +
                             "' can no longer be made; choose other moves or another order.\n");
}

TEST_F(Refine, SingleMovesAreHeldToTheLimitsThatAreGiven)
{
    const auto idOf = [](const Json& moves, const std::string& title) -> std::string {
        for (const Json& move : moves)
            if (move["title"] == title) return move["id"];
        return "";
    };
    const std::string stem = idOf(plans({"--moves"})["plans"], "Stride of 'stem' from 2 to 1");
    ASSERT_NE(stem, "");
    EXPECT_EQ(idOf(plans({"--moves", "--max-macs", "2x"})["plans"], "Stride of 'stem' from 2 to 1"), "");
    EXPECT_GT(plans({"--moves", "--max-macs", "2x"})["plans"].size(), 0u);
    EXPECT_GT(plans({"--moves", "--output-stride", "keep"})["plans"].size(), 0u);
    const Ran ran = run({"refine", "net.fovea", "--apply", stem, "--max-macs", "2x", "-o", "costly.fovea"});
    EXPECT_EQ(ran.code, 1);
    const Json json = plans({"--apply", stem, "--max-macs", "2x", "-o", "costly.fovea"});
    EXPECT_TRUE(json["applied"].is_null());
    ASSERT_EQ(json["loosen"].size(), 1u);
    const std::string least = json["loosen"][0]["to"].dump();
    EXPECT_TRUE(ran.out.starts_with(stem + ": Stride of 'stem' from 2 to 1\nThis exceeds the limits. Loosen --max-macs from "))
        << ran.out;
    EXPECT_NE(ran.out.find(" to at least " + least + " ("), std::string::npos) << ran.out;
    EXPECT_FALSE(exists("costly.fovea"));
    EXPECT_EQ(run({"refine", "net.fovea", "--apply", stem, "--max-macs", least}).code, 0);
    // Whether a proposal is within what accuracy asks for is for the list; who names a change wants it.
    save("tail.fovea", "input 3x8x8 > conv:a k=5 p=2 c=4 > conv:b k=5 p=2 c=4 > conv:c k=5 p=2 c=4 > conv:d k=5 p=2 c=4 > gap");
    const Json cuts = Json::parse(run({"refine", "tail.fovea", "--moves", "--json"}).out)["plans"];
    const std::string cut = idOf(cuts, "2 layers cut, from 'c' to 'd'");
    ASSERT_NE(cut, "") << cuts;
    EXPECT_EQ(run({"refine", "tail.fovea", "--apply", cut}).code, 0);
}

TEST_F(Refine, AProposalThatALimitKeepsOutIsRefusedWithThatLimit)
{
    const Json all = plans();
    for (const Json& plan : all["plans"]) {
        if (plan["after"]["macs"] <= plan["before"]["macs"]) continue;
        const Ran ran = run({"refine", "net.fovea", "--apply", plan["id"], "--max-macs", "1x"});
        EXPECT_EQ(ran.code, 1);
        EXPECT_NE(ran.out.find("Loosen --max-macs from "), std::string::npos) << ran.out;
    }
}

TEST_F(Refine, LatencyIsNotForSingleMoves)
{
    const std::string sentence = "Option '--max-latency' is for proposals: single changes are not measured, so leave it out with "
                                 "'--moves' or several '--apply'.";
    expectRefused({"refine", "net.fovea", "--moves", "--max-latency", "2x"}, sentence);
    expectRefused({"refine", "net.fovea", "--apply", "a", "--apply", "b", "--max-latency", "2x"}, sentence);
}

TEST_F(Refine, LeavesALayerAloneThatIsToBeKept)
{
    const Json json = plans({"--keep", "stem", "--keep", "pool"});
    for (const Json& plan : json["plans"])
        for (const Json& edit : plan["edits"]) {
            EXPECT_NE(edit["layer"], "stem");
            EXPECT_NE(edit["layer"], "pool");
        }
}

// As PyTorch's exporter names layers, and as Fovea prints them.
TEST_F(Refine, KeepsALayerByTheNameThatIsPrinted)
{
    save("named.fovea", "input 3x16x16 > conv:/stem/Conv k=7 s=2 p=3 c=8 > maxpool:/pool/MaxPool k=2 > "
                        "conv:/layer1/layer1.0/conv1/Conv k=5 p=2 c=8 > conv:/layer1/layer1.0/conv2/Conv k=5 p=2 c=8 > gap");
    const auto edited = [](const std::string& kept) {
        std::string out;
        std::vector<std::string> words{"refine", "named.fovea", "--moves", "--json"};
        if (!kept.empty()) words.insert(words.end(), {"--keep", kept});
        const Json json = Json::parse(run(words).out);
        for (const Json& plan : json["plans"])
            for (const Json& edit : plan["edits"]) out += edit["layer"].get<std::string>() + "\n";
        return out;
    };
    for (const char* name : {"/stem/Conv", "/pool/MaxPool", "/layer1/layer1.0/conv1/Conv"})
        EXPECT_NE(edited("").find(name), std::string::npos) << name;
    EXPECT_EQ(edited("stem").find("/stem/Conv"), std::string::npos);
    EXPECT_EQ(edited("pool").find("/pool/MaxPool"), std::string::npos);
    EXPECT_EQ(edited("layer1.0.conv1").find("/layer1/layer1.0/conv1/Conv"), std::string::npos);
    EXPECT_NE(edited("layer1.0.conv1").find("/layer1/layer1.0/conv2/Conv"), std::string::npos);
    expectRefused({"refine", "named.fovea", "--keep", "layer1.0.conv3"},
                  "Option '--keep' names 'layer1.0.conv3', but no layer is called that. Did you mean 'layer1.0.conv1'?");
}

TEST_F(Refine, NeverOverwritesItsInput)
{
    const std::string before = readText("net.fovea");
    expectRefused({"refine", "net.fovea", "--auto", "-o", "net.fovea"},
                  "'net.fovea' is the model that is read; choose another name for the output.");
    std::filesystem::create_symlink("net.fovea", "link.fovea");
    expectRefused({"refine", "net.fovea", "--auto", "-o", "./link.fovea"},
                  "'./link.fovea' is the model that is read; choose another name for the output.");
    EXPECT_EQ(readText("net.fovea"), before);
}

TEST_F(Refine, RefusesWhatItCannotDoInOneSentence)
{
    expectRefused({"refine", "net.fovea", "-o", "x.fovea"},
                  "Option '-o' needs '--apply ID', '--auto' or '--all': listing writes no network. See 'fovea refine --help'.");
    expectRefused(
        {"refine", "net.fovea", "--list", "--auto"},
        "Options '--list', '--moves', '--apply' and '--auto' exclude one another. See 'fovea refine --help'.");
    expectRefused({"refine", "net.fovea", "--keep", "stme"},
                  "Option '--keep' names 'stme', but no layer is called that. Did you mean 'stem'?");
    expectRefused({"refine", "net.fovea", "--want", "speed"},
                  "Option '--want' takes productive, balance or efficiency, but got 'speed'.");
    expectRefused({"refine", "net.fovea", "--max-macs", "much"},
                  "Option '--max-macs' takes a count such as 4G or 600M, or a multiple such as 1.5x, but got 'much'.");
    expectRefused({"refine", "net.fovea", "--auto", "-o", "x.txt"}, "Cannot write 'x.txt': its name must end in .onnx, .fovea, .py.");
    const Ran unknown = run({"refine", "net.fovea", "--apply", "feedbeef"});
    EXPECT_EQ(unknown.code, 2);
    EXPECT_EQ(unknown.out, "");
    EXPECT_TRUE(unknown.err.starts_with("fovea: There is no proposal 'feedbeef' here; the proposals are "))
        << unknown.err;
}

}  // namespace
}  // namespace fovea::test
