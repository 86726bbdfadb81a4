#include "core/recipe/event_file.h"

#include "tests/document/folder.h"

#include <gtest/gtest.h>

#include <cstring>
#include <iterator>

namespace fovea {
namespace {

// RFC 3720, B.4.
TEST(EventFile, ChecksumsAreCastagnolis)
{
    EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);
    EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43u);
    EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
}

TEST(EventFile, RecordsHaveTheirLengthAndBothChecksums)
{
    test::Folder folder;
    {
        EventFile events(folder.path(), 300);
        MetricsLine line;
        line.step = 300;
        line.trainLoss = 0.5;
        events.add(line);
    }
    std::filesystem::path written;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) written = entry.path();
    EXPECT_EQ(written.filename().string().find("events.out.tfevents."), 0u);
    std::ifstream file(written, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), {});
    std::vector<std::string> events;
    for (std::size_t at = 0; at < bytes.size();) {
        std::uint64_t length = 0;
        std::uint32_t ofLength = 0, ofEvent = 0;
        ASSERT_LE(at + 12, bytes.size());
        std::memcpy(&length, bytes.data() + at, 8);
        std::memcpy(&ofLength, bytes.data() + at + 8, 4);
        ASSERT_LE(at + 16 + length, bytes.size());
        events.push_back(bytes.substr(at + 12, length));
        std::memcpy(&ofEvent, bytes.data() + at + 12 + length, 4);
        const auto masked = [](std::uint32_t crc) { return (crc >> 15 | crc << 17) + 0xa282ead8u; };
        EXPECT_EQ(ofLength, masked(crc32c(bytes.substr(at, 8))));
        EXPECT_EQ(ofEvent, masked(crc32c(events.back())));
        at += 16 + length;
    }
    ASSERT_EQ(events.size(), 3u);
    EXPECT_NE(events[0].find("\x1a\x0d"
                             "brain.Event:2"),
              std::string::npos);
    // Field 2, the step, as a varint: 301 is 0xad 0x02; field 7, the session's log, says START.
    EXPECT_NE(events[1].find(std::string("\x10\xad\x02\x3a\x02\x08\x01")), std::string::npos);
    // 300 is 0xac 0x02; and a scalar 0.5 under its tag.
    EXPECT_NE(events[2].find("\x10\xac\x02"), std::string::npos);
    EXPECT_NE(events[2].find(std::string("\x0a\x0fstep/train_loss\x15\x00\x00\x00\x3f", 22)), std::string::npos);
}

}  // namespace
}  // namespace fovea
