// What plans say of themselves.
#include "core/refine/describe.h"
#include "tests/refine/edit_text.h"
#include "tests/support/text_graph.h"

#include <gtest/gtest.h>

namespace fovea::test {
namespace {

// Of the single move of this title.
std::string reasonOf(const std::string& network, const std::string& title)
{
    std::string known;
    for (const Plan& move : listMoves(graphOf(network))) {
        if (move.title == title) return move.reason;
        known += move.title + "\n";
    }
    return "no move '" + title + "' but\n" + known;
}

std::string reasonOfAll(const std::string& network, const std::vector<std::string>& titles)
{
    const Graph graph = graphOf(network);
    std::vector<std::string> ids;
    for (const std::string& title : titles)
        for (const Plan& move : listMoves(graph))
            if (move.title == title) ids.push_back(move.id);
    EXPECT_EQ(ids.size(), titles.size());
    return combine(graph, ids).reason;
}

// Fields 5, 9, 13: productive, critical, unproductive at a side of 8.
const char* const kTail = "input 3x8x8 > conv:a k=5 p=2 c=4 > conv:b k=5 p=2 c=4 > conv:c k=5 p=2 c=4 > gap";

TEST(Words, aCutSaysWhetherWhatGoesSeesSomethingNew)
{
    const char* nothing = "Layers that see nothing new of the image are gone";
    EXPECT_TRUE(reasonOf(kTail, "Layer 'c' removed").starts_with(nothing + std::string(": ")))
        << reasonOf(kTail, "Layer 'c' removed");
    EXPECT_TRUE(reasonOf(kTail, "2 layers cut, from 'b' to 'c'")
                    .starts_with(nothing + std::string(", 1 critical layer with them: ")))
        << reasonOf(kTail, "2 layers cut, from 'b' to 'c'");
    const char* critical = "input 3x8x8 > conv:a k=5 p=2 c=4 > conv:b k=5 p=2 c=4 > gap";
    EXPECT_TRUE(reasonOf(critical, "Layer 'b' removed").starts_with("1 critical layer is gone: "))
        << reasonOf(critical, "Layer 'b' removed");
}

TEST(Words, onlyAnotherSideIsSaidToChangeNoLayer)
{
    const std::string network = "input 3x8x8 > conv:a k=5 p=2 c=4 > conv:b k=5 s=2 p=2 c=4 > conv:c k=5 p=2 c=4 > gap";
    const std::string side = "Side from 8 to 17", stride = "Stride of 'b' from 2 to 1";
    EXPECT_TRUE(reasonOf(network, side).starts_with("No layer changes, only the image; ")) << reasonOf(network, side);
    const std::string both = reasonOfAll(network, {side, stride});
    EXPECT_TRUE(both.starts_with("Every field behind it grows more slowly, and the image has another side: ")) << both;
}

TEST(Words, kernelsThatChangeWithASkipAreMentioned)
{
    std::vector<Edit> edits{{.op = Edit::Op::Add, .layer = "s.add", .from = "a", .to = "Add", .after = "c"}};
    const Report report = analyze(graphOf(kTail));
    const std::string skip = "A path around a block keeps small fields, so layers behind it still see something new";
    EXPECT_TRUE(refine::reasonOf(edits, report, report).starts_with(skip + " ("));
    edits.push_back({.op = Edit::Op::Set, .layer = "c", .attribute = "kernel_size", .from = "5x5", .to = "3x3"});
    EXPECT_TRUE(refine::reasonOf(edits, report, report).starts_with(skip + ", and kernels change ("));
    edits.push_back({.op = Edit::Op::Set, .layer = "b", .attribute = "stride", .from = "2x2", .to = "1x1"});
    EXPECT_TRUE(refine::reasonOf(edits, report, report)
                    .starts_with(skip + ", and downsampling comes at other places and kernels change ("));
}

// The sentence about an edit of one attribute, with the reports of both networks.
std::string reasonBetween(const std::string& before, const std::string& after, const std::vector<Edit>& edits)
{
    return refine::reasonOf(edits, analyze(graphOf(before)), analyze(graphOf(after)));
}

Edit setting(const std::string& layer, const std::string& attribute, const std::string& from, const std::string& to)
{
    return {.op = Edit::Op::Set, .layer = layer, .attribute = attribute, .from = from, .to = to};
}

TEST(Words, whatIsSaidOfTheFieldsIsWhatTheyDo)
{
    const std::string network = "input 3x64x64 > conv:a k=3 p=1 c=4 > conv:b k=3 p=1 c=4 > conv:c k=3 p=1 c=4 > gap";
    const Edit dilated = setting("b", "dilation", "1x1", "2x2");
    EXPECT_TRUE(reasonBetween(network, "input 3x64x64 > conv:a k=3 p=1 c=4 > conv:b k=3 d=2 p=2 c=4 > conv:c k=3 p=1 c=4 > gap", {dilated})
                    .starts_with("Dilated kernels reach further with the same parameters, so fields grow faster: the largest field rises from 7 to 9 px"));
    // The same edit beside a smaller kernel: the fields of all layers fall, and so does the largest.
    const std::string smaller = reasonBetween("input 3x64x64 > conv:a k=9 p=4 c=4 > conv:b k=3 p=1 c=4 > conv:c k=3 p=1 c=4 > gap",
                                              "input 3x64x64 > conv:a k=3 p=1 c=4 > conv:b k=3 d=2 p=2 c=4 > conv:c k=3 p=1 c=4 > gap",
                                              {dilated, setting("a", "kernel_size", "9x9", "3x3")});
    EXPECT_TRUE(smaller.starts_with("Dilated kernels reach further with the same parameters, but together with the other changes fields grow more "
                                    "slowly: the largest field falls from 13 to 9 px"))
        << smaller;
    // Some rise and others fall, as they hang together along one axis each.
    const std::string mixed = reasonBetween("input 3x64x64 > conv:a k=9x3 padding=4x1 c=4 > conv:b k=3 p=1 c=4 > gap",
                                            "input 3x64x64 > conv:a k=3x9 padding=1x4 c=4 > conv:b k=3 p=1 c=4 > gap",
                                            {setting("a", "kernel_size", "9x3", "3x9"), setting("b", "kernel_size", "3x3", "3x3")});
    EXPECT_NE(mixed.find("; some fields grow faster, others more slowly; "), std::string::npos) << mixed;
    // Faster, and yet the largest is smaller, for the layer that had it is another one.
    const std::string against = reasonBetween("input 3x64x64 > conv:a k=3 p=1 c=4 > conv:b k=3 p=1 c=4 > maxpool:p k=9 s=9 > gap",
                                              "input 3x64x64 > conv:a k=5 p=2 c=4 > conv:b k=3 p=1 c=4 > gap",
                                              {setting("a", "kernel_size", "3x3", "5x5"), {.op = Edit::Op::Remove, .layer = "p"}});
    EXPECT_TRUE(against.starts_with("Larger kernels reach further, so fields grow faster, but the largest field falls from 13 to 7 px")) << against;
}

TEST(Words, addedPoolingsAreCalledThat)
{
    const Graph graph = graphOf(kTail);
    const auto added = [](const std::string& name, const std::string& kind, const std::string& after) {
        return Edit{.op = Edit::Op::Add, .layer = name, .to = kind, .after = after};
    };
    const Edit first = added("pool", "MaxPool2d(kernel_size=2x2, stride=2x2)", "a");
    EXPECT_EQ(refine::Titles(graph).of({first, added("pool_2", "MaxPool2d(kernel_size=2x2, stride=2x2)", "b")}),
              "2 poolings added, the first behind 'a'");
    EXPECT_EQ(refine::Titles(graph).of({first, added("d", "Conv2d(kernel_size=3x3)", "b")}),
              "2 layers added, the first behind 'a'");
}

}  // namespace
}  // namespace fovea::test
