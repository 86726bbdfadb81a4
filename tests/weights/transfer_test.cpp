#include "core/base/error.h"
#include "core/weights/weights.h"
#include "tests/support/text_graph.h"

#include <gtest/gtest.h>

namespace fovea {
namespace {

using test::graphOf;

using Total = TransferPlan::Total;

std::vector<float> floats(const Tensor& tensor)
{
    std::vector<float> out;
    for (std::int64_t i = 0; i < tensor.elements(); ++i) out.push_back(static_cast<float>(tensor.real(i)));
    return out;
}

const TransferRow* row(const TransferPlan& plan, const std::string& tensor)
{
    for (const TransferRow& candidate : plan.rows)
        if (candidate.tensor == tensor) return &candidate;
    return nullptr;
}

Graph edited(const Graph& graph, const char* layer, const char* attr, AttrValue value)
{
    Graph copy = graph;
    copy.update(test::layer(copy, layer).id, [&](Node& node) { node.attrs.set(attr, std::move(value)); });
    return copy;
}

const char* const kNet = "input 3x32x32 > conv:stem k=7 s=2 p=3 c=8 > bn:norm > relu > conv:body k=3 p=1 c=8 > gap > "
                         "flatten > linear:head c=10";

TEST(Transfer, CopiesEverythingWhereOnlyAStrideChanges)
{
    const Graph before = graphOf(kNet);
    const TransferPlan plan = planTransfer(before, edited(before, "stem", "stride", Ints{1, 1}));
    // stem 3*8*49 + 8, norm 8 + 8 (its two running statistics are tensors but no parameters), body 8*8*9 + 8, head 80
    // + 10.
    EXPECT_EQ(plan.total(Transfer::Copied), (Total{10, 1176 + 8 + 16 + 576 + 8 + 90}));
    EXPECT_EQ(plan.total(Transfer::Sliced), Total{});
    EXPECT_EQ(plan.total(Transfer::Fresh), Total{});
}

TEST(Transfer, SlicesAKernelThatShrinksAndPadsOneThatGrows)
{
    const Graph before = graphOf(kNet);
    const TransferPlan smaller = planTransfer(before, edited(before, "stem", "kernel_size", Ints{3, 3}));
    EXPECT_EQ(smaller.total(Transfer::Sliced), (Total{1, 216}));
    EXPECT_EQ(row(smaller, "stem.weight")->from, (Ints{8, 3, 7, 7}));
    EXPECT_EQ(row(smaller, "stem.weight")->to, (Ints{8, 3, 3, 3}));
    const TransferPlan larger = planTransfer(before, edited(before, "body", "kernel_size", Ints{5, 5}));
    EXPECT_EQ(larger.total(Transfer::Padded), (Total{1, 1600}));
}

TEST(Transfer, FollowsAChannelCountIntoTheLayersBehindIt)
{
    const Graph before = graphOf(kNet);
    const TransferPlan plan = planTransfer(before, edited(before, "stem", "out_channels", std::int64_t{4}));
    for (const char* tensor : {"stem.weight", "stem.bias", "norm.weight", "norm.bias", "norm.running_mean",
                               "norm.running_var", "body.weight"})
        EXPECT_EQ(row(plan, tensor)->action, Transfer::Sliced) << tensor;
    EXPECT_EQ(row(plan, "body.bias"), nullptr) << "copied as it is";
}

TEST(Transfer, NamesWhatIsNewAndWhatIsDropped)
{
    const Graph before = graphOf("input 3x8x8 > conv:a k=3 c=4 > conv:b k=3 c=4");
    const Graph after = graphOf("input 3x8x8 > conv:a k=3 c=4 > conv:c k=1 c=4 bias=0");
    const TransferPlan plan = planTransfer(before, after);
    EXPECT_EQ(plan.total(Transfer::Copied), (Total{2, 112}));
    EXPECT_EQ(plan.total(Transfer::Fresh), (Total{1, 16}));
    EXPECT_EQ(plan.total(Transfer::Dropped), (Total{2, 148}));
    EXPECT_EQ(row(plan, "b.weight")->from, (Ints{4, 4, 3, 3}));
    EXPECT_TRUE(row(plan, "b.weight")->to.empty());
}

// A network whose layers were edited since its tensors were made: the plan is what materialise() will do.
TEST(Transfer, StartsFromTheTensorsThatAreThere)
{
    const Graph original = graphOf(kNet);
    const Weights stored = materialise(original, {}, 0);
    const Graph smaller = edited(original, "stem", "kernel_size", Ints{5, 5});
    const TransferPlan back = TransferFrom(smaller, &stored).to(original);
    EXPECT_EQ(back.total(Transfer::Copied).tensors, 10);
    EXPECT_TRUE(back.rows.empty());
    EXPECT_EQ(materialise(original, stored, 0).find("stem.weight")->bytes.data(),
              stored.find("stem.weight")->bytes.data());
    const TransferPlan further = TransferFrom(smaller, &stored).to(edited(original, "stem", "kernel_size", Ints{3, 3}));
    EXPECT_EQ(row(further, "stem.weight")->from, (Ints{8, 3, 7, 7}));
}

TEST(Transfer, FindsTheTensorsOfALayerThatIsBackAndSaysWhatHasNone)
{
    const Graph all = graphOf("input 3x8x8 > conv:a k=3 c=4 > conv:b k=3 c=4");
    const Graph cut = graphOf("input 3x8x8 > conv:a k=3 c=4");
    const Weights stored = materialise(all, {}, 0);
    const TransferPlan back = TransferFrom(cut, &stored).to(all);
    EXPECT_EQ(back.total(Transfer::Copied), (Total{4, 112 + 148}));
    EXPECT_EQ(back.total(Transfer::Dropped), Total{});
    const TransferPlan none = TransferFrom(all, &stored).to(graphOf("input 3x8x8 > conv:a k=3 c=4 > conv:c k=3 c=4"));
    EXPECT_EQ(none.total(Transfer::Fresh), (Total{2, 148}));
    const Weights half = without(stored, {"b.weight", "b.bias"});
    EXPECT_EQ(TransferFrom(all, &half).to(all).total(Transfer::Fresh), (Total{2, 148}));
    const Weights nothing;
    EXPECT_EQ(TransferFrom(all, &nothing).to(all).total(Transfer::Copied), (Total{4, 112 + 148}));
}

TEST(Transfer, SaysWhatANetworkStartsFrom)
{
    const Graph graph = graphOf(kNet);
    EXPECT_EQ(planStart(graph, {}).total(Transfer::Fresh).tensors, 10);
    EXPECT_EQ(planStart(graph, {}).total(Transfer::Copied), Total{});
    const Weights stored = materialise(graph, {}, 0);
    EXPECT_EQ(planStart(graph, stored).total(Transfer::Copied).tensors, 10);
    const TransferPlan other =
        planStart(edited(graph, "stem", "kernel_size", Ints{3, 3}), without(stored, {"head.weight"}));
    EXPECT_EQ(other.total(Transfer::Copied).tensors, 8);
    EXPECT_EQ(other.total(Transfer::Sliced).tensors, 1);
    EXPECT_EQ(other.total(Transfer::Fresh), (Total{1, 80}));
}

TEST(Transfer, ListsASharedTensorOnce)
{
    Graph graph = graphOf("input 4x8x8 > conv:a k=1 c=4 bias=0 > conv:b k=1 c=4 bias=0");
    graph.update(test::layer(graph, "b").id, [](Node& node) { node.tensors.push_back({"weight", "a.weight"}); });
    EXPECT_EQ(planTransfer(graph, graph).total(Transfer::Copied), (Total{1, 16}));
}

TEST(Fit, TakesTheCentreOfAKernelAndPutsItBackIntoTheCentre)
{
    std::vector<float> values(25);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
    const Tensor five = Tensor::fromFloats({1, 1, 5, 5}, values);
    const Tensor three = fit(five, {1, 1, 3, 3});
    EXPECT_EQ(floats(three), (std::vector<float>{6, 7, 8, 11, 12, 13, 16, 17, 18}));
    const Tensor wide = fit(three, {1, 1, 3, 5});
    EXPECT_EQ(floats(wide), (std::vector<float>{0, 6, 7, 8, 0, 0, 11, 12, 13, 0, 0, 16, 17, 18, 0}));
}

TEST(Fit, KeepsTheFirstChannelsAndPadsNewOnesWithZeros)
{
    const Tensor square = Tensor::fromFloats({2, 2}, {1, 2, 3, 4});
    EXPECT_EQ(floats(fit(square, {1, 2})), (std::vector<float>{1, 2}));
    EXPECT_EQ(floats(fit(square, {3, 3})), (std::vector<float>{1, 2, 0, 3, 4, 0, 0, 0, 0}));
    EXPECT_EQ(floats(fit(square, {3, 1})), (std::vector<float>{1, 3, 0}));
}

TEST(Fit, SharesTheBytesWhereNothingChanges)
{
    const Tensor tensor = Tensor::fromFloats({2}, {1, 2});
    EXPECT_EQ(fit(tensor, {2}).bytes.data(), tensor.bytes.data());
}

TEST(Fit, KeepsTheElementType)
{
    const Tensor longer = fit(Tensor::fromIntegers({2}, {7, 9}), {3});
    EXPECT_EQ(longer.dtype, DType::Int64);
    EXPECT_EQ(longer.integers(), (std::vector<std::int64_t>{7, 9, 0}));
}

TEST(Fit, RefusesAnotherRankAndAnAbsurdSize)
{
    const Tensor tensor = Tensor::fromFloats({2}, {1, 2});
    EXPECT_THROW(fit(tensor, {2, 1}), Error);
    EXPECT_THROW(fit(tensor, {std::int64_t{1} << 62}), Error);
}

}  // namespace
}  // namespace fovea
