#include "core/io/model/foreign.h"

#include "core/base/error.h"
#include "core/base/files.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace fovea {

namespace {

namespace fs = std::filesystem;

// Enough for the JSON of a network without its weights, the first member and the directory of an archive.
constexpr std::uint64_t kEnd = 1u << 18;

struct Sample {
    std::string path;        // as the user gave it
    std::string head, tail;  // overlap in a small file
    std::uint64_t size = 0;

    bool starts(std::string_view magic, std::size_t at = 0) const { return head.size() >= at && std::string_view(head).substr(at).starts_with(magic); }
    bool has(std::string_view word) const { return head.find(word) != std::string::npos || tail.find(word) != std::string::npos; }
};

std::string readAt(const PieceFile& file, std::uint64_t from, std::uint64_t to)
{
    std::string out(static_cast<std::size_t>(to - from), '\0');
    file.read(from, std::as_writable_bytes(std::span(out.data(), out.size())));
    return out;
}

Sample sampleOf(const fs::path& path)
{
    const auto file = PieceFile::open(path);
    Sample out;
    out.path = path.string();
    out.size = file->size();
    out.head = readAt(*file, 0, std::min(out.size, kEnd));
    out.tail = readAt(*file, out.size - std::min(out.size, kEnd), out.size);
    return out;
}

std::string quoted(const std::string& path) { return "'" + path + "'"; }

// As a word of a command in a shell.
std::string shellWord(const std::string& path)
{
    const bool plain = std::all_of(path.begin(), path.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || std::string_view("_./-+=,:@").find(c) != std::string_view::npos; });
    return plain ? path : '"' + path + '"';
}

std::string folderOf(const std::string& path)
{
    const std::string out = fs::path(path).parent_path().string();
    return out.empty() ? "." : out;
}

// What its conversion is written to: never the file itself, which may be called .onnx.
std::string onnxName(const std::string& path)
{
    const std::string out = fs::path(path).replace_extension(".onnx").string();
    return out == path ? fs::path(path).replace_extension(".converted.onnx").string() : out;
}
std::string onnxWord(const std::string& path) { return shellWord(onnxName(path)); }

std::string becomes(const Sample& file, const std::string& what, const std::string& todo)
{
    return quoted(file.path) + " is " + what + ", and Fovea reads ONNX: " + todo + ".";
}

std::string command(const std::string& text) { return "convert it with '" + text + "'"; }

std::string tf2onnx(const Sample& file, const std::string& option)
{
    return command("python -m tf2onnx.convert --" + option + " " + shellWord(file.path) + " --output " + onnxWord(file.path));
}

// How PyTorch writes ONNX, of the network that this expression gives.
std::string pytorchExport(const Sample& file, const std::string& model)
{
    return "torch.onnx.export(" + model + ", torch.zeros(1, 3, 224, 224), \"" + onnxName(file.path) + "\")";
}

using Finding = std::optional<std::string>;

Finding stub(const Sample& file)
{
    if (!file.starts("version https://git-lfs.github.com/spec/")) return {};
    return quoted(file.path) + " is a Git LFS pointer, not the model itself: fetch it with 'git lfs pull' in its repository, or download the file instead of its text.";
}

