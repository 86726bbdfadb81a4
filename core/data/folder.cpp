#include "core/base/error.h"
#include "core/data/decode.h"
#include "core/data/pictures.h"
#include "core/data/sources.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <set>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace fovea {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFile = std::size_t{1} << 29;
constexpr int kMaxDepth = 16;

struct Descriptor {
    int number;
    ~Descriptor()
    {
        if (number >= 0) ::close(number);
    }
};

[[noreturn]] void cannotRead(const fs::path& path)
{
    throw Error(ErrorCode::File, "'" + path.string() + "' could not be read: " + std::strerror(errno) + ".");
}

// Read, not mapped: files of a data set are small and many, and one that is cut while it is read must not end Fovea.
void readFile(const fs::path& path, std::vector<std::byte>& out)
{
    const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    struct stat status {};
    if (file.number < 0 || ::fstat(file.number, &status) != 0) cannotRead(path);
    if (!S_ISREG(status.st_mode)) throw Error(ErrorCode::File, "'" + path.string() + "' is no file.");
    if (static_cast<std::size_t>(status.st_size) > kMaxFile)
        throw Error(ErrorCode::Limit, "'" + path.string() + "' has " + std::to_string(status.st_size) +
                                          " bytes; images of up to " + std::to_string(kMaxFile) + " are read.");
    out.resize(static_cast<std::size_t>(status.st_size));
    std::size_t done = 0;
    while (done < out.size()) {
        const ssize_t got = ::read(file.number, out.data() + done, out.size() - done);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) cannotRead(path);
        if (got == 0) break;
        done += static_cast<std::size_t>(got);
    }
    out.resize(done);
}

class FolderDataset final : public Dataset {
public:
    FolderDataset(fs::path root, std::vector<std::string> classes) : m_root(std::move(root))
    {
        m_classes = std::move(classes);
    }

    void add(std::string path, int label) { m_files.push_back({std::move(path), label}); }

    std::int64_t size() const override { return static_cast<std::int64_t>(m_files.size()); }
    int label(std::int64_t index) const override { return file(index).label; }
    std::string nameOf(std::int64_t index) const override { return (m_root / file(index).path).string(); }
    Image image(std::int64_t index, std::int64_t leastSide) const override
    {
        thread_local std::vector<std::byte> bytes;
        readFile(m_root / file(index).path, bytes);
        return decodeImage(bytes, leastSide);
    }

private:
    struct File {
        std::string path;  // below the root
        int label;
    };
    const File& file(std::int64_t index) const { return m_files.at(static_cast<std::size_t>(index)); }
    fs::path m_root;
    std::vector<File> m_files;
};

