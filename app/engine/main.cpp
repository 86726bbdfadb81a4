#include "app/engine/channel.h"
#include "app/engine/session.h"

#include <exception>
#include <iostream>

// The worker that owns LibTorch. It serves whoever started it until its standard input ends or it is told to stop.
int main()
{
    try {
        auto channel = fovea::engine::Channel::ofProcess();
        fovea::engine::Session session;
        while (const auto line = channel.read()) {
            if (line->text.empty() && !line->tooLong) continue;
            const std::string reply = line->tooLong ? session.refuseLongLine() : session.answer(line->text);
            if (!reply.empty() && !channel.write(reply)) return 1;
            if (session.isOver()) break;
        }
        return 0;
    } catch (const std::exception& error) {
        std::cerr << "fovea-engine: " << error.what() << "\n";
        return 3;
    }
}
