// Answers requests, one after the other, with the network that was loaded last.
#pragma once

#include "core/io/engine/messages.h"
#include "core/train/module.h"

#include <optional>
#include <string>
#include <string_view>

namespace fovea::engine {

class Session {
public:
    // The reply's line; empty where none is due (a notification). Never throws: what goes wrong is the reply.
    std::string answer(std::string_view line);
    std::string refuseLongLine() const;
    bool isOver() const { return m_over; }

private:
    Json dispatch(const std::string& method, const Json& params);
    Json hello(const HelloRequest& request) const;
    Json load(const LoadRequest& request);
    Json forward(const ForwardRequest& request) const;
    Json gradient(const GradientRequest& request) const;
    const Module& loaded() const;

    std::optional<Module> m_module;
    Graph m_graph;
    bool m_over = false;
};

}  // namespace fovea::engine
