// Every window and linear layer of the zoo against the independently computed tables of the golden folder.
#include "core/analysis/report.h"
#include "core/zoo/zoo.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

namespace fovea {
namespace {

using Json = nlohmann::json;

std::filesystem::path goldenFolder()
{
    if (const char* folder = std::getenv("FOVEA_GOLDEN")) return folder;
    return std::filesystem::path(FOVEA_SOURCE_DIR) / "tests" / "golden";
}

// The table of a network where it has another name.
std::string tableOf(const std::string& network) { return network == "nasnet_a_mobile" ? "nasnetamobile" : network; }

// The tables of dense networks were made through a wrapper.
std::string withoutWrapper(const std::string& name) { return name.starts_with("m.") ? name.substr(2) : name; }

std::set<std::string> namesOf(const Json& list)
{
    std::set<std::string> out;
    for (const Json& name : list) out.insert(withoutWrapper(name));
    return out;
}

class Golden : public testing::TestWithParam<const char*> {
protected:
    void SetUp() override
    {
        const std::filesystem::path path = goldenFolder() / (tableOf(GetParam()) + ".json");
        std::ifstream file(path);
        ASSERT_TRUE(file.is_open()) << "There is no golden table " << path
                                    << ". Set FOVEA_GOLDEN to the folder that holds it.";
        m_table = Json::parse(file);
        const int side = m_table.at("table_resolution");
        m_report = analyze(buildZoo(std::string(GetParam()) + ",size=" + std::to_string(side)));
    }

    Json m_table;
    Report m_report;
};

bool isListed(const std::string& kind)
{
    static const std::set<std::string> kKinds = {"Conv2d", "MaxPool2d", "AvgPool2d", "AdaptiveAvgPool2d", "Linear"};
    return kKinds.contains(kind);
}

void expectField(const Json& golden, const FieldReport& field, bool finite, const std::string& where)
{
    if (golden.at("rf_max_finite").is_null()) {
        EXPECT_FALSE(finite) << where;
        return;
    }
    ASSERT_TRUE(finite) << where;
    EXPECT_EQ(field.rfMin, golden.at("rf_min").get<std::int64_t>()) << where;
    EXPECT_EQ(field.rfMax, golden.at("rf_max_finite").get<std::int64_t>()) << where;
    EXPECT_EQ(field.start, golden.at("offset").get<std::int64_t>()) << where;
    EXPECT_EQ(field.jump, Rational(golden.at("jump").get<std::int64_t>())) << where;
}

void expectSize(const Json& golden, const Value& value, const std::string& where)
{
    // A mean over space leaves no dimensions; the tables write 1x1.
    const bool isVector = value.shape.rank() == 2;
    EXPECT_EQ(isVector ? 1 : value.height(), golden[0].get<std::int64_t>()) << where;
    EXPECT_EQ(isVector ? 1 : value.width(), golden[1].get<std::int64_t>()) << where;
}

TEST_P(Golden, everyLayerHasItsFieldShapeAndCost)
{
    std::vector<const LayerReport*> layers;
    for (const LayerReport& layer : m_report.layers)
        if (isListed(layer.kind)) layers.push_back(&layer);
    const Json& expected = m_table.at("layers");
    ASSERT_EQ(layers.size(), expected.size());
    for (std::size_t i = 0; i < layers.size(); ++i) {
        const Json& golden = expected[i];
        const LayerReport& layer = *layers[i];
        const std::string name = withoutWrapper(golden.at("name"));
        ASSERT_EQ(layer.name, name);
        expectField(golden.at("h"), layer.field.h, layer.finite, name + " h");
        expectField(golden.at("w"), layer.field.w, layer.finite, name + " w");
        EXPECT_EQ(layer.macs.value_or(-1), golden.at("macs").get<std::int64_t>()) << name;
        if (layer.kind == "Linear") continue;
        expectSize(golden.at("out_size"), layer.out.at(0), name);
    }
    EXPECT_EQ(m_report.summary.macs, m_table.at("macs_at_table_resolution").get<std::int64_t>());
    EXPECT_EQ(m_report.summary.parameters, m_table.at("params").get<std::int64_t>());
}

TEST_P(Golden, theNetworksBoundsAreTheTables)
{
    const Json& h = m_table.at("summary").at("h");
    const Json& w = m_table.at("summary").at("w");
    const auto both = [&](const char* key) { return PerAxis<std::int64_t>{h.at(key), w.at(key)}; };
    EXPECT_EQ(m_report.summary.iMin.value(), both("I_min_expansion"));
    EXPECT_EQ(m_report.summary.iMinProductive.value(), both("I_min_productive"));
    EXPECT_EQ(m_report.summary.iMax.value(), both("I_max"));
    const PerAxis<std::int64_t> expansion = both("I_min_expansion"), kernel = both("kernel_bound_jump_out");
    const PerAxis<std::int64_t> rfa{std::max(expansion.h, kernel.h), std::max(expansion.w, kernel.w)};
    EXPECT_EQ(m_report.summary.iMinRfa.value(), rfa);
}

TEST_P(Golden, verdictsAreTheTablesAtEverySide)
{
    const Graph graph = buildZoo(GetParam());
    for (const auto& [side, labels] : m_table.at("labels").items()) {
        const Report report = analyze(withSide(graph, std::stoll(side), std::stoll(side)));
        std::map<Verdict, std::set<std::string>> found;
        for (const LayerReport& layer : report.layers) found[layer.verdict].insert(layer.name);
        EXPECT_EQ(found[Verdict::Unproductive], namesOf(labels.at("unproductive"))) << side;
        EXPECT_EQ(found[Verdict::Partial], namesOf(labels.at("partially_unproductive"))) << side;
        EXPECT_EQ(found[Verdict::Critical], namesOf(labels.at("critical_not_unproductive"))) << side;
    }
}

// Every table of the folder.
INSTANTIATE_TEST_SUITE_P(Zoo, Golden,
                         testing::Values("alexnet", "convnext_tiny", "densenet121", "efficientnet_b0",
                                         "efficientnet_b7", "efficientnet_v2_s", "fcn_resnet50", "googlenet",
                                         "inception_v3", "mnasnet1_0", "mobilenet_v2", "mobilenet_v3_small",
                                         "nasnet_a_mobile", "regnet_y_400mf", "resnet18", "resnet50", "resnet152",
                                         "resnext50_32x4d", "shufflenet_v2_x1_0", "squeezenet1_1", "vgg11", "vgg16",
                                         "vgg19"),
                         [](const auto& info) { return std::string(info.param); });

TEST(GoldenFolder, hasNoTableWithoutANetwork)
{
    std::set<std::string> tables, tested;
    for (const auto& entry : std::filesystem::directory_iterator(goldenFolder()))
        if (entry.path().extension() == ".json") tables.insert(entry.path().stem());
    for (const ZooEntry& entry : zooEntries())
        if (tables.contains(tableOf(entry.name))) tested.insert(tableOf(entry.name));
    EXPECT_EQ(tested, tables);
    EXPECT_EQ(tables.size(), 23u);
}

}  // namespace
}  // namespace fovea
