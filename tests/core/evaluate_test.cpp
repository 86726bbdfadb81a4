// What is computed from constants alone is held against ONNX's own operator tests, and the list of operators against
// ONNX's own registry, so that it cannot fall behind.
#include "core/io/onnx/evaluate.h"
#include "core/io/onnx/onnx.h"
#include "core/io/onnx/proto.h"
#include "tests/document/folder.h"

#include <onnx/defs/schema.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <set>

namespace fovea::test {
namespace {

namespace fs = std::filesystem;

constexpr int kOpset = 17;
const fs::path kData = "/usr/share/libonnx-testdata/data/node";

const char* const kWindow = "slides a window over maps; on a constant it is a layer like any other";
const char* const kSequence = "works on sequences or optionals, which hold no numbers of the network";
const char* const kControl = "runs a graph of its own; an If whose condition is known is read as its branch";
const char* const kText = "works on text";
const char* const kDetection = "is part of detection; it reads maps";
const char* const kSignal = "transforms signals; it reads maps";
const char* const kRecurrent = "is recurrent; it reads maps";
const char* const kLoss = "is a loss, which no network computes from constants";

// Deterministic operators that are not evaluated, each with its reason.
const std::map<std::string, const char*> kNotEvaluated = {
    {"Conv", kWindow}, {"ConvInteger", kWindow}, {"ConvTranspose", kWindow}, {"QLinearConv", kWindow}, {"MaxPool", kWindow}, {"MaxUnpool", kWindow}, {"AveragePool", kWindow},
    {"LpPool", kWindow}, {"GlobalLpPool", kWindow}, {"LRN", kWindow}, {"Resize", "resamples maps; on a constant it is a layer like any other"},
    {"If", kControl}, {"Loop", kControl}, {"Scan", kControl}, {"SequenceMap", kControl},
    {"SequenceAt", kSequence}, {"SequenceConstruct", kSequence}, {"SequenceEmpty", kSequence}, {"SequenceErase", kSequence}, {"SequenceInsert", kSequence}, {"SequenceLength", kSequence},
    {"SplitToSequence", kSequence}, {"ConcatFromSequence", kSequence}, {"Optional", kSequence}, {"OptionalGetElement", kSequence}, {"OptionalHasElement", kSequence},
    {"StringNormalizer", kText}, {"TfIdfVectorizer", kText},
    {"GridSample", kDetection}, {"MaxRoiPool", kDetection}, {"RoiAlign", kDetection}, {"NonMaxSuppression", kDetection},
    {"DFT", kSignal}, {"STFT", kSignal}, {"MelWeightMatrix", kSignal},
    {"GRU", kRecurrent}, {"LSTM", kRecurrent}, {"RNN", kRecurrent},
    {"NegativeLogLikelihoodLoss", kLoss}, {"SoftmaxCrossEntropyLoss", kLoss},
    {"Det", "is a determinant, which no exporter writes for weights or sizes"},
    {"Unique", "gives as many numbers as its input has different ones, which no exporter writes for weights or sizes"},
};
const std::set<std::string> kRandom = {"Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"};

// Operator tests that are not run, each with its reason.
const std::map<std::string, const char*> kLeftOut = {
    {"test_training_dropout", "drops at random"}, {"test_training_dropout_default", "drops at random"}, {"test_training_dropout_default_mask", "drops at random"},
    {"test_training_dropout_mask", "drops at random"},
    {"test_cast_FLOAT_to_BFLOAT16", "its numbers are cut off, not rounded as the operator is described"},
    {"test_castlike_FLOAT_to_BFLOAT16", "its numbers are cut off, not rounded as the operator is described"},
    {"test_castlike_FLOAT_to_BFLOAT16_expanded", "its numbers are cut off, not rounded as the operator is described"},
};

std::set<std::string> evaluated()
{
    const auto types = evaluatedTypes();
    return {types.begin(), types.end()};
}

TEST(Evaluate, EveryStandardOperatorIsFollowedOrOnTheListWithAReason)
{
    const std::set<std::string> known = evaluated();
    std::set<std::string> latest;
    for (const onnx::OpSchema& schema : onnx::OpSchemaRegistry::get_all_schemas_with_history())
        if (schema.domain().empty() && schema.SinceVersion() <= kOpset) latest.insert(schema.Name());
    EXPECT_GE(latest.size(), 170u);
    for (const std::string& type : latest) {
        const bool excused = kNotEvaluated.contains(type) || kRandom.contains(type) || type == "Upsample";
        EXPECT_NE(known.contains(type), excused) << type;
    }
    for (const auto& [type, reason] : kNotEvaluated) EXPECT_TRUE(latest.contains(type)) << type;
}

bool load(google::protobuf::MessageLite& message, const fs::path& path)
{
    std::ifstream file(path, std::ios::binary);
    return message.ParseFromIstream(&file);
}

// Moves the case's inputs and expected outputs into the file as initializers; false where they are no tensors.
bool attach(onnx::ModelProto& model, const fs::path& data)
{
    onnx::GraphProto& graph = *model.mutable_graph();
    for (int i = 0; i < graph.input_size(); ++i) {
        if (!graph.input(i).type().has_tensor_type()) return false;
        onnx::TensorProto tensor;
        if (!load(tensor, data / ("input_" + std::to_string(i) + ".pb"))) return false;
        tensor.set_data_type(graph.input(i).type().tensor_type().elem_type());  // bfloat16 is stored as uint16
        tensor.set_name(graph.input(i).name());
        *graph.add_initializer() = tensor;
    }
    graph.clear_input();
    for (int i = 0; i < graph.output_size(); ++i) {
        if (!graph.output(i).type().has_tensor_type()) return false;
        onnx::TensorProto tensor;
        if (!load(tensor, data / ("output_" + std::to_string(i) + ".pb")) || tensor.data_type() == onnx::TensorProto::STRING) return false;
        tensor.set_data_type(graph.output(i).type().tensor_type().elem_type());
        tensor.set_name("expected_" + std::to_string(i));
        *graph.add_initializer() = tensor;
    }
    return true;
}

std::string difference(const Tensor& got, const Tensor& wanted)
{
    if (got.dtype != wanted.dtype) return "type " + std::string(toString(got.dtype)) + " for " + std::string(toString(wanted.dtype));
    if (got.dims != wanted.dims) return "shape " + toText(got.dims) + " for " + toText(wanted.dims);
    for (std::int64_t i = 0; i < wanted.elements(); ++i) {
        const double a = got.real(i), b = wanted.real(i);
        const bool same = a == b || (std::isnan(a) && std::isnan(b)) || std::abs(a - b) <= 1e-7 + 1e-3 * std::abs(b);
        if (!same) return "element " + std::to_string(i) + " is " + std::to_string(a) + " for " + std::to_string(b);
    }
    return {};
}

// What is wrong with the case; empty: nothing.
std::string fault(const fs::path& folder, const Folder& scratch)
{
    onnx::ModelProto model;
    if (!load(model, folder / "model.onnx")) return "cannot be parsed";
    const int outputs = model.graph().output_size();
    if (!attach(model, folder / "test_data_set_0")) return {};
    std::ofstream(scratch / "case.onnx", std::ios::binary) << model.SerializeAsString();
    const Model read = readOnnx(scratch / "case.onnx");
    for (int i = 0; i < outputs; ++i) {
        const GraphOutput& output = read.graph.outputs().at(static_cast<std::size_t>(i));
        const Node& node = read.graph.at(output.port.node);
        const Tensor* expected = read.weights.find("expected_" + std::to_string(i));
        if (node.kind != "Constant") return output.name + " was left to a layer of kind " + node.kind;
        const Tensor* got = read.weights.find(node.tensorName("value"));
        if (!got || !expected) return output.name + " has no numbers";
        if (const std::string what = difference(*got, *expected); !what.empty()) return output.name + ": " + what;
    }
    return {};
}

bool onlyEvaluated(const fs::path& folder, const std::set<std::string>& known)
{
    onnx::ModelProto model;
    if (!load(model, folder / "model.onnx") || model.functions_size() > 0) return false;
    const auto follows = [&](const onnx::NodeProto& node) { return node.domain().empty() && known.contains(node.op_type()); };
    const auto isText = [](const onnx::ValueInfoProto& info) { return info.type().tensor_type().elem_type() == onnx::TensorProto::STRING; };
    const onnx::GraphProto& graph = model.graph();
    return std::all_of(graph.node().begin(), graph.node().end(), follows) && std::none_of(graph.input().begin(), graph.input().end(), isText) &&
           std::none_of(graph.output().begin(), graph.output().end(), isText);
}

TEST(Evaluate, NumbersAreThoseOfOnnxsOwnOperatorTests)
{
    if (!fs::exists(kData)) GTEST_SKIP() << "the package libonnx-testdata has ONNX's operator tests";
    const std::set<std::string> known = evaluated();
    const Folder scratch;
    int run = 0;
    for (const auto& entry : fs::directory_iterator(kData)) {
        const std::string name = entry.path().filename();
        if (kLeftOut.contains(name) || !onlyEvaluated(entry.path(), known)) continue;
        ++run;
        EXPECT_EQ(fault(entry.path(), scratch), "") << name;
    }
    EXPECT_GE(run, 500);
}

}  // namespace
}  // namespace fovea::test
