#include "core/io/onnx/strong_parts.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace fovea {

namespace {

using Lists = std::vector<std::vector<std::size_t>>;

class Search {
public:
    explicit Search(const Links& successors)
        : m_successors(successors), m_number(successors.size(), 0), m_low(successors.size(), 0), m_closed(successors.size(), false)
    {
        for (std::size_t node = 0; node < successors.size(); ++node)
            if (m_number[node] == 0) visit(node);
    }

    Lists parts;

private:
    void visit(std::size_t start)
    {
        m_calls.clear();
        enter(start);
        while (!m_calls.empty()) {
            auto& [node, next] = m_calls.back();
            if (next == m_successors[node].size()) {
                leave();
                continue;
            }
            const std::size_t to = m_successors[node][next++];
            if (m_number[to] == 0) enter(to);
            else if (!m_closed[to]) m_low[node] = std::min(m_low[node], m_number[to]);
        }
    }

    void enter(std::size_t node)
    {
        m_number[node] = m_low[node] = ++m_count;
        m_open.push_back(node);
        m_calls.emplace_back(node, 0);
    }

    void leave()
    {
        const std::size_t node = m_calls.back().first;
        m_calls.pop_back();
        if (!m_calls.empty()) m_low[m_calls.back().first] = std::min(m_low[m_calls.back().first], m_low[node]);
        if (m_low[node] != m_number[node]) return;
        auto begin = m_open.end();
        do m_closed[*--begin] = true;
        while (*begin != node);
        if (m_open.end() - begin > 1) parts.emplace_back(m_open.rbegin(), std::make_reverse_iterator(begin));
        m_open.erase(begin, m_open.end());
    }

    const Links& m_successors;
    std::vector<std::size_t> m_number, m_low;  // from 1, in the order of discovery
    std::vector<bool> m_closed;
    std::vector<std::size_t> m_open;
    std::vector<std::pair<std::size_t, std::size_t>> m_calls;  // a node and its next edge
    std::size_t m_count = 0;
};

}  // namespace

std::vector<std::vector<std::size_t>> strongParts(const Links& successors) { return std::move(Search(successors).parts); }

}  // namespace fovea