bool looksLike(const Sample& file, std::string_view tag)
{
    std::string start = file.head.substr(0, 1024);
    std::transform(start.begin(), start.end(), start.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return start.find(tag) != std::string::npos;
}

Finding markup(const Sample& file)
{
    const std::size_t first = file.head.find_first_not_of(" \t\r\n\xef\xbb\xbf");
    if (first == std::string::npos || file.head[first] != '<') return {};
    if (looksLike(file, "<html") || looksLike(file, "<!doctype html"))
        return quoted(file.path) + " is a web page, not a model: download the file itself, by the page's 'Download' or 'Raw'.";
    if (looksLike(file, "<net")) return becomes(file, "a network of OpenVINO", "export the model that it was made from to ONNX");
    if (looksLike(file, "<error")) return quoted(file.path) + " is a server's error message, not a model: download the file again.";
    return {};
}

Finding flatBuffer(const Sample& file)
{
    if (file.starts("TFL3", 4)) return becomes(file, "a TensorFlow Lite model", tf2onnx(file, "tflite"));
    if (file.starts("ORTM", 4))
        return becomes(file, "a model in ONNX Runtime's own format (ORT)",
                       "take the .onnx file that it was made from, or let ONNX Runtime load it with optimized_model_filepath set to \"" + onnxName(file.path) + "\" in its SessionOptions");
    if (file.starts("ET1", 4)) return becomes(file, "a program for ExecuTorch", "export the PyTorch model that it was made from, with torch.onnx.export");
    return {};
}

Finding hdf5(const Sample& file)
{
    if (!file.starts("\x89HDF\r\n\x1a\n")) return {};
    return becomes(file, "an HDF5 file, such as Keras writes", tf2onnx(file, "keras"));
}

std::string kerasThree(const Sample& file)
{
    return becomes(file, "a Keras model", "in Python, keras.saving.load_model(\"" + file.path + "\").export(\"" + onnxName(file.path) + "\", format=\"onnx\") converts it");
}

Finding zip(const Sample& file)
{
    if (!file.starts("PK\x03\x04")) return {};
    if (file.has("constants.pkl"))
        return becomes(file, "a TorchScript model", "in Python, " + pytorchExport(file, "torch.jit.load(\"" + file.path + "\")") + " converts it, with the shape of your images");
    if (file.has("serialized_exported_program.json") || file.has("archive_format"))
        return becomes(file, "a program of torch.export",
                       "in Python, " + pytorchExport(file, "torch.export.load(\"" + file.path + "\").module()") + " converts it, with the shape of your images");
    if (file.has("data.pkl"))
        return becomes(file, "what torch.save of PyTorch wrote, which is no network without its Python code",
                       "in Python, build the model, load this into it and call " + pytorchExport(file, "model.eval()") + ", with the shape of your images");
    if (file.has("model.weights.h5")) return kerasThree(file);
    return quoted(file.path) + " is a ZIP archive: unpack it and open the .onnx file in it.";
}

Finding pickle(const Sample& file)
{
    const bool legacy = file.starts("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19");
    const bool any = file.head.size() > 2 && file.head[0] == '\x80' && file.head[1] >= 2 && file.head[1] <= 5 && file.tail.ends_with('.');
    if (!legacy && !any) return {};
    const std::string what = legacy ? "what torch.save of PyTorch wrote" : "a Python pickle";
    return becomes(file, what + ", which is no network without its Python code",
                   "in Python, build the model, load this into it and call " + pytorchExport(file, "model.eval()") + ", with the shape of your images");
}

Finding archive(const Sample& file)
{
    const std::pair<std::string_view, const char*> kinds[] = {
        {"\x1f\x8b", "gzip"}, {"BZh", "bzip2"}, {std::string_view("\xfd" "7zXZ\0", 6), "xz"}, {"\x28\xb5\x2f\xfd", "Zstandard"}, {"7z\xbc\xaf\x27\x1c", "7-Zip"}, {"Rar!", "RAR"}};
    for (const auto& [magic, name] : kinds)
        if (file.starts(magic)) return quoted(file.path) + " is packed with " + name + ": unpack it and open the .onnx file that it holds.";
    if (file.starts("ustar", 257)) return quoted(file.path) + " is a tar archive: unpack it and open the .onnx file that it holds.";
    return {};
}

Finding safetensors(const Sample& file)
{
    if (file.head.size() < 10 || file.head[8] != '{') return {};
    std::uint64_t length = 0;
    for (std::size_t i = 8; i-- > 0;) length = length << 8 | static_cast<unsigned char>(file.head[i]);
    if (length < 2 || length > file.size - 8) return {};
    return becomes(file, "a file of tensors (safetensors), which holds no network",
                   "in Python, build the model, load them with safetensors.torch.load_model(model, \"" + file.path + "\") and call " + pytorchExport(file, "model.eval()") +
                       ", with the shape of your images");
}

Finding json(const Sample& file)
{
    const std::size_t first = file.head.find_first_not_of(" \t\r\n\xef\xbb\xbf");
    if (first == std::string::npos || file.head[first] != '{' || file.has("\"fovea.")) return {};
    const std::string keras = fs::path(file.path).replace_extension(".h5").string();
    const bool layers = file.has("\"layers-model\"") || (file.has("\"weightsManifest\"") && file.has("\"model_config\""));
    if (layers)
        return becomes(file, "a TensorFlow.js model of layers",
                       command("tensorflowjs_converter --input_format tfjs_layers_model --output_format keras " + shellWord(file.path) + " " + shellWord(keras)) +
                           ", then 'python -m tf2onnx.convert --keras " + shellWord(keras) + " --output " + onnxWord(file.path) + "'");
    if (file.has("\"weightsManifest\"") || file.has("\"graph-model\"")) return becomes(file, "a TensorFlow.js model", tf2onnx(file, "tfjs"));
    if (file.has("\"class_name\"") && file.has("\"config\""))
        return becomes(file, "a Keras network without its weights", "in Python, load it with its weights and call model.export(\"" + onnxName(file.path) + "\", format=\"onnx\")");
    return {};
}

// The fields at the top of a message in Protocol Buffers: their numbers and wire types, and where the first one of
// number 1 that has a length begins. Empty where the bytes are none.
struct Message {
    std::vector<std::pair<std::uint64_t, unsigned>> fields;
    std::string_view first;

    bool has(std::uint64_t number, unsigned wire) const { return std::find(fields.begin(), fields.end(), std::pair{number, wire}) != fields.end(); }
    bool hasFrom(std::uint64_t number) const
    {
        return std::any_of(fields.begin(), fields.end(), [&](const auto& field) { return field.first >= number; });
    }
};

// Reads as far as the head goes; a length may lead beyond it.
Message messageOf(const Sample& file)
{
    constexpr std::size_t kMost = 4096;
    Message out;
    const std::string_view bytes = file.head;
    std::uint64_t at = 0;
    const auto number = [&]() -> std::optional<std::uint64_t> {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64 && at < bytes.size(); shift += 7) {
            const auto byte = static_cast<unsigned char>(bytes[static_cast<std::size_t>(at++)]);
            value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
            if (byte < 0x80) return value;
        }
        return std::nullopt;
    };
    while (at < bytes.size() && out.fields.size() < kMost) {
        const auto tag = number();
        if (!tag || *tag < 8) return {};
        const auto wire = static_cast<unsigned>(*tag & 7);
        out.fields.emplace_back(*tag >> 3, wire);
        const auto value = wire == 0 || wire == 2 ? number() : std::optional<std::uint64_t>(wire == 1 ? 8 : 4);
        if (!value || wire == 3 || wire == 4 || wire > 5) return {};
        if (wire == 0) continue;
        if (*value > file.size - at) return {};
        if (*tag >> 3 == 1 && wire == 2 && out.first.empty()) out.first = bytes.substr(static_cast<std::size_t>(at), static_cast<std::size_t>(*value));
        at += *value;
    }
    return out;
}

