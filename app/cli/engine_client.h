// fovea-engine as a child process: started, greeted, asked, and ended with this object.
#pragma once

#include "core/io/engine/jobs.h"
#include "core/io/engine/messages.h"

#include <filesystem>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <sys/types.h>

namespace fovea::cli {

inline constexpr const char* kEngineProgram = "fovea-engine";

class EngineClient {
public:
    // Error(Internal) where it cannot be started or gives no answer; Error(Usage) where it speaks another protocol.
    explicit EngineClient(const std::filesystem::path& program);
    ~EngineClient();
    EngineClient(const EngineClient&) = delete;
    EngineClient& operator=(const EngineClient&) = delete;

    const HelloReply& hello() const { return m_hello; }

    // What a job says on its way: a notification's method and parameters.
    using Heard = std::function<void(const std::string& method, const Json& params)>;

    // Sends the request and waits for its reply. An interrupt (Ctrl+C) meanwhile asks a job to stop, and its reply
    // still comes; a second one ends this program as usual. What the engine refuses is an Error of the same code;
    // Error(Internal) where it dies on the way.
    template <typename Reply, typename Request>
    Reply ask(const Request& request, const Heard& heard = {})
    {
        return messageFrom<Reply>(call(Request::kMethod, toJson(request), heard));
    }

private:
    Json call(const char* method, const Json& params, const Heard& heard);
    void send(const std::string& line);
    std::string receive(bool tellStop);
    [[noreturn]] void died(const char* method);
    std::string lastSaid() const;  // the last line on its standard error

    struct Close {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };
    std::unique_ptr<std::FILE, Close> m_said;  // its standard error
    pid_t m_child = -1;
    int m_socket = -1;
    std::int64_t m_nextId = 1;
    std::string m_pending;
    HelloReply m_hello;
};

}  // namespace fovea::cli
