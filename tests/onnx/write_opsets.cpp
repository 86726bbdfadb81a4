// For tests/onnx/every_opset.py: writes every network of opset_networks.h at every opset into a folder, with its sizes
// stated (NAME.OPSET.onnx) and with them open (NAME.open.OPSET.onnx), and at another size (NAME.larger.onnx) at the usual
// opset, or at the newest. Says on standard output, as JSON, what was refused and why, and which kinds have no network.
#include "core/analysis/report.h"
#include "core/graph/first_image.h"
#include "core/io/json/json_reader.h"
#include "core/io/onnx/onnx.h"
#include "core/ops/onnx_form.h"
#include "core/ops/registry.h"
#include "tests/onnx/opset_networks.h"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>

namespace {

using namespace fovea;

// The same with another number for every size of the images, channels apart.
Graph withSizes(Graph graph, std::int64_t batch, std::int64_t larger, bool open)
{
    const std::vector<std::shared_ptr<const Node>> nodes = graph.nodes();
    for (const auto& node : nodes) {
        const auto dims = node->kind == "Input" ? imageDims(*node) : std::nullopt;
        if (!dims) continue;
        graph.update(node->id, [&](Node& edited) {
            Ints shape = *edited.attrs.getInts("shape");
            shape[0] = batch;
            shape[dims->h] += larger;
            shape[dims->w] += larger;
            edited.attrs.set("shape", shape);
            std::vector<std::string> symbols(shape.size());
            symbols[0] = "batch";
            symbols[dims->h] = "height";
            symbols[dims->w] = "width";
            if (open) setSymbols(edited, symbols);
        });
    }
    return graph;
}

std::vector<Ints> tensorDims(const Graph& graph)
{
    std::vector<Ints> out;
    const Report report = analyze(graph);
    for (const LayerReport& layer : report.layers) {
        std::vector<Value> in;
        for (std::size_t i = 0; i < layer.in.size(); ++i) in.push_back(layer.in[i]);
        for (const NamedParam& param : paramsOf(*layer.node, in, layer.out)) out.push_back(param.spec.dims);
    }
    return out;
}

// Whether it is the same network at this size: without errors, and with tensors of the same shapes.
bool fits(const Graph& graph, const Graph& declared)
{
    const Report report = analyze(graph);
    return tensorDims(graph) == tensorDims(declared) &&
           std::none_of(report.issues.begin(), report.issues.end(),
                        [](const Issue& issue) { return issue.severity == Severity::Error; });
}

// At the usual opset, or at the newest where that one cannot say it.
void writeUsual(const Model& model, const std::filesystem::path& path)
{
    OnnxWriteOptions options;
    if (whyNotWritable(model, options)) options.opset = kNewestOpset;
    writeOnnx(model, path, options);
}

// The sentence where it was refused; the trial must say the same.
Json written(const Graph& graph, std::int64_t opset, const std::filesystem::path& path)
{
    const Model model{graph, {}, nullptr};
    OnnxWriteOptions options;
    options.opset = opset;
    const auto foretold = whyNotWritable(model, options);
    try {
        writeOnnx(model, path, options);
    } catch (const Error& error) {
        if (!foretold || *foretold != error.what()) return "not foretold: " + std::string(error.what());
        return error.what();
    }
    return foretold ? Json("foretold, but written: " + *foretold) : Json(nullptr);
}

}  // namespace

int main(int count, char** words)
{
    if (count != 2) return 2;
    try {
        const std::filesystem::path folder(words[1]);
        std::filesystem::create_directories(folder);
        Json refused = Json::array(), without = Json::array(), names = Json::array();
        for (const OpDef* op : allOps()) {
            const auto networks = test::opsetNetworksOf(*op);
            if (networks.empty()) without.push_back(op->kind);
            for (const auto& [name, graph] : networks) {
                const Graph other = withSizes(graph, 2, 12, false), open = withSizes(graph, 1, 0, true);
                const bool larger = fits(other, graph);
                const Node* image = firstImage(other);
                names.push_back(Json{{"name", name}, {"larger", larger && image ? Json(*image->attrs.getInts("shape")) : Json(nullptr)}});
                if (larger) writeUsual(Model{other, {}, nullptr}, folder / (name + ".larger.onnx"));
                for (std::int64_t opset = kOldestOpset; opset <= kNewestOpset; ++opset) {
                    const std::string ending = "." + std::to_string(opset) + ".onnx";
                    const Json why = written(graph, opset, folder / (name + ending)),
                               whyOpen = written(open, opset, folder / (name + ".open" + ending));
                    if (!why.is_null()) refused.push_back(Json{{"name", name}, {"opset", opset}, {"open", false}, {"why", why}});
                    if (!whyOpen.is_null()) refused.push_back(Json{{"name", name}, {"opset", opset}, {"open", true}, {"why", whyOpen}});
                }
            }
        }
        std::puts(jsonLine(Json{{"networks", names}, {"refused", refused}, {"without", without}}).c_str());
    } catch (const std::exception& error) {
        std::fprintf(stderr, "write_opsets: %s\n", error.what());
        return 1;
    }
    return 0;
}
