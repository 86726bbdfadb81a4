#include "core/io/document/document_file.h"

#include "core/base/files.h"
#include "core/io/document/content_hash.h"
#include "core/io/document/document_text.h"
#include "core/io/safetensors/safetensors.h"

#include <algorithm>
#include <system_error>

namespace fovea {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxDocument = 256u << 20;
constexpr std::string_view kWeightsEnding = ".safetensors";
constexpr std::size_t kHashDigits = 32;

std::string stemOf(const fs::path& document) { return document.stem().string(); }

// Whether the file name is STEM.HASH.safetensors: only such files were written by a save of this document.
bool isOwnWeights(const std::string& name, const std::string& stem)
{
    if (name.size() != stem.size() + 1 + kHashDigits + kWeightsEnding.size()) return false;
    const std::string_view hash = std::string_view(name).substr(stem.size() + 1, kHashDigits);
    return name.starts_with(stem + ".") && name.ends_with(kWeightsEnding) &&
           hash.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// The weights that the document at `path` names; empty where there is none or it cannot be read. A document
// that is about to be replaced need not be valid.
std::string weightsNamedBy(const fs::path& path)
{
    // The name stands near the top, so a document of any size costs one page or two.
    constexpr std::size_t kTop = 64u << 10;
    try {
        const auto file = MappedFile::open(path);
        const auto bytes = file->bytes().first(std::min(kTop, file->bytes().size()));
        const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        constexpr std::string_view kKey = "\n\"weights\":\"";
        const std::size_t at = text.find(kKey);
        if (at == std::string_view::npos) return {};
        const std::size_t from = at + kKey.size(), to = text.find('"', from);
        return to == std::string_view::npos ? std::string() : std::string(text.substr(from, to - from));
    } catch (const Error&) {
        return {};
    }
}

// A copy of a document made by hand shares its weights; they must outlive a save of the original.
bool isNamedBySibling(const fs::path& folder, const fs::path& document, const std::string& weights)
{
    std::error_code failed;
    for (fs::directory_iterator it(folder, failed), end; !failed && it != end; it.increment(failed))
        if (it->path().extension() == ".fovea" && it->path().filename() != document.filename() && weightsNamedBy(it->path()) == weights)
            return true;
    return static_cast<bool>(failed);  // when in doubt, keep
}

fs::path folderOf(const fs::path& document) { return document.has_parent_path() ? document.parent_path() : fs::path("."); }

// Writes the weights under the name that their content gives them, unless they are already there.
std::string saveWeights(const Weights& weights, const fs::path& document)
{
    if (weights.empty()) return {};
    const SafetensorsLayout layout = layOutSafetensors(weights);
    const std::string name = stemOf(document) + "." + hashOf(layout) + std::string(kWeightsEnding);
    const fs::path path = folderOf(document) / name;
    std::error_code missing;
    if (fs::file_size(path, missing) == layout.size && !missing) return name;
    writeSafetensors(weights, path);
    return name;
}

}  // namespace

Model readDocument(const fs::path& path)
{
    const std::string text = readText(path, kMaxDocument);  // its errors name the path themselves
    try {
        DocumentParts parts = parseDocument(text);
        Model model{std::move(parts.graph), {}, std::move(parts.onnx)};
        if (parts.weights.empty()) return model;
        const fs::path weights = folderOf(path) / parts.weights;
        if (!fs::exists(weights))
            throw Error(ErrorCode::File, "The weights '" + parts.weights + "' are missing: they must lie beside the document.");
        model.weights = readSafetensors(weights);
        return model;
    } catch (Error& error) {
        throw error.within(path.filename().string());
    }
}

void writeDocument(const Model& model, const fs::path& path)
{
    const std::string old = weightsNamedBy(path);
    const std::string weights = saveWeights(model.weights, path);
    writeAtomically(path, composeDocument(model.graph, model.onnx.get(), weights));
    if (old == weights || !isOwnWeights(old, stemOf(path)) || isNamedBySibling(folderOf(path), path, old)) return;
    std::error_code ignored;  // a leftover costs space, not the save
    fs::remove(folderOf(path) / old, ignored);
}

}  // namespace fovea
