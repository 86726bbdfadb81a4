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

std::size_t numberAt(Bytes bytes, std::size_t at)
{
    std::size_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<std::size_t>(bytes[at + i]);
    return value;
}

struct IdxFile {
    std::shared_ptr<const PieceFile> file;
    std::vector<std::byte> unpacked;  // all of it, where the file ends in .gz
    std::vector<std::size_t> sizes;

    bool isPacked() const { return file->path().extension() == ".gz"; }
    std::size_t headSize() const { return 4 + 4 * sizes.size(); }
    void read(std::size_t offset, std::span<std::byte> out) const
    {
        if (isPacked()) std::copy_n(unpacked.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
        else file->read(offset, out);
    }
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
        IdxFile out{PieceFile::open(path), {}, {}};
        const std::size_t headSize = 4 + 4 * rank;
        if (out.isPacked()) out.unpacked = gunzip(MappedFile::open(path)->bytes(), headSize);
        std::vector<std::byte> head(headSize);
        const auto size = [&] {
            return out.isPacked() ? out.unpacked.size() : static_cast<std::size_t>(out.file->size());
        };
        if (size() >= headSize) out.read(0, head);
        if (size() < headSize || numberAt(head, 0) != 0x800 + rank)
            throw Error(ErrorCode::Format, "The file is no IDX file of bytes with " + std::to_string(rank) +
                                               (rank == 1 ? " size." : " sizes."));
        const std::size_t expected = checkedSize(head, rank, out.sizes);
        // One byte more than expected shows a file that is too long.
        if (out.isPacked()) out.unpacked = gunzip(MappedFile::open(path)->bytes(), expected + 1);
        if (size() != expected)
            throw Error(ErrorCode::Format, "The file should have " + std::to_string(expected) +
                                               " bytes for the sizes it states, but has " +
                                               (size() > expected ? "more." : std::to_string(size()) + "."));
        return out;
    } catch (Error& error) {
        throw error.within(path.filename().string());
    }
}

std::vector<std::byte> readLabels(const IdxFile& file)
{
    std::vector<std::byte> out(file.sizes[0]);
    file.read(file.headSize(), out);
    return out;
}

class IdxDataset final : public Dataset {
public:
    IdxDataset(std::string name, IdxFile images, const IdxFile& labels)
        : m_name(std::move(name)), m_images(std::move(images)), m_labels(readLabels(labels))
    {
        if (m_images.sizes[0] != m_labels.size())
            throw Error(ErrorCode::Format, "'" + m_name + "' has " + std::to_string(m_images.sizes[0]) +
                                               " images, but its labels are " + std::to_string(m_labels.size()) + ".");
        imageOf(rows(), columns(), 1);
    }
    int largestLabel() const { return static_cast<int>(*std::max_element(m_labels.begin(), m_labels.end())); }
    void setClasses(std::int64_t count) { m_classes = numberedClasses(count); }

    std::int64_t size() const override { return static_cast<std::int64_t>(m_labels.size()); }
    int label(std::int64_t index) const override { return static_cast<int>(m_labels[static_cast<std::size_t>(index)]); }
    std::string nameOf(std::int64_t index) const override { return m_name + ", image " + std::to_string(index); }
    Image image(std::int64_t index, std::int64_t) const override
    {
        Image out = imageOf(rows(), columns(), 1);
        const std::size_t pixels = m_images.sizes[1] * m_images.sizes[2];
        out.pixels.resize(pixels);
        m_images.read(m_images.headSize() + static_cast<std::size_t>(index) * pixels,
                      std::as_writable_bytes(std::span(out.pixels)));
        return out;
    }

private:
    std::int64_t rows() const { return static_cast<std::int64_t>(m_images.sizes[1]); }
    std::int64_t columns() const { return static_cast<std::int64_t>(m_images.sizes[2]); }
    std::string m_name;
    IdxFile m_images;
    std::vector<std::byte> m_labels;
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
