#include "core/analysis/report.h"
#include "core/analysis/unit_field.h"
#include "core/ops/registry.h"
#include "core/zoo/zoo.h"
#include "tests/engine/support_check.h"
#include "tests/engine/thinned.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>

// Every built-in network: the gradient lies exactly on the predicted field. With few channels, and on strips that
// are as long as the largest field on one axis and short on the other, so that offsets and sizes are seen whole.
namespace fovea {
namespace {

constexpr std::int64_t kShort = 64;
constexpr std::int64_t kLongest = 1600;  // beyond it the field's far side is clipped by the image, as predicted

// Layers to look at: those with a finite path, evenly over the depth, the last one among them.
std::vector<std::string> someLayers(const Report& report, std::size_t atMost)
{
    std::vector<std::string> all, out;
    for (const LayerReport& layer : report.layers)
        if (layer.finite && !layer.out.empty() && layer.out[0].shape.isComplete() &&
            (layer.window || layer.kind() == "Add" || layer.kind() == "Concat"))
            all.push_back(layer.name());
    const std::size_t count = std::min(atMost, all.size());
    for (std::size_t i = 0; i < count; ++i) out.push_back(all[(i + 1) * all.size() / count - 1]);
    return out;
}

// Through a gate (a squeeze-excitation) a unit sees the whole image, and the report keeps the field of its finite
// paths beside that. Here the gates are taken away, so that the gradient can show the finite paths.
Graph withoutGates(const Graph& graph)
{
    const Report report = analyze(graph);
    Graph out = graph;
    for (const auto& node : graph.nodes()) {
        if (opFor(node->kind).opClass != OpClass::Merge || node->inputs.size() < 2) continue;
        std::vector<Port> finite;
        for (const Port& port : node->inputs)
            if (const LayerReport* layer = report.find(port.node); !layer || layer->finite) finite.push_back(port);
        if (!finite.empty() && finite.size() < node->inputs.size())
            out.update(node->id, [&](Node& edited) { edited.inputs = finite; });
    }
    const Report bare = analyze(out);
    for (const LayerReport& layer : report.layers)
        if (layer.finite) {
            EXPECT_EQ(bare.find(layer.id)->field, layer.field) << layer.name();
        }
    return out;
}

// The report's size, offset and jump are those of every single unit, where no layer resamples.
void expectReportToHold(const Graph& graph, const Report& report, const std::vector<UnitOf>& units,
                        const std::string& what)
{
    const auto resamples = [](const auto& node) {
        return opFor(node->kind).opClass == OpClass::Resample || opFor(node->kind).opClass == OpClass::Transposed;
    };
    if (std::any_of(graph.nodes().begin(), graph.nodes().end(), resamples)) return;
    for (const UnitOf& unit : units) {
        const LayerReport& layer = *report.find(graph.findByName(unit.layer)->id);
        if (layer.unbounded || layer.approximate) continue;
        const UnitField field = unitField(graph, unit.layer, {unit.y, unit.x, 0});
        const auto expected = [](const FieldReport& axis, std::int64_t at) {
            return axis.start + at * axis.jump.num();
        };
        const PixelBox box{expected(layer.field.h, unit.y), expected(layer.field.w, unit.x),
                           expected(layer.field.h, unit.y) + layer.field.h.rfMax,
                           expected(layer.field.w, unit.x) + layer.field.w.rfMax};
        EXPECT_EQ(field.box, box) << what << ", layer '" << unit.layer << "', unit [" << unit.y << "," << unit.x << "]";
    }
}

// On an axis where it lies within the image, the unclipped box is what is measured. Returns how many such there were.
int expectBoxesInsideToBeWhole(const Graph& graph, const std::vector<UnitOf>& units, const std::string& what)
{
    int inside = 0;
    for (const UnitOf& unit : units) {
        SCOPED_TRACE(what + ", layer '" + unit.layer + "', unit [" + std::to_string(unit.y) + "," +
                     std::to_string(unit.x) + "]");
        const UnitField field = unitField(graph, unit.layer, {unit.y, unit.x, 0});
        if (!field.box || !field.clipped) continue;
        if (field.box->top >= 0 && field.box->bottom <= field.side.h) {
            ++inside;
            EXPECT_EQ(field.box->top, field.clipped->top);
            EXPECT_EQ(field.box->bottom, field.clipped->bottom);
        }
        if (field.box->left >= 0 && field.box->right <= field.side.w) {
            ++inside;
            EXPECT_EQ(field.box->left, field.clipped->left);
            EXPECT_EQ(field.box->right, field.clipped->right);
        }
    }
    return inside;
}

int checkStrip(const Graph& graph, const std::string& name, std::int64_t height, std::int64_t width, std::size_t layers)
{
    const Graph whole = test::thinned(graph, height, width), strip = withoutGates(whole);
    const Report report = analyze(strip);
    std::vector<UnitOf> units;
    for (const std::string& layer : someLayers(report, layers)) {
        const auto more = test::someUnits(strip, layer, 4);
        units.insert(units.end(), more.begin(), more.end());
    }
    EXPECT_GT(expectBoxesInsideToBeWhole(strip, units, name), 0) << name;
    expectReportToHold(strip, report, units, name);
    // With its gates, the middle of the last layer.
    if (!units.empty())
        test::expectExactSupport(whole, test::someUnits(whole, units.back().layer, 1), name + " with its gates");
    return test::expectExactSupport(strip, units, name + " at " + std::to_string(height) + "x" + std::to_string(width));
}

class ZooNetworks : public ::testing::TestWithParam<std::string> {};

TEST_P(ZooNetworks, HaveTheirGradientsExactlyOnThePredictedFields)
{
    const Graph graph = buildZoo(GetParam());
    const Report report = analyze(graph);
    ASSERT_TRUE(report.summary.iMax) << "no layer has a finite field";
    const auto longSide = [](std::int64_t field) {
        return std::clamp<std::int64_t>((field / kShort + 2) * kShort, 2 * kShort, kLongest);
    };
    int units = checkStrip(graph, GetParam(), longSide(report.summary.iMax->h), kShort, 8);
    units += checkStrip(graph, GetParam(), kShort, longSide(report.summary.iMax->w), 5);
    EXPECT_GE(units, 30);
}

std::vector<std::string> names()
{
    std::vector<std::string> out;
    for (const ZooEntry& entry : zooEntries()) out.push_back(entry.name);
    return out;
}

INSTANTIATE_TEST_SUITE_P(Zoo, ZooNetworks, ::testing::ValuesIn(names()), [](const auto& info) {
    std::string name = info.param;
    std::replace_if(
        name.begin(), name.end(), [](unsigned char c) { return !std::isalnum(c); }, '_');
    return name;
});

}  // namespace
}  // namespace fovea
