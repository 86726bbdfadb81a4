// Lines in and out of the engine. Replies go to a private copy of standard output, and standard output itself to
// standard error, so that nothing a library prints can break a message.
#pragma once

#include "core/io/engine/rpc.h"

#include <optional>
#include <string>
#include <string_view>

namespace fovea::engine {

class Channel {
public:
    explicit Channel(int in, int out, std::size_t maxLine = kMaxMessage) : m_in(in), m_out(out), m_maxLine(maxLine) {}
    // Reads standard input; takes standard output away from everyone else. Error(Internal) where that fails.
    static Channel ofProcess();

    struct Line {
        std::string text;
        bool tooLong = false;  // the rest of the line was skipped
    };
    std::optional<Line> read();         // nullopt: the other end is gone
    bool write(std::string_view line);  // false: the other end is gone

private:
    int m_in, m_out;
    std::size_t m_maxLine;
    std::string m_pending;
};

}  // namespace fovea::engine
