#include "tests/refine/edit_text.h"
#include "tests/support/text_graph.h"

#include <gtest/gtest.h>

namespace fovea::test {
namespace {

using refine::movePoolings;
using Texts = std::vector<std::string>;

TEST(MovePooling, noPoolingIsMovedPastWhatMakesTheMapFinerAgain)
{
    const Graph graph =
        graphOf("input 3x32x32 > conv:a k=3 p=1 c=4 > maxpool:p k=2 > conv:b k=3 p=1 c=4 > convtranspose2d:u k=2 s=2 "
                "c=4 > conv:c k=3 p=1 c=4");
    for (const Plan& move : listMoves(graph))
        for (const Edit& edit : move.edits)
            if (edit.op == Edit::Op::Move) {
                EXPECT_NE(edit.after, "u") << move.title;
                EXPECT_NE(edit.after, "c") << move.title;
            }
}

TEST(MovePooling, onAChainItMovesBehindTheActivationsOfLaterConvolutions)
{
    const Graph graph =
        graphOf("input 3x32x32 > conv:a k=3 p=1 c=8 > relu:ra > maxpool:pool k=2 > conv:b k=3 p=1 c=8 > bn > relu:rb >"
                "conv:c k=3 p=1 c=8 > relu:rc > gap > flatten > linear c=10");
    const auto found = listed(movePoolings, graph);
    ASSERT_EQ(editTexts(found), (Texts{"move pool ra rb", "move pool ra rc"}));
    EXPECT_EQ(found[0].edits[0].after, "rb");
    const Graph& moved = found[0].graph;
    EXPECT_EQ(layer(moved, "b").inputs[0].node, layer(moved, "ra").id);
    EXPECT_EQ(layer(moved, "pool").inputs[0].node, layer(moved, "rb").id);
    EXPECT_EQ(layer(moved, "c").inputs[0].node, layer(moved, "pool").id);
    EXPECT_EQ(layer(moved, "pool").id, layer(graph, "pool").id);
    EXPECT_EQ(analyze(moved).find(layer(moved, "c").id)->in[0].shape.text(), "1x8x16x16");
}

TEST(MovePooling, overABlockItMovesBehindTheMergeOnly)
{
    const auto found =
        listed(movePoolings,
               graphOf("input 3x32x32 > conv:a k=3 p=1 c=8 > maxpool:pool k=3 s=2 p=1;"
                       "@pool > conv:b k=3 p=1 c=8 > relu:rb > conv:c k=3 p=1 c=8; @c > add:sum @pool > relu:out >"
                       "conv:d k=3 p=1 c=8 > gap"));
    EXPECT_EQ(editTexts(found), (Texts{"move pool a out", "move pool a d"}));
}

TEST(MovePooling, itDoesNotStandNextToAnotherStridedPoolingButMovesPastIt)
{
    const auto found =
        listed(movePoolings,
               graphOf("input 3x32x32 > conv:a k=3 p=1 c=8 > maxpool:p k=2 > conv:b k=3 p=1 c=8 > maxpool:q k=2 >"
                       "conv:c k=3 p=1 c=8 > gap"));
    EXPECT_EQ(editTexts(found), (Texts{"move p a c", "move q b c"}));
}

TEST(MovePooling, insideOneBranchItCannotLeaveTheBranch)
{
    const auto found =
        listed(movePoolings,
               graphOf("input 3x32x32 > conv:a k=3 p=1 c=8; @a > maxpool:pool k=2 > conv:b k=3 p=1 c=8 > relu:rb;"
                       "@a > conv:c k=2 s=2 c=8; @rb > add @c > conv:d k=3 p=1 c=8 > gap"));
    EXPECT_EQ(editTexts(found), (Texts{"move pool a rb"}));
}

TEST(MovePooling, pastAnOutputOfTheNetworkItDoesNotGo)
{
    const auto found =
        listed(movePoolings, graphOf("input 3x32x32 > conv:a k=3 p=1 c=8 > maxpool:pool k=2 > conv:b k=3 p=1 c=8;"
                                     "@b > conv:aux k=1 c=2; @b > conv:c k=3 p=1 c=8 > gap"));
    EXPECT_EQ(editTexts(found), (Texts{"move pool a b"}));
}

TEST(MovePooling, aGateInsideABlockDoesNotStandInTheWay)
{
    const auto found =
        listed(movePoolings, graphOf("input 3x32x32 > conv:a k=3 p=1 c=8 > maxpool:pool k=2 > conv:b k=3 p=1 c=8;"
                                     "@b > gap > conv:squeeze k=1 c=8 > sigmoid:gate; @b > mul:scaled @gate >"
                                     "conv:c k=3 p=1 c=8 > gap"));
    EXPECT_EQ(editTexts(found), (Texts{"move pool a b", "move pool a scaled", "move pool a c"}));
}

TEST(MovePooling, whereTheFieldIsSmallerThanTheSideItMayMoveEarlier)
{
    const Graph graph =
        graphOf("input 3x32x32 > conv:a k=3 p=1 c=8 > relu:ra; @ra > conv:b k=3 p=1 c=8 > relu:rb > conv:c k=3 p=1 c=8;"
                "@c > add:sum @ra > conv:d k=3 p=1 c=8 > relu:rd > maxpool:pool k=2 > conv:e k=3 p=1 c=8 > gap");
    const auto found = listed(refine::movePoolingsEarlier, graph);
    EXPECT_EQ(editTexts(found), (Texts{"move pool rd sum", "move pool rd ra"}));
    EXPECT_EQ(analyze(graph).summary.iMax->h, 14);
    EXPECT_EQ(analyze(found[1].graph).summary.iMax->h, 20);
    EXPECT_EQ(editTexts(listed(refine::movePoolingsEarlier, withSide(graph, 14, 14))), Texts{});
}

TEST(MovePooling, aPoolingThatKeepsTheSideOrIsKeptStays)
{
    EXPECT_EQ(
        editTexts(listed(movePoolings,
                         graphOf("input 3x32x32 > conv k=3 p=1 c=8 > maxpool k=3 s=1 p=1 > conv k=3 p=1 c=8 > gap"))),
        Texts{});
    EXPECT_EQ(editTexts(listed(movePoolings,
                               graphOf("input 3x32x32 > conv k=3 p=1 c=8 > maxpool:pool k=2 > conv k=3 p=1 c=8 > gap"),
                               {"pool"})),
              Texts{});
}

TEST(MovePooling, itDoesNotStandBetweenAPaddingAndTheLayerBehindIt)
{
    const std::string text =
        "input 3x32x32 > conv:a k=3 p=1 c=8 > zeropad2d:pad padding=2x2x2x2 > conv:b k=5 c=8 >"
        "maxpool:pool k=2 > conv:c k=3 p=1 c=8 > zeropad2d:pad2 padding=2x2x2x2 > conv:d k=5 c=8 > gap";
    EXPECT_EQ(editTexts(listed(movePoolings, graphOf(text))), (Texts{"move pool b c", "move pool b d"}));
    EXPECT_EQ(editTexts(listed(refine::movePoolingsEarlier, graphOf(text))), (Texts{"move pool b a"}));
    Texts places;
    for (const auto& added : listed(refine::addPoolings, graphOf(text))) places.push_back(added.edits.front().after);
    EXPECT_EQ(places, (Texts{"a", "c"}));
}

}  // namespace
}  // namespace fovea::test
