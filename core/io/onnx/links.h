// The edges of a graph, in one piece of memory: groups are looked for in each of many small ones.
#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace fovea {

class Links {
public:
    using Edge = std::pair<std::size_t, std::size_t>;  // from, to; both below `size`, but that "to" may number other things

    Links() = default;
    Links(std::size_t size, const std::vector<Edge>& edges) : m_begins(size + 1, 0), m_to(edges.size())
    {
        for (const Edge& edge : edges) ++m_begins[edge.first + 1];
        for (std::size_t node = 0; node < size; ++node) m_begins[node + 1] += m_begins[node];
        std::vector<std::size_t> next(m_begins.begin(), m_begins.end());
        for (const Edge& edge : edges) m_to[next[edge.first]++] = edge.second;
    }

    std::size_t size() const { return m_begins.empty() ? 0 : m_begins.size() - 1; }
    // Where the edges of a node lead, in the order in which they were given.
    std::span<const std::size_t> operator[](std::size_t node) const
    {
        return std::span(m_to).subspan(m_begins[node], m_begins[node + 1] - m_begins[node]);
    }

private:
    std::vector<std::size_t> m_begins, m_to;
};

}  // namespace fovea
