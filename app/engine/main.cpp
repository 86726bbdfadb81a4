#include "app/engine/channel.h"
#include "app/engine/session.h"
#include "core/base/allocation.h"

#include <exception>
#include <iostream>
#include <mutex>

// The worker that owns LibTorch. It serves whoever started it until its standard input ends or it is told to stop.
int main()
{
    fovea::shareOneHeap();
    fovea::keepFreedMemory();
    try {
        auto channel = fovea::engine::Channel::ofProcess();
        std::mutex writing;
        const auto send = [&](const std::string& line) {
            const std::lock_guard lock(writing);
            return channel.write(line);
        };
        fovea::engine::Session session([&](const std::string& line) { send(line); });
        while (const auto line = channel.read()) {
            if (line->text.empty() && !line->tooLong) continue;
            const std::string reply = line->tooLong ? session.refuseLongLine() : session.answer(line->text);
            if (!reply.empty() && !send(reply)) return 1;
            if (session.isOver()) break;
        }
        return 0;
    } catch (const std::exception& error) {
        std::cerr << "fovea-engine: " << error.what() << "\n";
        return 3;
    }
}
