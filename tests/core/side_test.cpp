// The side of the image: where a size goes, and what becomes of sizes that the file leaves open.
#include "core/analysis/report.h"
#include "core/graph/first_image.h"
#include "tests/support/text_graph.h"

#include <gtest/gtest.h>

namespace fovea::test {
namespace {

Graph withSymbols(Graph graph, const std::string& input, const std::vector<std::string>& symbols)
{
    graph.update(layer(graph, input).id, [&](Node& node) { setSymbols(node, symbols); });
    return graph;
}

Ints shapeOf(const Graph& graph, const std::string& input) { return *layer(graph, input).attrs.getInts("shape"); }

std::vector<std::string> symbolsIn(const Graph& graph, const std::string& input)
{
    return symbolsOf(layer(graph, input));
}

using Texts = std::vector<std::string>;

const char* kTwo = "input:a 3x32x48 > conv:ca k=3 p=1 c=4; input:b 3x32x48 > conv:cb k=3 p=1 c=4; @ca > add:s @cb;"
                   "input:other 1x32x32 > conv:co k=3 c=2";

TEST(Side, GoesIntoEveryImageOfTheSameSidesAndNowhereElse)
{
    const Graph graph = withSide(graphOf(kTwo), 64, 96);
    EXPECT_EQ(shapeOf(graph, "a"), (Ints{1, 3, 64, 96}));
    EXPECT_EQ(shapeOf(graph, "b"), (Ints{1, 3, 64, 96}));
    EXPECT_EQ(shapeOf(graph, "other"), (Ints{1, 1, 32, 32}));
}

TEST(Side, GoesIntoEveryImageOfTheSameSymbolsAndNotIntoOneThatOnlyHasTheSameNumbers)
{
    Graph graph = withSymbols(graphOf(kTwo), "a", {"n", "", "height", "width"});
    EXPECT_EQ(shapeOf(withSide(graph, 64, 64), "b"), (Ints{1, 3, 32, 48}));
    graph = withSymbols(graph, "b", {"", "", "height", "width"});
    EXPECT_EQ(shapeOf(withSide(graph, 64, 64), "b"), (Ints{1, 3, 64, 64}));
}

TEST(Side, ThatIsWrittenTakesTheSymbolsPlaceAndOneThatIsAnalysedDoesNot)
{
    const Graph graph = withSymbols(graphOf("input:x 3x32x32 > conv k=3 c=2"), "x", {"batch", "", "h", "w"});
    const Graph written = withSide(graph, 32, 32), analysed = withSide(graph, 64, 64, {}, SideUse::Analysed);
    EXPECT_EQ(symbolsIn(written, "x"), (Texts{"batch", "", "", ""}));
    EXPECT_EQ(statedSymbols(graph, written), (Texts{"h", "w"}));
    EXPECT_EQ(symbolsIn(analysed, "x"), (Texts{"batch", "", "h", "w"}));
    EXPECT_EQ(shapeOf(analysed, "x"), (Ints{1, 3, 64, 64}));
    EXPECT_EQ(statedSymbols(graph, analysed), Texts{});
}

TEST(Side, OfOneSymbolForBothIsSquare)
{
    const Graph graph = withSymbols(graphOf("input:x 3x32x32 > conv k=3 c=2"), "x", {"", "", "side", "side"});
    EXPECT_EQ(shapeOf(withSide(graph, 40, 40), "x"), (Ints{1, 3, 40, 40}));
    try {
        withSide(graph, 40, 48);
        FAIL() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Usage);
        EXPECT_EQ(error.message(), "The network's input calls both its height and its width 'side', so they are one "
                                   "number, but the size is 40x48. Choose a square size.");
    }
    const Graph unnamed = withSymbols(graph, "x", {"", "", kUnnamed, kUnnamed});
    EXPECT_EQ(shapeOf(withSide(unnamed, 40, 48), "x"), (Ints{1, 3, 40, 48}));
}

}  // namespace
}  // namespace fovea::test
