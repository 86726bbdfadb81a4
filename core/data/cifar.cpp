// CIFAR-10 and CIFAR-100 in their binary version (https://www.cs.toronto.edu/~kriz/cifar.html): records of one label
// (CIFAR-100: coarse and fine) and 32x32 pixels as planes of red, green and blue.
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/data/sources.h"

#include <algorithm>
#include <sstream>

namespace fovea {

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kSide = 32, kPlane = kSide * kSide;

struct Form {
    const char* kind;
    const char* names;    // the file with the classes' names
    std::int64_t labels;  // bytes in front of the pixels; the last is the class
    std::int64_t classes;
    std::vector<std::string> folders;  // that the archive unpacks to
    std::vector<std::string> train, test;

    std::int64_t record() const { return labels + 3 * kPlane; }
};

const std::vector<Form>& forms()
{
    static const std::vector<Form> all{
        {"CIFAR-10",
         "batches.meta.txt",
         1,
         10,
         {"cifar-10-batches-bin"},
         {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
         {"test_batch.bin"}},
        {"CIFAR-100", "fine_label_names.txt", 2, 100, {"cifar-100-binary"}, {"train.bin"}, {"test.bin"}}};
    return all;
}

class CifarDataset final : public Dataset {
public:
    CifarDataset(const Form& form, std::vector<std::string> classes) : m_form(form) { m_classes = std::move(classes); }

    void add(const fs::path& path)
    {
        auto file = PieceFile::open(path);
        const auto bytes = static_cast<std::int64_t>(file->size());
        if (bytes == 0 || bytes % m_form.record() != 0)
            throw Error(ErrorCode::Format, "'" + path.string() + "' has " + std::to_string(bytes) +
                                               " bytes, which are not whole images of " +
                                               std::to_string(m_form.record()) + " as " + m_form.kind + " has them.");
        for (std::int64_t at = m_form.labels - 1; at < bytes; at += m_form.record()) {
            std::byte label{};
            file->read(static_cast<std::uint64_t>(at), {&label, 1});
            m_labels.push_back(static_cast<std::uint8_t>(label));
        }
        m_size += bytes / m_form.record();
        m_parts.push_back({std::move(file), m_size});
    }

    std::int64_t size() const override { return m_size; }
    int label(std::int64_t index) const override
    {
        const int value = m_labels.at(static_cast<std::size_t>(index));
        return value < m_form.classes ? value : 0;
    }
    std::string nameOf(std::int64_t index) const override
    {
        const Place place = placeOf(index);
        return place.part->file->path().filename().string() + ", image " + std::to_string(place.index);
    }
    Image image(std::int64_t index, std::int64_t) const override
    {
        if (const int value = m_labels.at(static_cast<std::size_t>(index)); value >= m_form.classes)
            throw Error(ErrorCode::Format, "The image has the label " + std::to_string(value) + ", but there are " +
                                               std::to_string(m_form.classes) + " classes.");
        Image out{kSide, kSide, 3, std::vector<std::uint8_t>(3 * kPlane)};
        const Place place = placeOf(index);
        std::vector<std::byte> planes(3 * kPlane);
        place.part->file->read(static_cast<std::uint64_t>(place.index * m_form.record() + m_form.labels), planes);
        for (std::int64_t i = 0; i < kPlane; ++i)
            for (std::int64_t c = 0; c < 3; ++c)
                out.pixels[static_cast<std::size_t>(3 * i + c)] =
                    static_cast<std::uint8_t>(planes[static_cast<std::size_t>(c * kPlane + i)]);
        return out;
    }

private:
    struct Part {
        std::shared_ptr<const PieceFile> file;
        std::int64_t end;  // images up to and including this part
    };
    struct Place {
        const Part* part;
        std::int64_t index;
    };
    Place placeOf(std::int64_t index) const
    {
        const auto part = std::upper_bound(m_parts.begin(), m_parts.end(), index,
                                           [](std::int64_t i, const Part& p) { return i < p.end; });
        if (index < 0 || part == m_parts.end())
            throw Error(ErrorCode::Internal, "There is no image " + std::to_string(index) + ".");
        return {&*part, part == m_parts.begin() ? index : index - std::prev(part)->end};
    }
    const Form& m_form;
    std::vector<Part> m_parts;
    std::vector<std::uint8_t> m_labels;
    std::int64_t m_size = 0;
};

std::vector<std::string> classesOf(const fs::path& folder, const Form& form)
{
    std::vector<std::string> out = numberedClasses(form.classes);
    std::error_code ignored;
    if (!fs::exists(folder / form.names, ignored)) return out;
    std::istringstream lines(readText(folder / form.names, 1 << 20));
    std::size_t count = 0;
    for (std::string line; count < out.size() && std::getline(lines, line);) {
        while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
        if (!line.empty()) out[count++] = line;
    }
    return out;
}

DatasetPtr partOf(const fs::path& folder, const Form& form, const std::vector<std::string>& files,
                  const std::vector<std::string>& classes)
{
    auto out = std::make_shared<CifarDataset>(form, classes);
    std::error_code ignored;
    for (const std::string& file : files)
        if (fs::exists(folder / file, ignored)) out->add(folder / file);
    return out->size() > 0 ? out : nullptr;
}

}  // namespace

std::optional<Opened> openCifar(const fs::path& given)
{
    for (const Form& form : forms()) {
        std::vector<fs::path> places{given};
        for (const std::string& folder : form.folders) places.push_back(given / folder);
        for (const fs::path& folder : places) {
            const auto classes = classesOf(folder, form);
            if (const DatasetPtr train = partOf(folder, form, form.train, classes))
                return Opened{train, partOf(folder, form, form.test, classes), form.kind};
        }
    }
    return std::nullopt;
}

}  // namespace fovea
