// TensorBoard's event files: records of serialized Event messages, each with masked CRC-32C of its length and of its
// content (tensorboard/compat/proto/event.proto; tensorflow/core/lib/io/record_writer.h).
#pragma once

#include "core/recipe/metrics.h"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace fovea {

class EventFile {
public:
    // A new file in the folder, so that a resumed run goes on in another one, as TensorBoard expects. With `step` above
    // 0 it says that the run goes on there: TensorBoard drops what an earlier file holds of later steps.
    // Both: Error(File) where it cannot be written.
    explicit EventFile(const std::filesystem::path& folder, std::int64_t step = 0);
    void add(const MetricsLine& line);

private:
    void record(const std::string& event);
    std::filesystem::path m_path;
    std::ofstream m_out;
};

std::uint32_t crc32c(std::string_view bytes);

}  // namespace fovea
