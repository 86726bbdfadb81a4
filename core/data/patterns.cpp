#include "core/data/patterns.h"

#include "core/base/error.h"
#include "core/data/pattern_marks.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>

namespace fovea {

namespace {

enum Part : std::uint64_t { kTrain = 0, kValidation = 1 };

constexpr std::int64_t kMaxImages = 10'000'000;

struct WholeKey {
    const char* name;
    std::int64_t PatternOptions::*value;
    std::int64_t low, high;
};
constexpr WholeKey kWholeKeys[] = {
    {"classes", &PatternOptions::classes, 2, 24},       {"size", &PatternOptions::size, 16, 1024},
    {"pattern", &PatternOptions::pattern, 7, 1024},     {"mark", &PatternOptions::mark, 3, 64},
    {"clutter", &PatternOptions::clutter, 0, 64},       {"jitter", &PatternOptions::jitter, 0, 64},
    {"images", &PatternOptions::images, 1, kMaxImages}, {"validation", &PatternOptions::validation, 1, kMaxImages}};

[[noreturn]] void wrong(const std::string& why) { throw Error(ErrorCode::Usage, "patterns: " + why + "."); }

template <typename T>
T numberIn(const std::string& key, std::string_view text, T low, T high)
{
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || !(value >= low && value <= high)) {
        std::string range = std::to_string(low) + " to " + std::to_string(high);
        if constexpr (std::is_floating_point_v<T>) range = "0 to 1";
        wrong(key + " must be a number from " + range + ", but is '" + std::string(text) + "'");
    }
    return value;
}

PatternPlace placeOf(std::string_view text)
{
    if (text == "centre" || text == "center") return PatternPlace::Centre;
    if (text == "anywhere") return PatternPlace::Anywhere;
    if (text == "corners") return PatternPlace::Corners;
    wrong("place must be centre, anywhere or corners, but is '" + std::string(text) + "'");
}

void setKey(PatternOptions& options, const std::string& key, std::string_view value)
{
    for (const WholeKey& whole : kWholeKeys)
        if (key == whole.name) {
            options.*whole.value = numberIn<std::int64_t>(key, value, whole.low, whole.high);
            return;
        }
    if (key == "place") options.place = placeOf(value);
    else if (key == "noise") options.noise = numberIn<double>(key, value, 0, 1);
    else if (key == "seed") options.seed = numberIn<std::uint64_t>(key, value, 0, ~std::uint64_t{0});
    else
        wrong("there is no key '" + key +
              "'; there are classes, size, pattern, mark, place, clutter, jitter, noise, images, validation and seed");
}

void checkTogether(const PatternOptions& options)
{
    if (options.pattern > options.size)
        wrong("pattern is " + std::to_string(options.pattern) + ", but the image's side is only " +
              std::to_string(options.size));
    if (options.pattern < 2 * options.mark + 1)
        wrong("pattern must be at least " + std::to_string(2 * options.mark + 1) + " for marks of " +
              std::to_string(options.mark) + " pixels, but is " + std::to_string(options.pattern));
    if (options.jitter > options.mark)
        wrong("jitter must be at most the mark's " + std::to_string(options.mark) + " pixels, but is " +
              std::to_string(options.jitter));
}

// Nearly normal with deviation 1: the sum of eight bytes, in a fraction of the time of a real one.
float quickNormal(RandomStream& stream)
{
    const std::uint64_t bits = stream.next();
    constexpr std::uint64_t kLow = 0x00ff00ff00ff00ff;
    const std::uint64_t pairs = (bits & kLow) + ((bits >> 8) & kLow);
    const auto sum = static_cast<int>((pairs * 0x0001000100010001) >> 48);
    return static_cast<float>(sum - 1020) * (1 / 209.0188F);  // 8 * 127.5; sqrt(8 * (256^2 - 1) / 12)
}

class PatternDataset final : public Dataset {
public:
    PatternDataset(const PatternOptions& options, Part part) : m_options(options), m_part(part)
    {
        m_classes = numbered(options.classes);
        for (int orientation = 0; orientation < 4; ++orientation)
            m_bars[static_cast<std::size_t>(orientation)] = barShape(options.mark, orientation);
    }

    std::int64_t size() const override { return m_part == kTrain ? m_options.images : m_options.validation; }
    int label(std::int64_t index) const override { return static_cast<int>(index % m_options.classes); }
    bool canBeMirrored() const override { return false; }  // an arrangement is not its mirror image
    std::string nameOf(std::int64_t index) const override
    {
        return std::string("generated ") + (m_part == kTrain ? "training" : "validation") + " image " +
               std::to_string(index);
    }
    Image image(std::int64_t index, std::int64_t) const override
    {
        RandomStream stream(m_options.seed, {m_part, static_cast<std::uint64_t>(index)});
        const auto side = static_cast<std::size_t>(m_options.size);
        thread_local std::vector<float> ink;
        ink.assign(side * side, 0);
        for (const Mark& mark : marksOf(m_options, label(index), stream)) draw(mark, ink);
        const auto ground = static_cast<float>(stream.uniform(0.4, 0.6));
        const float contrast = static_cast<float>(stream.uniform(0.2, 0.4)) * (stream.below(2) ? 1.0F : -1.0F);
        const float noise = static_cast<float>(m_options.noise);
        Image out{m_options.size, m_options.size, 1, std::vector<std::uint8_t>(side * side)};
        for (std::size_t i = 0; i < ink.size(); ++i) {
            float value = ground + contrast * ink[i];
            if (noise > 0) value += noise * quickNormal(stream);
            out.pixels[i] = static_cast<std::uint8_t>(std::clamp(value, 0.0F, 1.0F) * 255 + 0.5F);
        }
        return out;
    }

private:
    static std::vector<std::string> numbered(std::int64_t classes)
    {
        constexpr std::array<char, 4> kBars{'-', '|', '/', '\\'};
        std::vector<std::string> out;
        for (int label = 0; label < classes; ++label) {
            std::string name;
            for (const int bar : arrangement(label)) name += kBars[static_cast<std::size_t>(bar)];
            out.push_back(name);
        }
        return out;
    }

    void draw(const Mark& mark, std::vector<float>& ink) const
    {
        const float* bar = m_bars[static_cast<std::size_t>(mark.orientation)].data();
        for (std::int64_t y = 0; y < m_options.mark; ++y) {
            float* row = ink.data() + (mark.top + y) * m_options.size + mark.left;
            for (std::int64_t x = 0; x < m_options.mark; ++x, ++bar) row[x] = std::max(row[x], *bar);
        }
    }

    PatternOptions m_options;
    Part m_part;
    std::array<std::vector<float>, 4> m_bars;
};

}  // namespace

PatternOptions parsePatterns(const std::string& source)
{
    PatternOptions options;
    std::string_view rest = source;
    const std::size_t colon = rest.find(':');
    rest.remove_prefix(colon == std::string_view::npos ? rest.size() : colon + 1);
    while (!rest.empty()) {
        const std::string_view item = rest.substr(0, rest.find(','));
        rest.remove_prefix(std::min(item.size() + 1, rest.size()));
        const std::size_t equals = item.find('=');
        if (equals == std::string_view::npos) wrong("'" + std::string(item) + "' is not of the form key=value");
        setKey(options, std::string(item.substr(0, equals)), item.substr(equals + 1));
    }
    checkTogether(options);
    return options;
}

DataParts openPatterns(const PatternOptions& options)
{
    checkTogether(options);
    return {
        std::make_shared<PatternDataset>(options, kTrain), std::make_shared<PatternDataset>(options, kValidation), {}};
}

}  // namespace fovea
