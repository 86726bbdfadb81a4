#include "core/recipe/event_file.h"

#include "core/base/error.h"

#include <array>
#include <bit>
#include <chrono>
#include <unistd.h>

namespace fovea {

namespace {

template <typename Number>
void appendRaw(std::string& out, Number number)
{
    out.append(reinterpret_cast<const char*>(&number), sizeof number);
}

void appendVarint(std::string& out, std::uint64_t value)
{
    for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
    out += static_cast<char>(value);
}

// Protocol buffers' wire types: 0 varint, 1 eight bytes, 2 length and bytes, 5 four bytes.
void appendBytes(std::string& out, int field, std::string_view bytes)
{
    appendVarint(out, static_cast<std::uint64_t>(field) << 3 | 2);
    appendVarint(out, bytes.size());
    out += bytes;
}

std::string eventAt(double wallTime, std::int64_t step)
{
    std::string out;
    appendVarint(out, 1 << 3 | 1);
    appendRaw(out, wallTime);
    appendVarint(out, 2 << 3 | 0);
    appendVarint(out, static_cast<std::uint64_t>(step));
    return out;
}

void appendScalar(std::string& summary, std::string_view tag, double value)
{
    std::string item;
    appendBytes(item, 1, tag);
    appendVarint(item, 2 << 3 | 5);
    appendRaw(item, static_cast<float>(value));
    appendBytes(summary, 1, item);
}

double wallTime() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

std::uint32_t masked(std::uint32_t crc) { return std::rotr(crc, 15) + 0xa282ead8u; }

}  // namespace

std::uint32_t crc32c(std::string_view bytes)
{
    constexpr std::uint32_t kPolynomial = 0x82f63b78u;  // Castagnoli's, reflected
    static const std::array<std::uint32_t, 256> table = [] {
        std::array<std::uint32_t, 256> out{};
        for (std::uint32_t i = 0; i < 256; ++i) {
            std::uint32_t value = i;
            for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ (value & 1 ? kPolynomial : 0);
            out[i] = value;
        }
        return out;
    }();
    std::uint32_t crc = ~0u;
    for (const char byte : bytes) crc = table[(crc ^ static_cast<unsigned char>(byte)) & 0xff] ^ crc >> 8;
    return ~crc;
}

EventFile::EventFile(const std::filesystem::path& folder, std::int64_t step)
{
    std::error_code ignored;
    std::filesystem::create_directories(folder, ignored);
    const double now = wallTime();
    for (int tries = 0; tries < 1000 && !m_out.is_open(); ++tries) {
        m_path = folder / ("events.out.tfevents." + std::to_string(static_cast<std::int64_t>(now)) + ".fovea." +
                           std::to_string(::getpid()) + "." + std::to_string(tries));
        if (!std::filesystem::exists(m_path)) m_out.open(m_path, std::ios::binary);
    }
    std::string event = eventAt(now, 0);
    appendBytes(event, 3, "brain.Event:2");
    record(event);
    if (step == 0) return;
    std::string start;  // SessionLog with status START; later steps are those from this event's step on
    appendVarint(start, 1 << 3 | 0);
    appendVarint(start, 1);
    event = eventAt(now, step + 1);
    appendBytes(event, 7, start);
    record(event);
}

void EventFile::add(const MetricsLine& line)
{
    const bool epoch = line.kind == MetricsLine::Kind::Epoch;
    std::string summary;
    appendScalar(summary, epoch ? "epoch/train_loss" : "step/train_loss", line.trainLoss);
    appendScalar(summary, "lr", line.lr);
    appendScalar(summary, "images_per_second", line.imagesPerSecond);
    if (line.evalLoss) appendScalar(summary, "epoch/eval_loss", *line.evalLoss);
    if (line.top1) appendScalar(summary, "epoch/eval_top1", *line.top1);
    if (line.top5) appendScalar(summary, "epoch/eval_top5", *line.top5);
    std::string event = eventAt(wallTime(), line.step);
    appendBytes(event, 5, summary);
    record(event);
}

void EventFile::record(const std::string& event)
{
    std::string length, out;
    appendRaw(length, static_cast<std::uint64_t>(event.size()));
    out = length;
    appendRaw(out, masked(crc32c(length)));
    out += event;
    appendRaw(out, masked(crc32c(event)));
    m_out << out << std::flush;
    if (!m_out) throw Error(ErrorCode::File, "Cannot write to '" + m_path.string() + "'.");
}

}  // namespace fovea
