// Files that are given as a model and are none: named by what they hold, whatever they are called.
#include "tests/cli/cli_run.h"

namespace fovea::test {
namespace {

using namespace std::string_literals;

class Foreign : public CliTest {
protected:
    static void put(const std::string& path, const std::string& bytes)
    {
        if (const auto folder = std::filesystem::path(path).parent_path(); !folder.empty()) std::filesystem::create_directories(folder);
        std::ofstream(path, std::ios::binary) << bytes;
    }

    static void expectNamed(const std::string& path, const std::string& bytes, const std::string& sentence)
    {
        put(path, bytes);
        expectRefused({"analyze", path}, sentence);
    }
};

std::string pytorch(const std::string& what, const std::string& model, const std::string& out)
{
    return what + ", and Fovea reads ONNX: in Python, " + model + "torch.onnx.export(" + out;
}

// A member of an archive as ZIP writes it, its name twice: before its bytes and in the directory at the end.
std::string zipOf(const std::vector<std::string>& names)
{
    std::string out, directory;
    for (const std::string& name : names) {
        out += "PK\x03\x04"s + std::string(26, '\0') + name;
        directory += "PK\x01\x02"s + std::string(42, '\0') + name;
    }
    return out + directory + "PK\x05\x06"s + std::string(18, '\0');
}

// Field of a message in Protocol Buffers that has a length.
std::string field(unsigned number, const std::string& bytes)
{
    std::string out;
    for (unsigned tag = number << 3 | 2; ; tag >>= 7) {
        out += static_cast<char>((tag & 127) | (tag > 127 ? 128u : 0u));
        if (tag < 128) break;
    }
    return out + static_cast<char>(bytes.size()) + bytes;
}

TEST_F(Foreign, PointersAndPagesInsteadOfTheFile)
{
    expectNamed("m.onnx", "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 97\n",
                "'m.onnx' is a Git LFS pointer, not the model itself: fetch it with 'git lfs pull' in its repository, or download the file instead of its text.");
    expectNamed("m.onnx", "\n<!DOCTYPE html>\n<html>", "'m.onnx' is a web page, not a model: download the file itself, by the page's 'Download' or 'Raw'.");
    expectNamed("m.onnx.gz", "\x1f\x8b\x08\0"s, "'m.onnx.gz' is packed with gzip: unpack it and open the .onnx file that it holds.");
    expectNamed("m.zip", zipOf({"m.onnx"}), "'m.zip' is a ZIP archive: unpack it and open the .onnx file in it.");
}

TEST_F(Foreign, TensorFlowsFormatsComeWithTheirConverter)
{
    const std::string reads = ", and Fovea reads ONNX: convert it with 'python -m tf2onnx.convert --";
    expectNamed("m.tflite", "\x1c\0\0\0TFL3\0\0"s, "'m.tflite' is a TensorFlow Lite model" + reads + "tflite m.tflite --output m.onnx'.");
    expectNamed("m.onnx", "\x1c\0\0\0TFL3\0\0"s, "'m.onnx' is a TensorFlow Lite model" + reads + "tflite m.onnx --output m.converted.onnx'.");
    expectNamed("my model.tflite", "\x1c\0\0\0TFL3\0\0"s,
                "'my model.tflite' is a TensorFlow Lite model" + reads + "tflite \"my model.tflite\" --output \"my model.onnx\"'.");
    expectNamed("js/model.json", R"({"format":"graph-model","modelTopology":{},"weightsManifest":[]})",
                "'js/model.json' is a TensorFlow.js model" + reads + "tfjs js/model.json --output js/model.onnx'.");
    expectNamed("model.json", R"({"modelTopology":{"model_config":{}},"weightsManifest":[]})",
                "'model.json' is a TensorFlow.js model of layers, and Fovea reads ONNX: convert it with 'tensorflowjs_converter --input_format tfjs_layers_model "
                "--output_format keras model.json model.h5', then 'python -m tf2onnx.convert --keras model.h5 --output model.onnx'.");
    expectNamed("m.h5", "\x89HDF\r\n\x1a\n", "'m.h5' is an HDF5 file, such as Keras writes" + reads + "keras m.h5 --output m.onnx'.");
    expectNamed("m.keras", zipOf({"metadata.json", "config.json", "model.weights.h5"}),
                "'m.keras' is a Keras model, and Fovea reads ONNX: in Python, keras.saving.load_model(\"m.keras\").export(\"m.onnx\", format=\"onnx\") converts it.");
    expectNamed("m.pb", field(1, field(1, "input") + field(2, "Placeholder")),
                "'m.pb' is a frozen TensorFlow graph" + reads + "graphdef m.pb --inputs INPUT:0 --outputs OUTPUT:0 --output m.onnx'.");
    expectNamed("saved/saved_model.pb", "\x08\x01" + field(2, field(1, field(5, "serve"))),
                "'saved/saved_model.pb' is a TensorFlow SavedModel" + reads + "saved-model saved --output saved/saved_model.onnx'.");
    expectRefused({"analyze", "saved/"}, "'saved' is a TensorFlow SavedModel" + reads + "saved-model saved --output saved.onnx'.");
}

TEST_F(Foreign, PyTorchsFormatsComeWithTheCallThatExports)
{
    const std::string shape = "torch.zeros(1, 3, 224, 224), \"m.onnx\")", yours = ", with the shape of your images.";
    const std::string saved = pytorch(" is what torch.save of PyTorch wrote, which is no network without its Python code", "build the model, load this into it and call ", "model.eval(), ");
    expectNamed("m.pth", zipOf({"m/data.pkl", "m/version"}), "'m.pth'" + saved + shape + yours);
    expectNamed("m.pt", "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02", "'m.pt'" + saved + shape + yours);
    expectNamed("m.pt", zipOf({"m/data.pkl", "m/code/__torch__.py", "m/constants.pkl"}),
                pytorch("'m.pt' is a TorchScript model", "", "torch.jit.load(\"m.pt\"), ") + shape + " converts it" + yours);
    expectNamed("m.pkl", "\x80\x04\x95\x0b\0\0\0\0\0\0\0}\x94."s,
                pytorch("'m.pkl' is a Python pickle, which is no network without its Python code", "build the model, load this into it and call ", "model.eval(), ") + shape + yours);
    expectNamed("m.safetensors", "\x02\0\0\0\0\0\0\0{}"s,
                pytorch("'m.safetensors' is a file of tensors (safetensors), which holds no network",
                        "build the model, load them with safetensors.torch.load_model(model, \"m.safetensors\") and call ", "model.eval(), ") + shape + yours);
}

TEST_F(Foreign, OtherFormats)
{
    expectNamed("m.ort", "\x1c\0\0\0ORTM\0\0"s,
                "'m.ort' is a model in ONNX Runtime's own format (ORT), and Fovea reads ONNX: take the .onnx file that it was made from, or let ONNX Runtime load it "
                "with optimized_model_filepath set to \"m.onnx\" in its SessionOptions.");
    expectNamed("m.mlmodel", "\x08\x01" + field(2, field(1, "\n\x05image")) + field(500, "\n"),
                "'m.mlmodel' is a Core ML model, and Fovea reads ONNX: convert the model that it was made from, or in Python "
                "onnxmltools.utils.save_model(onnxmltools.convert_coreml(coremltools.utils.load_spec(\"m.mlmodel\")), \"m.onnx\").");
    expectNamed("model.pb", "\x08\x07" + field(2, "pytorch") + field(7, field(2, "graph")) + field(8, "\x10\x0d"),
                "'model.pb' is an ONNX model by its content, but its name does not end in .onnx: rename it.");
}

TEST_F(Foreign, WhatIsNotKnownIsToldAsBefore)
{
    expectNamed("notes.md", "# Notes", "Cannot open 'notes.md': a model is a file that ends in .onnx, .fovea, the folder of a training run, or zoo:NAME for a built-in network.");
    expectNamed("m.onnx", "", "The file is empty; an ONNX model was expected. (in m.onnx)");
    EXPECT_EQ(run({"analyze", "net.fovea"}).code, 2);
    save("net.fovea", kNet);
    EXPECT_EQ(run({"analyze", "net.fovea"}).code, 0);
}

}  // namespace
}  // namespace fovea::test
