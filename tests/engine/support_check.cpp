#include "tests/engine/support_check.h"

#include "core/analysis/unit_field.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace fovea::test {

namespace {

std::string textOf(const std::optional<PixelBox>& box)
{
    if (!box) return "nothing";
    return "[" + std::to_string(box->top) + "," + std::to_string(box->left) + "," + std::to_string(box->bottom) + "," +
           std::to_string(box->right) + "]";
}

std::size_t differences(const UnitField& field, const Tensor& gradient)
{
    std::size_t count = 0;
    for (std::size_t i = 0; i < field.pixels.size(); ++i)
        count += field.pixels[i] != (gradient.real(static_cast<std::int64_t>(i)) > 0);
    return count;
}

bool isInside(const PixelBox& inner, const PixelBox& outer)
{
    return inner.top >= outer.top && inner.left >= outer.left && inner.bottom <= outer.bottom &&
           inner.right <= outer.right;
}

}  // namespace

std::vector<UnitOf> someUnits(const Graph& graph, const std::string& layer, std::size_t atMost)
{
    const Prepared prepared = prepare(graph);
    std::vector<Issue> issues;
    const std::vector<Value> values = inferShapes(prepared, issues);
    std::vector<UnitOf> out;
    for (const auto& entry : prepared.entries) {
        if (entry.node->name != layer) continue;
        for (std::uint32_t output = 0; output < entry.outputCount; ++output) {
            const Value& value = values[entry.firstOutput + output];
            if (!value.shape.isComplete()) continue;
            const bool tokens = value.layout.h >= 0 && value.layout.h == value.layout.w;
            const std::int64_t h = value.layout.h < 0 ? 1 : value.height(),
                               w = tokens || value.layout.w < 0 ? 1 : value.width();
            const std::pair<std::int64_t, std::int64_t> wanted[] = {
                {h / 2, w / 2}, {0, 0}, {h - 1, w - 1}, {0, w / 2}, {h / 3, w - 1}};
            std::vector<UnitOf> units;
            for (const auto& [y, x] : wanted) {
                const bool known = std::any_of(units.begin(), units.end(), [y = y, x = x](const UnitOf& unit) {
                    return unit.y == y && unit.x == x;
                });
                if (!known && units.size() < atMost) units.push_back({layer, y, x, static_cast<int>(output)});
            }
            out.insert(out.end(), units.begin(), units.end());
        }
    }
    return out;
}

int expectExactSupport(const Graph& graph, const std::vector<UnitOf>& units, const std::string& what)
{
    const Module module(graph, {}, {.mode = RunMode::Support, .seed = 1});
    const std::vector<Tensor> gradients = module.inputGradients(units, module.randomInputs(1));
    for (std::size_t i = 0; i < units.size(); ++i) {
        const UnitOf& unit = units[i];
        const UnitField field = unitField(graph, unit.layer, {unit.y, unit.x, unit.output});
        const std::size_t wrong = differences(field, gradients[i]);
        EXPECT_EQ(wrong, 0u) << what << ", layer '" << unit.layer << "', unit [" << unit.y << "," << unit.x
                             << "] of output " << unit.output << ": " << wrong << " pixels differ; predicted "
                             << textOf(field.clipped) << " of " << textOf(field.box) << ", gradient on "
                             << textOf(supportOf(gradients[i]));
        EXPECT_EQ(textOf(field.clipped), textOf(supportOf(gradients[i])));
        if (field.clipped) {
            EXPECT_TRUE(isInside(*field.clipped, *field.box)) << what << ", layer '" << unit.layer << "'";
        }
    }
    return static_cast<int>(units.size());
}

int expectExactSupportEverywhere(const Graph& graph, const std::string& what, std::size_t unitsPerLayer)
{
    std::vector<UnitOf> units;
    for (const auto& node : graph.nodes()) {
        const auto more = someUnits(graph, node->name, unitsPerLayer);
        units.insert(units.end(), more.begin(), more.end());
    }
    return expectExactSupport(graph, units, what);
}

}  // namespace fovea::test
