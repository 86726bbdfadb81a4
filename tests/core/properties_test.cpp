// Random networks against the slow way: every path enumerated, and intervals propagated back from single units.
#include "core/analysis/report.h"
#include "tests/core/brute_force.h"
#include "tests/support/text_graph.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>

namespace fovea {
namespace {

using test::Axis;

// A random network whose merges always meet: every branch of a block has the same stride. Kernels, strides,
// paddings and dilations differ between the axes.
class RandomNetwork {
public:
    RandomNetwork(unsigned seed, bool resampling) : m_random(seed), m_resampling(resampling) {}

    // `layers` plain layers between `blocks` blocks with branches.
    std::string text(int blocks, int layers)
    {
        m_text = "input 4x997x997 > conv2d:n0 k=3 p=1 c=4";
        m_strides = {5, 5};
        for (int b = 0; b < blocks; ++b) {
            for (int i = 0; i < layers; ++i) plain();
            block();
        }
        return m_text;
    }

private:
    int pick(int low, int high) { return std::uniform_int_distribution<int>(low, high)(m_random); }
    std::string both(int low, int high) { return std::to_string(pick(low, high)) + "x" + std::to_string(pick(low, high)); }
    std::string last() const { return "@n" + std::to_string(m_count); }
    std::string next() { return "n" + std::to_string(++m_count); }

    // A stride while there are any left: jumps of thousands of pixels would hide what is looked for.
    std::string stride(int& left)
    {
        const bool strides = left > 0 && pick(0, 5) == 0;
        left -= strides;
        return strides ? "2" : "1";
    }

    std::string conv(const std::string& name, const std::string& stride)
    {
        return "conv2d:" + name + " k=" + both(1, 5) + " s=" + stride + " d=" + both(1, 2) + " padding=" + both(0, 2) + "x" + both(0, 2) + " c=4";
    }

    void plain()
    {
        const std::string from = last(), name = next();
        m_text += "; " + from + " > ";
        const int kind = pick(0, 9);
        if (kind < 5) m_text += conv(name, stride(m_strides.first) + "x" + stride(m_strides.second));
        else if (kind < 7) m_text += "relu:" + name;
        else if (kind < 8) m_text += "bn:" + name;
        else if (kind < 9) m_text += "maxpool:" + name + " k=3 s=" + stride(m_strides.first) + "x" + stride(m_strides.second) + " p=1 ceil_mode=" + (pick(0, 1) ? "true" : "false");
        else m_text += "zeropad:" + name + " padding=" + both(0, 2) + "x" + both(0, 2);
    }

    void block()
    {
        const std::string from = last(), name = next(), left = "l" + std::to_string(m_count), right = "r" + std::to_string(m_count);
        const int kind = pick(0, m_resampling ? 4 : 2);
        if (kind == 0) m_text += "; " + from + " > " + conv(left, "1") + "; " + from + " > " + conv(right, "1") + " > add:" + name + " @" + left;
        else if (kind == 1 && m_strides.first > 0 && m_strides.second > 0) {
            --m_strides.first, --m_strides.second;
            m_text += "; " + from + " > " + conv(left, "2") + "; " + from + " > maxpool:" + right + " k=2 s=2 > concat:c" + right + " @" + left + " > conv2d:" + name + " k=1 c=4";
        } else if (kind <= 2) m_text += "; " + from + " > relu:" + right + " > add:" + name + " " + from;
        else if (kind == 3) m_text += "; " + from + " > upsample:" + name + " scale_factor=2 mode=" + (pick(0, 1) ? "nearest" : "bilinear");
        else m_text += "; " + from + " > convtranspose:" + name + " k=" + both(2, 4) + " s=2 p=" + std::to_string(pick(0, 1)) + " c=4";
    }

    std::mt19937 m_random;
    bool m_resampling;
    std::string m_text;
    std::pair<int, int> m_strides;  // left, per axis
    int m_count = 0;
};

// `repeat`: units over which the fields' pattern repeats for sure, times the denominator of the jump; 2 to the
// number of upsamplings, which may be longer than the jump says where the network goes up and down again.
void compareLayer(const test::BruteForce& slow, NodeId id, const FieldReport& field, std::int64_t repeat, bool paths)
{
    const std::int64_t period = repeat * field.jump.den();
    const std::int64_t far = period * 16;  // a multiple of every period, away from the border
    std::int64_t widest = 0, shortest = 0;
    for (std::int64_t unit = far; unit < far + period; ++unit) {
        const auto box = slow.backward(id, unit);
        ASSERT_TRUE(box.has_value());
        widest = std::max(widest, box->high - box->low + 1);
        if (paths) shortest = std::max(shortest, *slow.smallestPath(id, unit));
    }
    EXPECT_EQ(field.rfMax, widest);
    EXPECT_EQ(field.start, slow.backward(id, 0)->low);
    if (paths) {
        EXPECT_EQ(field.rfMin, shortest);
    }
}

// Every `step`-th layer and the last one, on both axes. `paths`: each one enumerated, for the smallest.
void compare(const std::string& text, std::int64_t repeat, std::size_t step, bool paths = true)
{
    SCOPED_TRACE(text);
    const Graph graph = test::graphOf(text);
    const Report report = analyze(graph);
    ASSERT_FALSE(report.layers.empty());
    const test::BruteForce height(graph, Axis::Height), width(graph, Axis::Width);
    int compared = 0;
    for (std::size_t i = report.layers.size(); i-- > 0;) {
        const LayerReport& row = report.layers[i];
        if (!row.finite || row.approximate || (i % step != 0 && i + 1 != report.layers.size())) continue;
        SCOPED_TRACE(row.name());
        compareLayer(height, row.id, row.field.h, repeat, paths);
        compareLayer(width, row.id, row.field.w, repeat, paths);
        ++compared;
    }
    EXPECT_GT(compared, 0);
}

TEST(Properties, RandomNetworksOfWindowsEqualEveryPathEnumerated)
{
    for (unsigned seed = 1; seed <= 120; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        compare(RandomNetwork(seed, false).text(4, 2), 1, 1);
    }
}

TEST(Properties, RandomNetworksWithUpsamplingEqualIntervalPropagation)
{
    for (unsigned seed = 1; seed <= 120; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        compare(RandomNetwork(seed, true).text(4, 1), 16, 1);
    }
}

TEST(Properties, NetworksOfHundredsOfLayersEqualEveryPathEnumerated)
{
    for (unsigned seed = 1; seed <= 12; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        const std::string text = RandomNetwork(seed, false).text(9, 30);
        EXPECT_GT(test::graphOf(text).nodes().size(), 270u);
        compare(text, 1, 40);
    }
}

TEST(Properties, NetworksOfHundredsOfLayersWithUpsamplingEqualIntervalPropagation)
{
    for (unsigned seed = 1; seed <= 12; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        compare(RandomNetwork(seed, true).text(8, 30), 256, 120, false);
    }
}

}  // namespace
}  // namespace fovea
