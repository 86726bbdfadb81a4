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
        if (layer.finite && !layer.out.empty() && layer.out[0].shape.isComplete() && (layer.window || layer.kind() == "Add" || layer.kind() == "Concat")) all.push_back(layer.name());
    const std::size_t count = std::min(atMost, all.size());
    for (std::size_t i = 0; i < count; ++i) out.push_back(all[(i + 1) * all.size() / count - 1]);
    return out;
}

// The report's size, offset and jump are those of every single unit, where no layer resamples.
void expectReportToHold(const Graph& graph, const Report& report, const std::vector<UnitOf>& units, const std::string& what)
{
    const auto resamples = [](const auto& node) { return opFor(node->kind).opClass == OpClass::Resample || opFor(node->kind).opClass == OpClass::Transposed; };
    if (std::any_of(graph.nodes().begin(), graph.nodes().end(), resamples)) return;
    for (const UnitOf& unit : units) {
        const LayerReport& layer = *report.find(graph.findByName(unit.layer)->id);
        if (layer.unbounded || layer.approximate) continue;
        const UnitField field = unitField(graph, unit.layer, {unit.y, unit.x, 0});
        const auto expected = [](const FieldReport& axis, std::int64_t at) { return axis.start + at * axis.jump.num(); };
        const PixelBox box{expected(layer.field.h, unit.y), expected(layer.field.w, unit.x), expected(layer.field.h, unit.y) + layer.field.h.rfMax,
                           expected(layer.field.w, unit.x) + layer.field.w.rfMax};
        EXPECT_EQ(field.box, box) << what << ", layer '" << unit.layer << "', unit [" << unit.y << "," << unit.x << "]";
    }
}

int checkStrip(const Graph& graph, const std::string& name, std::int64_t height, std::int64_t width, std::size_t layers)
{
    const Graph strip = test::thinned(graph, height, width);
    const Report report = analyze(strip);
    std::vector<UnitOf> units;
    for (const std::string& layer : someLayers(report, layers)) {
        const auto more = test::someUnits(strip, layer, 4);
        units.insert(units.end(), more.begin(), more.end());
    }
    expectReportToHold(strip, report, units, name);
    return test::expectExactSupport(strip, units, name + " at " + std::to_string(height) + "x" + std::to_string(width));
}

class ZooNetworks : public ::testing::TestWithParam<std::string> {};

TEST_P(ZooNetworks, HaveTheirGradientsExactlyOnThePredictedFields)
{
    const Graph graph = buildZoo(GetParam());
    const Report report = analyze(graph);
    ASSERT_TRUE(report.summary.iMax) << "no layer has a finite field";
    const auto longSide = [](std::int64_t field) { return std::clamp<std::int64_t>((field / kShort + 2) * kShort, 2 * kShort, kLongest); };
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
    std::replace_if(name.begin(), name.end(), [](unsigned char c) { return !std::isalnum(c); }, '_');
    return name;
});

}  // namespace
}  // namespace fovea
