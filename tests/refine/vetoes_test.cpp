// What no plan and no single move may do.
#include "core/refine/unknown.h"
#include "tests/refine/edit_text.h"
#include "tests/support/text_graph.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace fovea::test {
namespace {

using Names = std::vector<std::string>;

std::vector<Plan> all(const Graph& graph)
{
    PlanRequest request;
    request.minParameters = 0;
    request.maxParameters = 10'000'000;
    std::vector<Plan> out = propose(graph, request);
    for (Plan& move : listMoves(graph, request)) out.push_back(std::move(move));
    return out;
}

bool anyEdit(const std::vector<Plan>& plans, auto&& is)
{
    return std::any_of(plans.begin(), plans.end(),
                       [&](const Plan& plan) { return std::any_of(plan.edits.begin(), plan.edits.end(), is); });
}

// At 32 px layers before the one that cannot be read are too much already.
const char* const kUnknown =
    "input 3x32x32 > conv:a k=7 s=2 p=3 c=8 > maxpool:p k=2 > conv:b k=7 p=3 c=8 > conv:c k=7 p=3 c=8 >"
    "opaque:odd onnx_op=GridSample declared_in=1x8x8x8 declared_out=1x8x8x8 > conv:d k=5 p=2 c=8 > maxpool:q k=2 >"
    "conv:e k=5 p=2 c=8 > gap > flatten > linear:fc c=4";

TEST(Vetoes, nothingBehindALayerOfUnknownReachIsChangedNorWhatItReads)
{
    const Graph graph = graphOf(kUnknown);
    const Report before = analyze(graph);
    ASSERT_TRUE(dependsOnUnknown(before.summary));
    EXPECT_EQ(firstUnknown(before)->name(), "odd");
    const Names allowed{"a", "b", "c", "p", ""};
    const std::vector<Plan> plans = all(graph);
    EXPECT_FALSE(plans.empty());
    for (const Plan& plan : plans) {
        for (const Edit& edit : plan.edits)
            EXPECT_TRUE(std::ranges::find(allowed, edit.op == Edit::Op::Add ? edit.after : edit.layer) != allowed.end() &&
                        std::ranges::find(allowed, edit.after) != allowed.end())
                << plan.title;
        EXPECT_EQ(analyze(plan.graph).find(layer(graph, "odd").id)->in[0].shape.text(), "1x8x8x8") << plan.title;
        EXPECT_EQ(plan.reason.find("times the MACs"), std::string::npos) << plan.reason;
    }
    EXPECT_TRUE(anyEdit(plans, [](const Edit& edit) { return edit.layer == "c"; }));
    // With its reach stated it is a layer like any other.
    const std::vector<Plan> stated = all(withReach(graph, "odd", "same"));
    EXPECT_TRUE(anyEdit(stated, [](const Edit& edit) { return edit.layer == "e"; }));
    EXPECT_TRUE(anyEdit(stated, [](const Edit& edit) { return edit.layer == "p"; }));
}

TEST(Vetoes, theKnownRestIsNoNetworkWhoseFieldCouldBeTooSmall)
{
    const Graph graph = graphOf("input 3x64x64 > conv:a k=3 p=1 c=8 > opaque:odd declared_in=1x8x64x64 "
                                "declared_out=1x8x64x64 > conv:b k=3 p=1 c=8 > gap > flatten > linear c=4");
    EXPECT_FALSE(needsRefinement(analyze(graph)));
    EXPECT_TRUE(propose(graph).empty());
    for (const Plan& move : listMoves(graph)) EXPECT_FALSE(isSideChange(move.edits)) << move.title;
    EXPECT_TRUE(needsRefinement(analyze(withReach(graph, "odd", "same"))));
}

// Whatever reads none of the extractor's maps cannot widen a field.
TEST(Vetoes, whatGatesThroughAnUnknownLayerStaysOpenToPlans)
{
    const Graph graph = graphOf("input 3x32x32 > conv:a k=3 p=1 c=8; @a > gap > opaque:odd declared_in=1x8x1x1 "
                                "declared_out=1x8x1x1; @a > mul:gated @odd > conv:b k=7 p=3 s=2 c=8 > gap > flatten");
    const Report report = analyze(graph);
    const refine::UnknownLayers unknown(report);
    const auto touches = [&](const char* name) {
        return unknown.isTouchedBy({{refine::Change::set(layer(graph, name), "groups", std::int64_t{2})}});
    };
    EXPECT_FALSE(touches("a"));
    EXPECT_FALSE(touches("b"));
    EXPECT_TRUE(touches("odd"));
}

TEST(Vetoes, plansForAQuantisedNetworkLeaveItsWeightsAsTheyAre)
{
    const std::string text = "input 3x16x16 > opaque:q TYPE reach=same declared_in=1x3x16x16 declared_out=1x3x16x16 >"
                             "conv:a k=7 s=2 p=3 c=8 > relu > maxpool:p k=2 > conv:b k=5 p=2 c=8 > relu > conv:c k=5 "
                             "p=2 c=8 > relu > gap > flatten > linear:fc c=4";
    const auto of = [&](const std::string& type) {
        std::string out = text;
        return all(graphOf(out.replace(out.find("TYPE"), 4, "onnx_op=" + type)));
    };
    const auto changesWeights = [](const std::vector<Plan>& plans) {
        return anyEdit(plans, [](const Edit& edit) {
            return edit.op == Edit::Op::Add || edit.attribute == "kernel_size" || edit.attribute == "out_channels";
        });
    };
    EXPECT_TRUE(changesWeights(of("Mystery")));
    const std::vector<Plan> plans = of("QuantizeLinear");
    EXPECT_FALSE(changesWeights(plans));
    EXPECT_TRUE(anyEdit(plans, [](const Edit& edit) { return edit.attribute == "stride"; }));
    for (const Plan& plan : plans) EXPECT_EQ(plan.weights.kept(), 1) << plan.title;
}

TEST(Vetoes, whatASqueezeReadsKeepsItsOneRow)
{
    const Graph graph = graphOf("input 1x16x64 > conv:a k=3 p=1 c=8 > maxpool:p k=2 > conv:b k=3 p=1 c=8 > "
                                "maxpool:q k=2 > conv:c k=4x3 p=0x1 c=8 > squeeze:row dim=2");
    ASSERT_EQ(analyze(graph).outputs[0].second.text(), "1x8x16");
    const std::vector<Plan> plans = all(graph);
    EXPECT_FALSE(plans.empty());
    for (const Plan& plan : plans) {
        const Report after = analyze(plan.graph);
        EXPECT_EQ(firstError(after), nullptr) << plan.title;
        if (after.side != PerAxis<std::int64_t>{16, 64}) continue;
        EXPECT_EQ(after.find(layer(plan.graph, "row").id)->in[0].shape[2], 1) << plan.title;
    }
}

TEST(Vetoes, aShapeThatWasKnownStaysKnown)
{
    // What it makes is stated for the shape in the file, so at another one nobody knows it.
    const Graph graph = graphOf("input 3x16x16 > conv:a k=3 s=2 p=1 c=8 > conv:b k=5 p=2 c=8 > conv:c k=5 p=2 c=8 > "
                                "opaque:odd reach=global declared_in=1x8x8x8 declared_out=1x8 > linear:fc c=4");
    for (const Plan& plan : all(graph)) {
        if (isSideChange(plan.edits)) continue;
        EXPECT_TRUE(analyze(plan.graph).outputs[0].second.isComplete()) << plan.title;
    }
}

TEST(Outputs, aPlanThatMakesAPlainMapLargerSaysSo)
{
    const Graph graph = graphOf("input 3x32x32 > conv:a k=3 s=2 p=1 c=8 > conv:b k=3 s=2 p=1 c=8 > conv:c k=3 s=2 p=1 "
                                "c=8 > conv:d k=3 p=1 c=8 > conv:e k=3 p=1 c=8");
    int told = 0;
    for (const Plan& plan : all(graph)) {
        const Report after = analyze(plan.graph);
        const bool changed = after.side == PerAxis<std::int64_t>{32, 32} && after.outputs[0].second.text() != "1x8x4x4";
        EXPECT_EQ(plan.issues.size(), changed ? 1u : 0u) << plan.title;
        if (!changed) continue;
        ++told;
        EXPECT_EQ(plan.issues[0].code, "output-shrinks");
        EXPECT_EQ(plan.issues[0].severity, Severity::Info);
        EXPECT_NE(plan.reason.find(plan.issues[0].message), std::string::npos);
        if (editText(plan.edits) != "set c.stride 2x2 1x1") continue;
        EXPECT_EQ(plan.issues[0].message, "Output 'e' becomes 8x8 instead of 4x4 at the same input size.");
    }
    EXPECT_GT(told, 0);
}

TEST(Outputs, ofDensePredictionAndOfSeveralMapsKeepTheirSides)
{
    for (const char* text :
         {"input 3x32x32 > conv:a k=3 p=1 c=8 > maxpool:p k=2 > conv:b k=5 p=2 c=8 > conv:c k=5 p=2 c=8 > "
          "convtranspose2d:up k=2 s=2 c=8 > conv:out k=3 p=1 c=2",
          "input 3x32x32 > conv:a k=5 p=2 c=8 > conv:b k=5 p=2 c=8 > conv:out k=3 p=1 c=2",
          "input 3x32x32 > conv:a k=5 s=2 p=2 c=8 > conv:b k=5 s=2 p=2 c=8 > conv:c k=3 p=1 c=2; @b > conv:d k=1 c=3"}) {
        const Graph graph = graphOf(text);
        const Report before = analyze(graph);
        for (const Plan& plan : all(graph)) {
            EXPECT_TRUE(plan.issues.empty()) << plan.title;
            const Report after = analyze(plan.graph);
            if (after.side != before.side) continue;
            EXPECT_EQ(after.outputs, before.outputs) << plan.title;
        }
    }
}

TEST(Vetoes, aCallerCanRefuseWhatItCannotWrite)
{
    const Graph graph = graphOf("input 3x12x12 > conv:a k=3 p=1 c=4 > maxpool:p k=2 > conv:b k=3 p=1 c=4 > conv:c k=3 "
                                "p=1 c=4 > maxpool:q k=2 > conv:d k=3 p=1 c=4 > gap > flatten > linear:fc c=10");
    PlanRequest request;
    request.accepts = [](const Graph& of) { return of.findByName("p") != nullptr; };
    const auto plans = propose(graph, request), moves = listMoves(graph, request);
    EXPECT_FALSE(plans.empty());
    EXPECT_FALSE(moves.empty());
    for (const auto* list : {&plans, &moves})
        for (const Plan& plan : *list) EXPECT_NE(plan.graph.findByName("p"), nullptr) << plan.title;
    std::string id;
    for (const Plan& move : listMoves(graph))
        if (editText(move.edits) == "remove p") id = move.id;
    EXPECT_THROW(combine(graph, {id}, request), Error);
    request.accepts = [](const Graph&) { return false; };
    EXPECT_TRUE(propose(graph, request).empty());
}

TEST(Picks, nameTheCheapestTheMostBalancedAndTheMostProductiveOfThePlans)
{
    const Graph graph = graphOf("input 3x12x12 > conv:a k=3 p=1 c=4 > maxpool:p k=2 > conv:b k=3 p=1 c=4 > conv:c k=3 "
                                "p=1 c=4 > maxpool:q k=2 > conv:d k=3 p=1 c=4 > gap > flatten > linear:fc c=10");
    PlanRequest request;
    request.minParameters = 0;
    const auto plans = propose(graph, request);
    const Picks picks = picksOf(plans);
    ASSERT_NE(picks.cheapest, nullptr);
    for (const Plan& plan : plans) {
        EXPECT_TRUE(isSideChange(plan.edits) || picks.cheapest->after.macs <= plan.after.macs) << plan.title;
    }
    EXPECT_EQ(picks.productive, &plans.front());
    request.want = Want::Balance;
    EXPECT_EQ(picks.balanced->id, propose(graph, request).front().id);
    const Picks none = picksOf({});
    EXPECT_EQ(none.cheapest, nullptr);
    EXPECT_EQ(none.balanced, nullptr);
    EXPECT_EQ(none.productive, nullptr);
}

}  // namespace
}  // namespace fovea::test