Finding protobuf(const Sample& file)
{
    const Message message = messageOf(file);
    if (message.fields.empty()) return {};
    constexpr std::uint64_t kCoreMlTypes = 200;  // Model.Type: from pipelineClassifier on
    const bool isCoreMl = message.has(1, 0) && message.has(2, 2) && message.hasFrom(kCoreMlTypes);
    if (isCoreMl)
        return becomes(file, "a Core ML model",
                       "convert the model that it was made from, or in Python onnxmltools.utils.save_model(onnxmltools.convert_coreml(coremltools.utils.load_spec(\"" + file.path + "\")), \"" +
                           onnxName(file.path) + "\")");
    if (message.has(7, 2)) return {};  // the graph of an ONNX model
    if (message.has(1, 2) && message.hasFrom(100)) return becomes(file, "the weights of a Caffe network", "convert it with its .prototxt by a tool such as caffe2onnx");
    // tensorflow.SavedModel: a version and graphs with their meta data.
    if (message.has(1, 0) && message.has(2, 2) && !message.hasFrom(3))
        return becomes(file, "a TensorFlow SavedModel",
                       command("python -m tf2onnx.convert --saved-model " + shellWord(folderOf(file.path)) + " --output " + onnxWord(file.path)));
    if (!message.has(1, 2)) return {};
    // tensorflow.GraphDef: nodes, which begin with their names.
    if (message.first.starts_with('\n') && message.first.find('\x12') != std::string_view::npos)
        return becomes(file, "a frozen TensorFlow graph",
                       command("python -m tf2onnx.convert --graphdef " + shellWord(file.path) + " --inputs INPUT:0 --outputs OUTPUT:0 --output " + onnxWord(file.path)));
    // paddle.framework.proto.ProgramDesc: blocks, which begin with their numbers.
    if (message.first.starts_with('\b'))
        return becomes(file, "a PaddlePaddle program",
                       command("paddle2onnx --model_dir " + shellWord(folderOf(file.path)) + " --model_filename " + shellWord(fs::path(file.path).filename().string()) +
                               " --params_filename PARAMETERS --save_file " + onnxWord(file.path)));
    return {};
}

// An ONNX model whose name does not say so.
Finding renamed(const Sample& file)
{
    const std::string ending = fs::path(file.path).extension().string();
    const Message message = messageOf(file);
    if (ending == ".onnx" || ending == ".fovea" || !message.has(1, 0) || !message.has(7, 2) || message.hasFrom(100)) return {};
    return quoted(file.path) + " is an ONNX model by its content, but its name does not end in .onnx: rename it.";
}

Finding folder(const fs::path& path)
{
    std::error_code failed;
    const auto in = [&](const char* name) { return fs::exists(path / name, failed); };
    Sample it;
    it.path = path.string();
    while (it.path.size() > 1 && it.path.ends_with('/')) it.path.pop_back();
    if (in("saved_model.pb")) return becomes(it, "a TensorFlow SavedModel", tf2onnx(it, "saved-model"));
    if (in("model.json")) return foreignModel(path / "model.json");
    if (in("Manifest.json") && in("Data")) return becomes(it, "a Core ML package", "export the model that it was made from to ONNX");
    return {};
}

}  // namespace

std::optional<std::string> foreignModel(const std::filesystem::path& path)
{
    try {
        if (fs::is_directory(path)) return folder(path);
        const Sample file = sampleOf(path);
        for (const auto known : {stub, markup, flatBuffer, hdf5, zip, pickle, archive, safetensors, json, renamed, protobuf})
            if (Finding what = known(file)) return what;
    } catch (const std::exception&) {
        // What opens it says why it cannot be read.
    }
    return std::nullopt;
}

}  // namespace fovea
