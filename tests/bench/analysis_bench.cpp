// How long the analysis takes, per layer. Real models are named as NAME=PATH in FOVEA_BENCH_MODELS,
// separated by ':'.
#include "core/analysis/fields.h"
#include "core/analysis/report.h"
#include "core/base/allocation.h"
#include "core/io/model/model.h"
#include "core/refine/plan.h"
#include "tests/bench/networks.h"

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <sstream>

namespace fovea::bench {

namespace {

using GraphPtr = std::shared_ptr<const Graph>;

void countLayers(benchmark::State& state, std::size_t layers)
{
    using benchmark::Counter;
    state.counters["layers"] = static_cast<double>(layers);
    state.counters["per_layer"] = Counter(static_cast<double>(layers), Counter::kIsIterationInvariantRate | Counter::kInvert);
}

// Order, shapes, fields, verdicts, bounds, cost and findings.
void graphToReport(benchmark::State& state, const GraphPtr& graph)
{
    std::size_t layers = 0;
    for (auto _ : state) {
        const Report report = analyze(*graph);
        layers = report.layers.size();
        benchmark::DoNotOptimize(report.summary);
    }
    countLayers(state, layers);
}

// What every layer reads, once its shapes are known: all that field propagation needs.
struct PreparedReaches {
    explicit PreparedReaches(const Graph& graph) : prepared(prepare(graph)), image(imageInput(graph))
    {
        std::vector<Issue> issues;
        const std::vector<Value> values = inferShapes(prepared, issues);
        for (const auto& entry : prepared.entries) {
            std::vector<Value> in;
            for (std::uint32_t k = 0; k < entry.inputCount; ++k) {
                const std::int32_t source = prepared.sources[entry.firstInput + k];
                in.push_back(source < 0 ? Value{} : values[static_cast<std::size_t>(source)]);
            }
            const std::span<const Value> out(values.data() + entry.firstOutput, entry.outputCount);
            reaches.push_back(entry.op->reach ? entry.op->reach(NodeView{*entry.node, in, out}) : Reach{});
        }
    }

    Prepared prepared;
    const Node* image;
    std::vector<Reach> reaches;
};

struct BothAxes {
    AxisField h, w;
};

BothAxes joinedInputs(const PreparedReaches& network, const Prepared::Entry& entry, const std::vector<BothAxes>& fields)
{
    BothAxes joined;
    for (std::uint32_t k = 0; k < entry.inputCount; ++k) {
        const std::int32_t source = network.prepared.sourceEntries[entry.firstInput + k];
        if (source < 0 || (entry.op->pathInputs >= 0 && k >= static_cast<std::uint32_t>(entry.op->pathInputs))) continue;
        const BothAxes& field = fields[static_cast<std::size_t>(source)];
        joined = k == 0 ? field : BothAxes{merge(joined.h, field.h), merge(joined.w, field.w)};
    }
    return joined;
}

void propagate(const PreparedReaches& network, std::vector<BothAxes>& fields)
{
    for (std::size_t i = 0; i < network.prepared.entries.size(); ++i) {
        const auto& entry = network.prepared.entries[i];
        if (entry.node == network.image) {
            fields[i] = {AxisField::source(), AxisField::source()};
            continue;
        }
        const BothAxes joined = joinedInputs(network, entry, fields);
        fields[i] = {step(joined.h, network.reaches[i].h), step(joined.w, network.reaches[i].w)};
    }
}

// The fields of both axes alone, on a graph whose order, shapes and reaches are known.
void fieldsOnPrepared(benchmark::State& state, const GraphPtr& graph)
{
    const PreparedReaches network(*graph);
    std::vector<BothAxes> fields(network.prepared.entries.size());
    for (auto _ : state) {
        propagate(network, fields);
        benchmark::DoNotOptimize(fields.back().h.main.high);
    }
    countLayers(state, fields.size());
}

// Every single change that the moves can make, with what it does.
void singleMoves(benchmark::State& state, const GraphPtr& graph)
{
    std::size_t moves = 0;
    for (auto _ : state) {
        const std::vector<Plan> found = listMoves(*graph);
        moves = found.size();
        benchmark::DoNotOptimize(moves);
    }
    state.counters["moves"] = static_cast<double>(moves);
}

// The whole search: single moves and what follows from them, each analysed and judged.
void proposals(benchmark::State& state, const GraphPtr& graph)
{
    std::size_t plans = 0;
    for (auto _ : state) {
        const std::vector<Plan> found = propose(*graph);
        plans = found.size();
        benchmark::DoNotOptimize(plans);
    }
    state.counters["plans"] = static_cast<double>(plans);
}

void measure(const std::string& name, const GraphPtr& graph, bool isModel)
{
    benchmark::RegisterBenchmark(("report/" + name).c_str(), graphToReport, graph)->Unit(benchmark::kMicrosecond);
    benchmark::RegisterBenchmark(("fields/" + name).c_str(), fieldsOnPrepared, graph)->Unit(benchmark::kMicrosecond);
    if (!isModel) return;
    const auto small = std::make_shared<const Graph>(withSide(*graph, 64, 64));
    benchmark::RegisterBenchmark(("moves/" + name).c_str(), singleMoves, small)->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark(("proposals_at_64/" + name).c_str(), proposals, small)->Unit(benchmark::kMillisecond);
}

void measureModels()
{
    const char* list = std::getenv("FOVEA_BENCH_MODELS");
    std::istringstream entries(list ? list : "");
    for (std::string entry; std::getline(entries, entry, ':');) {
        const std::size_t mark = entry.find('=');
        if (mark == std::string::npos) throw Error(ErrorCode::Usage, "FOVEA_BENCH_MODELS: expected NAME=PATH, got '" + entry + "'.");
        measure(entry.substr(0, mark), std::make_shared<const Graph>(openModel(entry.substr(mark + 1)).graph), true);
    }
}

void measureChains()
{
    for (const std::int64_t layers : {1000, 10000, 100000})
        measure("chain/" + std::to_string(layers), std::make_shared<const Graph>(chain(layers)), false);
}

}  // namespace

}  // namespace fovea::bench

int main(int argc, char** argv)
{
    fovea::keepFreedMemory();  // as the studio does
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
    try {
        fovea::bench::measureChains();
        fovea::bench::measureModels();
    } catch (const fovea::Error& error) {
        std::cerr << error.what() << "\n";
        return 2;
    }
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
}
