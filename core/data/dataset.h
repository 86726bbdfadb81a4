// Labelled images, wherever they lie. Everything here works without LibTorch.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace fovea {

// Rows from the top, pixels from the left, interleaved; 1 channel (grey) or 3 (red, green, blue).
struct Image {
    std::int64_t height = 0, width = 0, channels = 0;
    std::vector<std::uint8_t> pixels;
};

class Dataset {
public:
    virtual ~Dataset() = default;

    virtual std::int64_t size() const = 0;
    virtual int label(std::int64_t index) const = 0;  // in [0, classes().size())
    // What a user would look for: a path, or "data_batch_1.bin, image 17".
    virtual std::string nameOf(std::int64_t index) const = 0;
    // May be decoded at a smaller scale as long as no side falls below `leastSide` (0: full size). Callable from
    // several threads at once. Error(File | Format | Limit) where the image is broken.
    virtual Image image(std::int64_t index, std::int64_t leastSide) const = 0;

    // False where a mirrored image may belong to another class, so that none is mirrored.
    virtual bool canBeMirrored() const { return true; }

    const std::vector<std::string>& classes() const { return m_classes; }

protected:
    std::vector<std::string> m_classes;
};

using DatasetPtr = std::shared_ptr<const Dataset>;

// The images at `indices` of another one, in that order.
DatasetPtr partOfDataset(DatasetPtr all, std::vector<std::int64_t> indices);

struct DataParts {
    DatasetPtr train, validation;  // the same classes
    std::string description;       // one line: what, how many images and classes, how it was split
};

struct SplitOptions {
    double validation = 0.2;  // share of every class, where the source has no split of its own
    std::uint64_t seed = 0;
};

// SOURCE is a folder (a folder for each class; with train/ and val/ or test/ inside: a split of its own; the binary
// files of CIFAR-10 or CIFAR-100; IDX files as MNIST has them, also .gz), or "patterns[:key=value,...]", the built-in
// generator (core/data/patterns.h). Error(File | Format | Usage) says what was looked for and what is there.
DataParts openData(const std::string& source, const SplitOptions& options);
// Error(Usage) where there is nothing to tell apart.
void refuseOneClass(const DataParts& parts, const std::string& source);
// A source as it is found from any folder: the path of files that are there made absolute, anything else as it is.
std::string absoluteSource(const std::string& source);

}  // namespace fovea
