#include "core/data/dataset.h"

#include "core/base/error.h"
#include "core/base/random.h"
#include "core/data/patterns.h"
#include "core/data/sources.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string_view>

namespace fovea {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kSplitPurpose = 0x5711;

class Subset final : public Dataset {
public:
    Subset(DatasetPtr all, std::vector<std::int64_t> indices) : m_all(std::move(all)), m_indices(std::move(indices))
    {
        m_classes = m_all->classes();
    }
    std::int64_t size() const override { return static_cast<std::int64_t>(m_indices.size()); }
    int label(std::int64_t index) const override { return m_all->label(at(index)); }
    bool canBeMirrored() const override { return m_all->canBeMirrored(); }
    std::string nameOf(std::int64_t index) const override { return m_all->nameOf(at(index)); }
    Image image(std::int64_t index, std::int64_t leastSide) const override
    {
        return m_all->image(at(index), leastSide);
    }

private:
    std::int64_t at(std::int64_t index) const { return m_indices.at(static_cast<std::size_t>(index)); }
    DatasetPtr m_all;
    std::vector<std::int64_t> m_indices;
};

std::string counted(std::int64_t count, const char* one, const char* many)
{
    return std::to_string(count) + " " + (count == 1 ? one : many);
}

std::string describe(const DataParts& parts, const Opened& opened, const std::string& split)
{
    std::string out = opened.kind + ": " + counted(parts.train->size(), "image", "images") + " to train on, " +
                      std::to_string(parts.validation->size()) + " to validate, " +
                      counted(static_cast<std::int64_t>(parts.train->classes().size()), "class", "classes") + "; " +
                      split;
    if (opened.otherFiles > 0) out += "; " + counted(opened.otherFiles, "other file", "other files") + " left out";
    if (!opened.otherPictures.empty())
        out += ", among them " + otherPicturesText(opened.otherPictures) + ": Fovea reads JPEG, PNG and BMP, so convert them";
    constexpr std::size_t kNamed = 5;
    for (std::size_t i = 0; i < std::min(opened.emptyFolders.size(), kNamed); ++i)
        out += (i == 0 ? "; no images in '" : ", '") + opened.emptyFolders[i] + "'";
    if (opened.emptyFolders.size() > kNamed)
        out += " and " + std::to_string(opened.emptyFolders.size() - kNamed) + " more folders";
    return out;
}

std::string listing(const fs::path& folder)
{
    std::error_code ignored;
    std::int64_t folders = 0, files = 0;
    for (const auto& entry : fs::directory_iterator(folder, ignored))
        (entry.is_directory(ignored) ? folders : files) += 1;
    return counted(folders, "folder", "folders") + " and " + counted(files, "file", "files");
}

Opened openKnown(const fs::path& folder)
{
    for (const auto open : {openCifar, openIdx, openFolder})
        if (auto opened = open(folder)) return std::move(*opened);
    if (const std::string pictures = otherPicturesText(otherPicturesIn(folder)); !pictures.empty())
        throw Error(ErrorCode::Format, "'" + folder.string() + "' has " + pictures + ", but Fovea reads JPEG, PNG and BMP: convert them, into a folder for each class.");
    throw Error(
        ErrorCode::Format,
        "'" + folder.string() +
            "' holds no data that Fovea reads: looked for a folder of JPEG, PNG or BMP images for "
            "each class (in train/ and val/ or directly), the binary files of CIFAR-10 or CIFAR-100, and IDX files "
            "such as train-images-idx3-ubyte; it has " +
            listing(folder) + ".");
}

}  // namespace

std::vector<std::string> numberedClasses(std::int64_t count)
{
    std::vector<std::string> out;
    for (std::int64_t i = 0; i < count; ++i) out.push_back(std::to_string(i));
    return out;
}

std::pair<DatasetPtr, DatasetPtr> splitByClass(const DatasetPtr& all, const SplitOptions& options)
{
    std::vector<std::vector<std::int64_t>> byClass(all->classes().size());
    for (std::int64_t i = 0; i < all->size(); ++i) byClass[static_cast<std::size_t>(all->label(i))].push_back(i);
    std::vector<std::int64_t> train, validation;
    for (std::size_t c = 0; c < byClass.size(); ++c) {
        auto& indices = byClass[c];
        RandomStream stream(options.seed, {kSplitPurpose, c});
        stream.shuffle(indices);
        // Every class keeps at least one image to train on, and gives one where it has two.
        auto share = static_cast<std::size_t>(std::llround(static_cast<double>(indices.size()) * options.validation));
        if (options.validation > 0 && indices.size() > 1) share = std::clamp<std::size_t>(share, 1, indices.size() - 1);
        share = std::min(share, indices.empty() ? 0 : indices.size() - 1);
        const auto middle = indices.begin() + static_cast<std::ptrdiff_t>(share);
        validation.insert(validation.end(), indices.begin(), middle);
        train.insert(train.end(), middle, indices.end());
    }
    std::sort(train.begin(), train.end());
    std::sort(validation.begin(), validation.end());
    return {std::make_shared<Subset>(all, std::move(train)), std::make_shared<Subset>(all, std::move(validation))};
}

DatasetPtr partOfDataset(DatasetPtr all, std::vector<std::int64_t> indices)
{
    return std::make_shared<Subset>(std::move(all), std::move(indices));
}

std::string absoluteSource(const std::string& source)
{
    std::error_code none;
    return std::filesystem::exists(source, none) ? std::filesystem::absolute(source).lexically_normal().string()
                                                 : source;
}

void refuseOneClass(const DataParts& parts, const std::string& source)
{
    if (parts.train->classes().size() < 2)
        throw Error(ErrorCode::Usage, "'" + source + "' has one class, '" + parts.train->classes().front() +
                                          "': there is nothing to tell apart. Put the images of each class into a folder of "
                                          "its own.");
}

DataParts openData(const std::string& source, const SplitOptions& options)
{
    if (!(options.validation >= 0 && options.validation < 1))
        throw Error(ErrorCode::Usage, "The share for validation must be at least 0 and below 1, but is " +
                                          std::to_string(options.validation) + ".");
    if (source == "patterns" || source.starts_with("patterns:")) {
        DataParts parts = openPatterns(parsePatterns(source));
        parts.description = describe(parts, {.kind = "generated patterns"}, "made from " + source);
        return parts;
    }
    std::error_code ignored;
    if (!fs::exists(source, ignored))
        throw Error(ErrorCode::File, "'" + source + "' does not exist; a folder of images or 'patterns' was expected.");
    if (!fs::is_directory(source, ignored))
        throw Error(ErrorCode::Usage, "'" + source + "' is a file; a folder of images or 'patterns' was expected.");
    const Opened opened = openKnown(source);
    DataParts parts{opened.train, opened.validation, {}};
    std::string split = "split as the data is";
    if (!parts.validation) {
        std::tie(parts.train, parts.validation) = splitByClass(opened.train, options);
        split = "every class split with seed " + std::to_string(options.seed);
    }
    parts.description = describe(parts, opened, split);
    return parts;
}

}  // namespace fovea
