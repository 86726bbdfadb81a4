// Names and groups from what exporters write: "/layer1/layer1.0/conv1/Conv" is module layer1.0.conv1.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fovea {

// The module's dotted path in a node name with scopes; empty where the name has none.
std::string modulePath(std::string_view nodeName);

// The parent of a dotted path; empty where it has none.
std::string parentPath(std::string_view path);

// The common module path of several nodes, empty where they share none.
std::string commonPath(const std::vector<std::string>& nodeNames);

// Whether an exporter made up the name of a tensor ("onnx::Conv_497", "497"), as it does for weights into
// which it folded a normalisation.
bool isMadeUpName(std::string_view tensor);

// What Fovea writes as the doc_string of each node of a layer, and reads again: ONNX has no groups, several
// nodes may be one layer, and some kinds are written as what they are at one size.
struct LayerTag {
    std::string kind, name, group;
    bool operator==(const LayerTag&) const = default;
};
std::string tagText(const LayerTag& tag);
std::optional<LayerTag> readTag(std::string_view docString);

}  // namespace fovea