bool isImageName(const fs::path& path)
{
    std::string ending = path.extension().string();
    std::transform(ending.begin(), ending.end(), ending.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    constexpr std::array<std::string_view, 4> kEndings{".jpg", ".jpeg", ".png", ".bmp"};
    return std::find(kEndings.begin(), kEndings.end(), ending) != kEndings.end();
}

// Hidden files are those of file managers and of copies between systems.
bool isHidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

std::vector<fs::path> entriesOf(const fs::path& folder)
{
    std::error_code trouble;
    std::vector<fs::path> out;
    for (fs::directory_iterator it(folder, trouble), end; !trouble && it != end; it.increment(trouble))
        if (!isHidden(it->path())) out.push_back(it->path());
    if (trouble)
        throw Error(ErrorCode::File,
                    "The folder '" + folder.string() + "' could not be read: " + trouble.message() + ".");
    std::sort(out.begin(), out.end());
    return out;
}

struct Found {
    std::vector<std::string> images;  // below the folder that was searched
    std::int64_t others = 0;
    std::map<std::string, std::int64_t> pictures;  // among the others, by format
};

void addPictures(std::map<std::string, std::int64_t>& all, const std::map<std::string, std::int64_t>& more)
{
    for (const auto& [format, count] : more) all[format] += count;
}

// Follows links to folders, but no folder twice.
void search(const fs::path& folder, const fs::path& below, int depth, std::set<fs::path>& seen, Found& found)
{
    std::error_code ignored;
    const fs::path real = fs::canonical(folder, ignored);
    if (depth > kMaxDepth || real.empty() || !seen.insert(real).second) return;
    for (const fs::path& path : entriesOf(folder)) {
        const fs::path name = below / path.filename();
        if (fs::is_directory(path, ignored)) search(path, name, depth + 1, seen, found);
        else if (isImageName(path)) found.images.push_back(name.string());
        else {
            ++found.others;
            if (const std::string format = pictureFormat(path); !format.empty()) ++found.pictures[format];
        }
    }
}

struct ClassFolder {
    std::string name;
    Found found;
};

struct ClassFolders {
    std::vector<ClassFolder> classes;  // those with images, sorted by name
    std::vector<std::string> empty;    // those without
    std::int64_t others = 0;
    std::map<std::string, std::int64_t> pictures;
};

ClassFolders classesIn(const fs::path& root)
{
    ClassFolders out;
    std::error_code ignored;
    for (const fs::path& path : entriesOf(root)) {
        if (!fs::is_directory(path, ignored)) {
            ++out.others;
            continue;
        }
        ClassFolder folder{path.filename().string(), {}};
        std::set<fs::path> seen{fs::canonical(root, ignored)};
        search(path, path.filename(), 0, seen, folder.found);
        out.others += folder.found.others;
        addPictures(out.pictures, folder.found.pictures);
        if (folder.found.images.empty()) out.empty.push_back(folder.name);
        else out.classes.push_back(std::move(folder));
    }
    return out;
}

std::vector<std::string> namesOf(const ClassFolders& folders)
{
    std::vector<std::string> out;
    for (const ClassFolder& folder : folders.classes) out.push_back(folder.name);
    return out;
}

DatasetPtr datasetOf(const fs::path& root, const ClassFolders& folders, const std::vector<std::string>& classes)
{
    auto out = std::make_shared<FolderDataset>(root, classes);
    for (const ClassFolder& folder : folders.classes) {
        const auto place = std::lower_bound(classes.begin(), classes.end(), folder.name);
        if (place == classes.end() || *place != folder.name)
            throw Error(ErrorCode::Format,
                        "'" + (root / folder.name).string() + "' is a class that the training images do not have.");
        for (const std::string& image : folder.found.images) out->add(image, static_cast<int>(place - classes.begin()));
    }
    return out;
}

// A class may be called "train": then images lie in it, not class folders.
bool isParted(const fs::path& folder)
{
    std::error_code ignored;
    if (!fs::is_directory(folder / "train", ignored)) return false;
    const std::vector<fs::path> entries = entriesOf(folder / "train");
    return !std::any_of(entries.begin(), entries.end(), isImageName) || !classesIn(folder / "train").classes.empty();
}

}  // namespace

std::map<std::string, std::int64_t> otherPicturesIn(const fs::path& folder)
{
    std::set<fs::path> seen;
    Found found;
    search(folder, {}, 0, seen, found);
    return found.pictures;
}

std::string otherPicturesText(const std::map<std::string, std::int64_t>& pictures)
{
    std::string out;
    std::size_t left = pictures.size();
    for (const auto& [format, count] : pictures) {
        out += std::to_string(count) + " " + format;
        if (--left > 0) out += left == 1 ? " and " : ", ";
    }
    if (out.empty()) return out;
    return out + (pictures.size() == 1 && pictures.begin()->second == 1 ? " picture" : " pictures");
}

std::optional<Opened> openFolder(const fs::path& folder)
{
    std::error_code ignored;
    const bool parted = isParted(folder);
    const fs::path root = parted ? folder / "train" : folder;
    const ClassFolders folders = classesIn(root);
    if (folders.classes.empty()) return std::nullopt;
    const std::vector<std::string> classes = namesOf(folders);
    Opened out{datasetOf(root, folders, classes), nullptr, "images in class folders", folders.others, folders.empty, folders.pictures};
    for (const char* name : {"val", "valid", "validation", "test"}) {
        if (!parted || !fs::is_directory(folder / name, ignored)) continue;
        const ClassFolders held = classesIn(folder / name);
        if (held.classes.empty()) continue;  // such as a test set without labels
        out.validation = datasetOf(folder / name, held, classes);
        out.otherFiles += held.others;
        addPictures(out.otherPictures, held.pictures);
        break;
    }
    return out;
}

}  // namespace fovea
