#pragma once

#include "core/analysis/report.h"

#include <memory_resource>
#include <string_view>
#include <unordered_set>

namespace fovea {

// Counts parameters and multiply-accumulates, a tensor that several layers share once, at its first user.
class Costs {
public:
    // Sets the layer's counts and adds them to the summary.
    void add(LayerReport& layer, const NodeView& view, Summary& summary);

private:
    std::optional<std::int64_t> parameters(const OpDef& op, const NodeView& view);

    std::pmr::monotonic_buffer_resource m_memory;
    std::pmr::unordered_set<std::string_view> m_seen{&m_memory};
};

}  // namespace fovea
