// The kinds of data that openData() knows. Each opener returns nullopt where the folder holds nothing of its kind, and
// throws where it does but cannot be read.
#pragma once

#include "core/data/dataset.h"

#include <filesystem>
#include <map>
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
    std::map<std::string, std::int64_t> otherPictures = {};  // among the other files, by format: "WebP"
};

std::optional<Opened> openFolder(const std::filesystem::path& folder);
// Pictures below a folder in formats that are not read, by format.
std::map<std::string, std::int64_t> otherPicturesIn(const std::filesystem::path& folder);
// "12 WebP and 3 GIF pictures"; empty where there is none.
std::string otherPicturesText(const std::map<std::string, std::int64_t>& pictures);
std::optional<Opened> openCifar(const std::filesystem::path& folder);
std::optional<Opened> openIdx(const std::filesystem::path& folder);

std::vector<std::string> numberedClasses(std::int64_t count);  // "0", "1", ...

// Both parts of a split: the same share of every class, chosen by the seed alone, in the source's order.
std::pair<DatasetPtr, DatasetPtr> splitByClass(const DatasetPtr& all, const SplitOptions& options);

}  // namespace fovea
