// What must change together when one layer samples its map more finely or more coarsely, so that branches still
// meet. Found from the merges of any graph, not from block types.
#pragma once

#include "core/refine/moves.h"

#include <optional>

namespace fovea::refine {

// By which factor maps change, per axis; nullopt: no finite path, so it fits any map.
using Factor = std::optional<PerAxis<std::int64_t>>;

class Closure {
public:
    explicit Closure(const Scene& scene) : m_scene(scene) {}
    virtual ~Closure() = default;

protected:
    // All entries that must change together with `first`, ascending; empty where branches cannot meet.
    std::vector<std::size_t> closed(std::size_t first);
    // The layer may be one of those that change, by `missing`.
    virtual bool fits(std::size_t entry, PerAxis<std::int64_t> missing) const = 0;
    // By how much a chosen layer changes its map.
    virtual PerAxis<std::int64_t> factorOf(std::size_t entry) const = 0;
    // Whether a search upwards may pass this layer.
    virtual bool passable(std::size_t) const { return true; }

    static std::size_t index(std::int32_t entry) { return static_cast<std::size_t>(entry); }
    const Scene& m_scene;

private:
    std::optional<bool> mendFirstMismatch();
    Factor largest(const std::vector<Factor>& factors, std::size_t entry) const;
    Factor after(std::size_t entry, Factor in, const std::vector<Factor>& factors) const;
    bool chooseAbove(std::size_t entry, PerAxis<std::int64_t> wanted, PerAxis<std::int64_t> have);

    std::vector<bool> m_chosen;
};

// Strides that go to 1 together.
class RelaxClosure : public Closure {
public:
    using Closure::Closure;
    std::vector<std::size_t> around(std::size_t strided) { return closed(strided); }

private:
    bool fits(std::size_t entry, PerAxis<std::int64_t> missing) const override;
    PerAxis<std::int64_t> factorOf(std::size_t entry) const override;
};

// Convolutions of stride 1 that get `stride` together.
class TightenClosure : public Closure {
public:
    TightenClosure(const Scene& scene, PerAxis<std::int64_t> stride) : Closure(scene), m_stride(stride) {}
    std::vector<std::size_t> around(std::size_t entry);

private:
    bool fits(std::size_t entry, PerAxis<std::int64_t> missing) const override;
    PerAxis<std::int64_t> factorOf(std::size_t) const override { return m_stride; }
    bool passable(std::size_t entry) const override { return !m_above[entry]; }
    // Makes a map whose side is that of its input at stride 1.
    bool keepsSide(std::size_t entry) const;

    PerAxis<std::int64_t> m_stride;
    std::vector<bool> m_above;  // what leads to the first layer: changing it would change both branches
};

// The layers at stride 1, as one candidate.
Candidate relaxed(const Scene& scene, const std::vector<std::size_t>& layers);

}  // namespace fovea::refine
