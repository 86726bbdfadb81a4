// IDX files as MNIST has them (http://yann.lecun.com/exdb/mnist): big-endian, 0x00000803 and three sizes before the
// pixels, 0x00000801 and one size before the labels; also compressed with gzip.
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/data/codecs.h"
#include "core/data/sources.h"

#include <algorithm>

namespace fovea {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLimit = std::size_t{1} << 32;

// The whole content of a file, unpacked where it ends in .gz.
struct Content {
    std::shared_ptr<const MappedFile> file;
    std::vector<std::byte> unpacked;
    bool isPacked = false;
    Bytes bytes() const { return isPacked ? Bytes(unpacked) : file->bytes(); }
};

std::size_t numberAt(Bytes bytes, std::size_t at)
{
    std::size_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<std::size_t>(bytes[at + i]);
    return value;
}

struct IdxFile {
    Content content;
    std::vector<std::size_t> sizes;
    Bytes data;
};

std::size_t checkedSize(Bytes head, std::size_t rank, std::vector<std::size_t>& sizes)
{
    std::size_t bytes = 4 + 4 * rank, total = 1;
    for (std::size_t i = 0; i < rank; ++i) {
        sizes.push_back(numberAt(head, 4 + 4 * i));
        if (sizes.back() == 0 || sizes.back() > kLimit / total)
            throw Error(ErrorCode::Format, "The file says that its size " + std::to_string(i) + " is " +
                                               std::to_string(sizes.back()) + ".");
        total *= sizes.back();
    }
    return bytes + total;
}

IdxFile readIdx(const fs::path& path, std::size_t rank)
{
    try {
        IdxFile out;
        out.content.file = MappedFile::open(path);
        out.content.isPacked = path.extension() == ".gz";
        const std::size_t headSize = 4 + 4 * rank;
        if (out.content.isPacked) out.content.unpacked = gunzip(out.content.file->bytes(), headSize);
        const Bytes head = out.content.bytes();
        if (head.size() < headSize || numberAt(head, 0) != 0x800 + rank)
            throw Error(ErrorCode::Format, "The file is no IDX file of bytes with " + std::to_string(rank) +
                                               (rank == 1 ? " size." : " sizes."));
        const std::size_t expected = checkedSize(head, rank, out.sizes);
        // One byte more than expected shows a file that is too long.
        if (out.content.isPacked) out.content.unpacked = gunzip(out.content.file->bytes(), expected + 1);
        const Bytes all = out.content.bytes();
        if (all.size() != expected)
            throw Error(ErrorCode::Format, "The file should have " + std::to_string(expected) +
                                               " bytes for the sizes it states, but has " +
                                               (all.size() > expected ? "more." : std::to_string(all.size()) + "."));
        out.data = all.subspan(headSize);
        return out;
    } catch (Error& error) {
        throw error.within(path.filename().string());
    }
}

class IdxDataset final : public Dataset {
public:
    IdxDataset(std::string name, IdxFile images, IdxFile labels)
        : m_name(std::move(name)), m_images(std::move(images)), m_labels(std::move(labels))
    {
        if (m_images.sizes[0] != m_labels.sizes[0])
            throw Error(ErrorCode::Format, "'" + m_name + "' has " + std::to_string(m_images.sizes[0]) +
                                               " images, but its labels are " + std::to_string(m_labels.sizes[0]) +
                                               ".");
        imageOf(rows(), columns(), 1);
    }
    int largestLabel() const { return static_cast<int>(*std::max_element(m_labels.data.begin(), m_labels.data.end())); }
    void setClasses(std::int64_t count) { m_classes = numberedClasses(count); }

    std::int64_t size() const override { return static_cast<std::int64_t>(m_labels.data.size()); }
    int label(std::int64_t index) const override
    {
        return static_cast<int>(m_labels.data[static_cast<std::size_t>(index)]);
    }
    std::string nameOf(std::int64_t index) const override { return m_name + ", image " + std::to_string(index); }
    Image image(std::int64_t index, std::int64_t) const override
    {
        Image out = imageOf(rows(), columns(), 1);
        const std::size_t pixels = m_images.sizes[1] * m_images.sizes[2];
        const auto* from =
            reinterpret_cast<const std::uint8_t*>(m_images.data.data()) + static_cast<std::size_t>(index) * pixels;
        out.pixels.assign(from, from + pixels);
        return out;
    }

private:
    std::int64_t rows() const { return static_cast<std::int64_t>(m_images.sizes[1]); }
    std::int64_t columns() const { return static_cast<std::int64_t>(m_images.sizes[2]); }
    std::string m_name;
    IdxFile m_images, m_labels;
};

std::string replaced(std::string text, const std::string& from, const std::string& to)
{
    const std::size_t at = text.find(from);
    return at == std::string::npos ? std::string() : text.replace(at, from.size(), to);
}

// A file of this name, or with .gz behind or taken away.
std::optional<fs::path> existing(const fs::path& folder, const std::string& name)
{
    std::error_code ignored;
    const std::string plain = name.ends_with(".gz") ? name.substr(0, name.size() - 3) : name;
    for (const std::string& form : {plain, plain + ".gz"})
        if (!name.empty() && fs::is_regular_file(folder / form, ignored)) return folder / form;
    return std::nullopt;
}

std::shared_ptr<IdxDataset> partOf(const fs::path& images)
{
    const std::string name = images.filename().string();
    const auto labels = existing(images.parent_path(), replaced(replaced(name, "images", "labels"), "idx3", "idx1"));
    if (!labels)
        throw Error(ErrorCode::File,
                    "'" + images.string() + "' has no labels beside it; train-labels-idx1-ubyte was expected.");
    return std::make_shared<IdxDataset>(name, readIdx(images, 3), readIdx(*labels, 1));
}

std::optional<fs::path> trainingImages(const fs::path& folder)
{
    std::error_code trouble;
    std::vector<fs::path> found;
    for (fs::directory_iterator it(folder, trouble), end; !trouble && it != end; it.increment(trouble)) {
        const std::string name = it->path().filename().string();
        if (name.find("train-images") != std::string::npos && name.find("idx3") != std::string::npos)
            found.push_back(it->path());
    }
    std::sort(found.begin(), found.end());
    return found.empty() ? std::nullopt : std::optional(found.front());
}

}  // namespace

std::optional<Opened> openIdx(const fs::path& folder)
{
    const auto images = trainingImages(folder);
    if (!images) return std::nullopt;
    const auto train = partOf(*images);
    const std::string name = images->filename().string();
    std::shared_ptr<IdxDataset> test;
    for (const char* held : {"t10k", "test"})
        if (const auto path = test ? std::nullopt : existing(folder, replaced(name, "train", held)))
            test = partOf(*path);
    const std::int64_t classes = 1 + std::max(train->largestLabel(), test ? test->largestLabel() : 0);
    train->setClasses(classes);
    if (test) test->setClasses(classes);
    return Opened{train, test, "IDX files"};
}

}  // namespace fovea
