#include "core/refine/towers.h"

#include <algorithm>

namespace fovea::refine {

Towers::Towers(const Scene& scene, const std::vector<std::vector<NodeId>>& layers)
    : m_scene(scene), m_readers(scene.size()), m_sharedBy(scene.size(), 0)
{
    std::unordered_map<NodeId, std::size_t> layerOf;
    for (std::size_t i = 0; i < layers.size(); ++i)
        for (const NodeId call : layers[i]) layerOf.emplace(call, i + 1);
    for (std::size_t entry = 0; entry < scene.size(); ++entry) {
        if (const auto it = layerOf.find(scene.node(entry).id); it != layerOf.end()) m_sharedBy[entry] = it->second;
        const auto inputs = scene.inputs(entry);
        for (std::size_t i = 0; i < inputs.size(); ++i)
            if (inputs[i] >= 0) m_readers[static_cast<std::size_t>(inputs[i])].push_back({entry, i});
    }
    for (const std::vector<NodeId>& calls : layers) startFrom(calls);
}

// Calls of which one stands behind another are steps of one tower: those that stand side by side have as many of the
// layer's calls before them.
void Towers::startFrom(const std::vector<NodeId>& calls)
{
    std::vector<std::size_t> before(m_scene.size(), 0);  // calls on the way to and with an entry, at most
    std::vector<Row> rows;
    const std::set<NodeId> all(calls.begin(), calls.end());
    for (std::size_t entry = 0; entry < m_scene.size(); ++entry) {
        for (const std::int32_t source : m_scene.inputs(entry))
            if (source >= 0) before[entry] = std::max(before[entry], before[static_cast<std::size_t>(source)]);
        if (!all.contains(m_scene.node(entry).id)) continue;
        const std::size_t step = before[entry]++;
        rows.resize(std::max(rows.size(), step + 1));
        rows[step].push_back({rows[step].size(), entry});
    }
    for (Row& row : rows) {
        if (row.size() < 2 || m_places.contains(m_scene.node(row.front().entry).id)) continue;
        for (Standing& standing : row) standing.tower += m_count;
        m_count += row.size();
        follow(std::move(row));
    }
}

void Towers::follow(Row row)
{
    m_open.push_back(std::move(row));
    while (!m_open.empty()) {
        const Row next = std::move(m_open.back());
        m_open.pop_back();
        if (std::any_of(next.begin(), next.end(),
                        [&](const Standing& s) { return m_places.contains(m_scene.node(s.entry).id); }))
            continue;
        for (const Standing& standing : next)
            m_places.emplace(m_scene.node(standing.entry).id, std::pair(m_rows.size(), standing.tower));
        m_rows.push_back(next);
        goDown(next);
        goUp(next);
    }
}

// Parts of a row that are alike. Where towers meet, one entry stands for all that meet in it.
void Towers::split(const Row& row)
{
    std::vector<bool> done(row.size(), false);
    for (std::size_t i = 0; i < row.size(); ++i) {
        if (done[i]) continue;
        Row alike;
        for (std::size_t k = i; k < row.size(); ++k) {
            if (done[k] || !(row[k].entry == row[i].entry || isAlike(row[k].entry, row[i].entry))) continue;
            done[k] = true;
            if (std::none_of(alike.begin(), alike.end(),
                             [&](const Standing& other) { return other.entry == row[k].entry; }))
                alike.push_back(row[k]);
        }
        if (alike.size() > 1) m_open.push_back(std::move(alike));
    }
}

void Towers::goDown(const Row& row)
{
    const auto countOf = [this](const Standing& s) { return m_readers[s.entry].size(); };
    const std::size_t count = countOf(row.front());
    if (std::any_of(row.begin(), row.end(), [&](const Standing& s) { return countOf(s) != count; })) return;
    for (std::size_t i = 0; i < count; ++i) {
        Row readers;
        const std::size_t input = m_readers[row.front().entry][i].input;
        for (const Standing& s : row)
            if (m_readers[s.entry][i].input == input) readers.push_back({s.tower, m_readers[s.entry][i].entry});
        if (readers.size() == row.size()) split(readers);
    }
}

// What stands before the first common layer, such as a pooling, belongs to a tower where only the tower reads it.
void Towers::goUp(const Row& row)
{
    const auto inputs = m_scene.inputs(row.front().entry);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        Row sources;
        for (const Standing& s : row) {
            const auto from = m_scene.inputs(s.entry);
            if (i >= from.size() || from[i] < 0 || m_scene.readers(static_cast<std::size_t>(from[i])) != 1) break;
            sources.push_back({s.tower, static_cast<std::size_t>(from[i])});
        }
        if (sources.size() == row.size()) split(sources);
    }
}

// The same layer called twice, or two of the same settings without tensors of their own.
bool Towers::isAlike(std::size_t a, std::size_t b) const
{
    if (m_sharedBy[a] > 0 || m_sharedBy[b] > 0) return m_sharedBy[a] == m_sharedBy[b];
    const Node &one = m_scene.node(a), &other = m_scene.node(b);
    if (one.kind != other.kind || m_scene.op(a).opClass == OpClass::Input) return false;
    if (m_scene.op(a).params && one.tensors.empty()) return false;
    return one.attrs == other.attrs && one.tensors == other.tensors && one.inputs.size() == other.inputs.size();
}

std::optional<std::size_t> Towers::towerOf(NodeId layer) const
{
    const auto it = m_places.find(layer);
    return it == m_places.end() ? std::nullopt : std::optional(it->second.second);
}

std::optional<NodeId> Towers::counterpart(NodeId layer, std::size_t tower) const
{
    const auto it = m_places.find(layer);
    if (it == m_places.end()) return std::nullopt;
    for (const Standing& standing : m_rows[it->second.first])
        if (standing.tower == tower) return m_scene.node(standing.entry).id;
    return std::nullopt;
}

std::vector<std::size_t> Towers::others(NodeId layer) const
{
    std::vector<std::size_t> out;
    if (const auto it = m_places.find(layer); it != m_places.end())
        for (const Standing& standing : m_rows[it->second.first])
            if (standing.tower != it->second.second) out.push_back(standing.tower);
    return out;
}

}  // namespace fovea::refine
