#include "core/refine/shared_calls.h"

#include "core/ops/shared_layers.h"

#include <algorithm>

namespace fovea::refine {

namespace {

// As the layer has it, else the default of its kind; null: neither.
const AttrValue* valueOf(const Node& node, const std::string& attribute)
{
    if (const AttrValue* value = node.attrs.find(attribute)) return value;
    const AttrDef* def = opFor(node.kind).attr(attribute);
    return def ? &def->fallback : nullptr;
}

bool sameValue(const AttrValue* a, const AttrValue* b) { return a == b || (a && b && *a == *b); }

const Change* settingOf(const Candidate& candidate, NodeId layer, const std::string& attribute)
{
    const auto it = std::find_if(candidate.changes.begin(), candidate.changes.end(), [&](const Change& change) {
        return change.edit.op == Edit::Op::Set && change.layer == layer && change.edit.attribute == attribute;
    });
    return it == candidate.changes.end() ? nullptr : &*it;
}

const Change* changeOf(const Candidate& candidate, NodeId layer, Edit::Op op)
{
    const auto it = std::find_if(candidate.changes.begin(), candidate.changes.end(),
                                 [&](const Change& change) { return change.edit.op == op && change.layer == layer; });
    return it == candidate.changes.end() ? nullptr : &*it;
}

NodeId freeId(const Graph& graph, const Candidate& candidate)
{
    NodeId out = graph.nextId();
    for (const Change& change : candidate.changes)
        if (change.added) out = std::max(out, change.layer + 1);
    return out;
}

std::string freeName(const Graph& graph, const Candidate& candidate, const std::string& wanted)
{
    std::set<std::string> taken;
    for (const Change& change : candidate.changes)
        if (change.added) taken.insert(change.added->name);
    std::string name = wanted;
    for (int i = 1; taken.contains(name) || graph.findByName(name); ++i) name = wanted + "_" + std::to_string(i);
    return name;
}

}  // namespace

SharedCalls::SharedCalls(const Scene& scene) : SharedCalls(scene, sharedLayers(scene.graph())) {}

SharedCalls::SharedCalls(const Scene& scene, std::vector<std::vector<NodeId>> layers)
    : m_scene(scene), m_layers(std::move(layers))
{
    if (m_layers.empty()) return;
    for (std::size_t i = 0; i < m_layers.size(); ++i)
        for (const NodeId call : m_layers[i]) m_layerOf.emplace(call, i);
    m_towers.emplace(scene, m_layers);
}

std::set<NodeId> SharedCalls::partners(NodeId layer) const
{
    std::set<NodeId> out;
    if (const auto it = m_layerOf.find(layer); it != m_layerOf.end())
        out.insert(m_layers[it->second].begin(), m_layers[it->second].end());
    for (const std::size_t tower : m_towers->others(layer)) out.insert(*m_towers->counterpart(layer, tower));
    out.erase(layer);
    return out;
}

std::optional<Candidate> SharedCalls::closed(Candidate candidate) const
{
    if (!m_towers) return candidate;
    const std::vector<Change> asked = candidate.changes;
    for (const Change& change : asked) {
        bool isClosed = true;
        switch (change.edit.op) {
        case Edit::Op::Set: isClosed = closeSetting(change, candidate); break;
        case Edit::Op::Remove: isClosed = closeRemoval(change, candidate); break;
        case Edit::Op::Move: isClosed = closeMove(change, candidate); break;
        case Edit::Op::Add: isClosed = closeAddition(change, candidate); break;
        }
        if (!isClosed) return std::nullopt;
    }
    if (!changesAllCalls(candidate)) return std::nullopt;
    closeReshaped(candidate.reshaped.fewer);
    closeReshaped(candidate.reshaped.any);
    return candidate;
}

bool SharedCalls::closeSetting(const Change& change, Candidate& candidate) const
{
    const Node* node = m_scene.graph().find(change.layer);
    if (!node) return true;  // the candidate itself adds it
    const std::string& attribute = change.edit.attribute;
    for (const NodeId partner : partners(change.layer)) {
        if (settingOf(candidate, partner, attribute) || changeOf(candidate, partner, Edit::Op::Remove)) continue;
        const Node& other = m_scene.graph().at(partner);
        if (!sameValue(valueOf(*node, attribute), valueOf(other, attribute))) return false;
        candidate.changes.push_back(Change::set(other, attribute.c_str(), change.value));
    }
    return true;
}

// Of calls one behind another, one can go; of those side by side, all.
bool SharedCalls::closeRemoval(const Change& change, Candidate& candidate) const
{
    for (const std::size_t tower : m_towers->others(change.layer)) {
        const NodeId other = *m_towers->counterpart(change.layer, tower);
        if (changeOf(candidate, other, Edit::Op::Remove)) continue;
        if (std::any_of(candidate.changes.begin(), candidate.changes.end(),
                        [&](const Change& made) { return made.layer == other || made.behind == other; }))
            return false;
        candidate.changes.push_back(Change::remove(m_scene.graph().at(other)));
    }
    return true;
}

bool SharedCalls::closeMove(const Change& change, Candidate& candidate) const
{
    if (m_towers->towerOf(change.layer) != m_towers->towerOf(change.behind)) return false;
    const Graph& graph = m_scene.graph();
    for (const std::size_t tower : m_towers->others(change.layer)) {
        const NodeId other = *m_towers->counterpart(change.layer, tower);
        const std::optional<NodeId> behind = m_towers->counterpart(change.behind, tower);
        if (!behind) return false;
        if (changeOf(candidate, other, Edit::Op::Move)) continue;
        candidate.changes.push_back(Change::move(graph, graph.at(other), graph.at(*behind)));
    }
    return true;
}

// A layer without weights comes in every tower; one with weights would have to be a shared one, which no move makes.
bool SharedCalls::closeAddition(const Change& change, Candidate& candidate) const
{
    const Node& added = *change.added;
    std::optional<std::size_t> tower;
    std::vector<NodeId> read;
    for (const Port& port : added.inputs) read.push_back(port.node);
    if (change.takesOver != kNoNode) read.push_back(change.takesOver);
    for (const NodeId id : read)
        if (const auto in = m_towers->towerOf(id)) tower = in;
    if (!tower) return true;
    if (opFor(added.kind).params) return false;
    for (const NodeId id : read)
        if (m_towers->towerOf(id) != tower) return false;
    for (const std::size_t other : m_towers->others(read.front())) {
        Node twin = added;
        std::vector<std::string> names;
        for (Port& port : twin.inputs) {
            const std::optional<NodeId> source = m_towers->counterpart(port.node, other);
            if (!source) return false;
            port.node = *source;
            names.push_back(m_scene.graph().at(*source).name);
        }
        const std::optional<NodeId> takesOver =
            change.takesOver == kNoNode ? kNoNode : m_towers->counterpart(change.takesOver, other);
        if (!takesOver) return false;
        twin.id = freeId(m_scene.graph(), candidate);
        twin.name = freeName(m_scene.graph(), candidate, added.name);
        candidate.changes.push_back(Change::add(std::move(twin), names, *takesOver));
    }
    return true;
}

// Paddings follow from kernels, so they may differ where calls are dilated differently.
bool SharedCalls::changesAllCalls(const Candidate& candidate) const
{
    for (const Change& change : candidate.changes) {
        const Node* node = change.edit.op == Edit::Op::Set ? m_scene.graph().find(change.layer) : nullptr;
        if (!node) continue;
        const std::string& attribute = change.edit.attribute;
        for (const NodeId partner : partners(change.layer)) {
            if (changeOf(candidate, partner, Edit::Op::Remove)) continue;
            const Change* other = settingOf(candidate, partner, attribute);
            const bool wasSame =
                sameValue(valueOf(*node, attribute), valueOf(m_scene.graph().at(partner), attribute));
            if (!other || (wasSame ? other->value != change.value : attribute != "padding")) return false;
        }
    }
    return true;
}

void SharedCalls::closeReshaped(std::set<NodeId>& layers) const
{
    const std::set<NodeId> asked = layers;
    for (const NodeId layer : asked)
        for (const NodeId partner : partners(layer)) layers.insert(partner);
}

}  // namespace fovea::refine
