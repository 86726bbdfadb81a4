// Which layers must have the same number of channels, and networks with more of them.
#pragma once

#include "core/refine/moves.h"

namespace fovea::refine {

// Channels that rise together: those of convolutions whose maps meet, and of depthwise ones between. Left alone is
// what reaches an output or an input of the network, a kept layer, or a layer that cares which channel is which.
class Widths {
public:
    explicit Widths(const Scene& scene);

    bool canGrow() const;
    // out_channels, groups of depthwise layers and in_features where stated, with every width that may rise times
    // `factor`, in whole eighths.
    std::vector<Change> times(double factor) const;
    // Layers whose tensors change with those widths.
    std::set<NodeId> affected() const;

private:
    std::size_t root(std::size_t entry) const;
    void join(std::size_t a, std::size_t b);
    void freeze(std::size_t entry) { m_frozen[root(entry)] = true; }
    void freezeAround(std::size_t entry);  // the layer and what it reads
    void visit(std::size_t entry);
    void visitConvolution(std::size_t entry);
    void visitFlatten(std::size_t entry);
    bool isFree(std::size_t entry) const { return !m_frozen[root(entry)]; }
    std::optional<std::size_t> source(std::size_t entry, std::size_t input = 0) const;
    std::int64_t channels(std::size_t entry) const;

    const Scene& m_scene;
    mutable std::vector<std::size_t> m_parent;
    std::vector<bool> m_frozen;
    std::vector<bool> m_depthwise;
};

}  // namespace fovea::refine
