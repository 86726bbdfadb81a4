#include "core/io/onnx/metadata.h"

#include "core/io/json/preprocessing_json.h"

#include <algorithm>

namespace fovea {

namespace {

constexpr const char* kKey = "fovea.preprocessing";

// Whole numbers are the values of an image as they are: no scale is left to state.
std::optional<Preprocessing> ofWholeNumbers(const onnx::ModelProto& model)
{
    const auto& inputs = model.graph().input();
    const auto image = std::find_if(inputs.begin(), inputs.end(), [](const auto& input) {
        const int rank = input.type().tensor_type().shape().dim_size();
        return rank == 3 || rank == 4;
    });
    if (image == inputs.end() || image->type().tensor_type().elem_type() != onnx::TensorProto::UINT8) return std::nullopt;
    Preprocessing out;
    out.mean = {0};
    out.deviation = {1.0 / 255};
    return out;
}

bool isOurs(const onnx::StringStringEntryProto& entry) { return entry.key() == kKey; }

}  // namespace

std::optional<Preprocessing> readPreprocessing(const onnx::ModelProto& model, std::vector<Issue>* notes)
{
    const auto& props = model.metadata_props();
    const auto entry = std::find_if(props.begin(), props.end(), isOurs);
    if (entry == props.end()) return ofWholeNumbers(model);
    try {
        const Json root = parseJson(entry->value());
        return preprocessingFrom(JsonAt(root));
    } catch (const Error& error) {
        if (notes)
            notes->push_back({"preprocessing-unread", Severity::Warning, "", "",
                              std::string("The file's metadata '") + kKey + "' cannot be read: " + error.message(),
                              "Set the preprocessing anew; the network itself is not affected."});
        return std::nullopt;
    }
}

void writePreprocessing(const std::optional<Preprocessing>& preprocessing, onnx::ModelProto& model)
{
    if (readPreprocessing(model, nullptr) == preprocessing) return;
    auto* props = model.mutable_metadata_props();
    props->erase(std::remove_if(props->begin(), props->end(), isOurs), props->end());
    if (!preprocessing) return;
    auto* entry = model.add_metadata_props();
    entry->set_key(kKey);
    entry->set_value(jsonLine(toJson(*preprocessing)));
}

}  // namespace fovea
