// Answers requests with the network that was loaded last. Short work is answered at once; jobs (core/io/engine/jobs.h)
// run on a thread of their own, one at a time, and are answered when they end.
#pragma once

#include "core/io/engine/jobs.h"
#include "core/io/engine/messages.h"
#include "core/train/job_watch.h"
#include "core/train/module.h"
#include "core/train/trainer.h"

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

namespace fovea::engine {

class Session {
public:
    // `send` gets the lines that come later: notifications, and replies of jobs. Called from the job's thread.
    using Send = std::function<void(const std::string& line)>;
    explicit Session(Send send = [](const std::string&) {}) : m_send(std::move(send)) {}
    ~Session();  // stops a job and waits for it

    // The reply's line; empty where none is due (a notification), or later. Never throws: what goes wrong is the reply.
    std::string answer(std::string_view line);
    std::string refuseLongLine() const;
    bool isOver() const { return m_over; }

private:
    using Job = std::function<Json(const JobWatch& watch)>;

    std::string replyTo(const Json& id, const std::function<Json()>& work) const;
    std::optional<Job> jobFor(const std::string& method, const Json& params);
    void startJob(const Json& id, Job job);
    JobWatch watch() const;
    void stopJob();
    void refuseWhileBusy() const;

    Json dispatch(const std::string& method, const Json& params);
    Json hello(const HelloRequest& request) const;
    Json load(const LoadRequest& request);
    Json forward(const ForwardRequest& request);
    Json gradient(const GradientRequest& request);
    const Module& module();
    TrainStart start() const;

    Send m_send;
    LoadRequest m_loaded;  // as it was asked for, without tensors
    bool m_isLoaded = false;
    Graph m_graph;
    Weights m_weights, m_given;  // fitted, and as they came
    std::optional<Module> m_module;  // made when it is first run
    bool m_over = false;

    std::atomic<bool> m_stop = false, m_busy = false;
    std::thread m_job;
};

}  // namespace fovea::engine
