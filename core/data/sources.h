// The kinds of data that openData() knows. Each opener returns nullopt where the folder holds nothing of its kind, and
// throws where it does but cannot be read.
#pragma once

#include "core/data/dataset.h"

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fovea {

// What a source has: `validation` is null where it has no split of its own.
struct Opened {
    DatasetPtr train, validation;
    std::string kind;             // "images in class folders", "CIFAR-10", ...
    std::int64_t otherFiles = 0;  // that are no images by their ending
    std::vector<std::string> emptyFolders = {};  // of classes without an image
};

std::optional<Opened> openFolder(const std::filesystem::path& folder);
std::optional<Opened> openCifar(const std::filesystem::path& folder);
std::optional<Opened> openIdx(const std::filesystem::path& folder);

std::vector<std::string> numberedClasses(std::int64_t count);  // "0", "1", ...

// Both parts of a split: the same share of every class, chosen by the seed alone, in the source's order.
std::pair<DatasetPtr, DatasetPtr> splitByClass(const DatasetPtr& all, const SplitOptions& options);

}  // namespace fovea
