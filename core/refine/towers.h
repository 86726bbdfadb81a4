// Parts of a network that are alike because they call the same layers side by side, such as siamese towers, or the
// calls of a head that several maps share.
#pragma once

#include "core/refine/moves.h"

#include <optional>
#include <unordered_map>

namespace fovea::refine {

class Towers {
public:
    // `layers`: calls of each layer that is called several times, by id.
    Towers(const Scene& scene, const std::vector<std::vector<NodeId>>& layers);

    // The tower that a layer stands in; nullopt: it stands in none.
    std::optional<std::size_t> towerOf(NodeId layer) const;
    // What stands in its place in that tower, if anything does.
    std::optional<NodeId> counterpart(NodeId layer, std::size_t tower) const;
    // The other towers that have something in its place.
    std::vector<std::size_t> others(NodeId layer) const;

private:
    struct Standing {
        std::size_t tower, entry;
    };
    using Row = std::vector<Standing>;  // what stands in one place of several towers
    struct Reader {
        std::size_t entry, input;
        bool operator==(const Reader&) const = default;
    };

    void startFrom(const std::vector<NodeId>& calls);
    void follow(Row row);
    void split(const Row& row);
    void goDown(const Row& row);
    void goUp(const Row& row);
    bool isAlike(std::size_t a, std::size_t b) const;

    const Scene& m_scene;
    std::vector<std::vector<Reader>> m_readers;        // by entry
    std::vector<std::size_t> m_sharedBy;               // by entry: which of the layers it calls, from 1; 0: none
    std::vector<Row> m_rows;
    std::unordered_map<NodeId, std::pair<std::size_t, std::size_t>> m_places;  // row and tower
    std::vector<Row> m_open;
    std::size_t m_count = 0;  // of towers
};

}  // namespace fovea::refine
