#include "core/io/onnx/groups.h"

#include "core/io/onnx/links.h"
#include "core/io/onnx/strong_parts.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <queue>
#include <set>
#include <span>
#include <string_view>

namespace fovea {

namespace {

using Lists = std::vector<std::vector<std::size_t>>;

constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();
// Modules nest less deeply; a name of a thousand dots is none of modules.
constexpr std::size_t kDeepest = 32;

// The modules that the claims name, each once, with those around it.
class Modules {
public:
    static constexpr std::size_t kNetwork = 0;

    explicit Modules(const std::vector<GroupClaim>& claims)
    {
        for (const GroupClaim& claim : claims) m_chains.push_back(claim.module ? chainOf(*claim.module) : std::vector<std::size_t>{});
    }

    // The module right inside `module`, which is `depth` modules deep, that the layer stands in; kNone: in none.
    std::size_t inside(std::size_t module, std::size_t depth, std::size_t layer) const
    {
        const std::vector<std::size_t>& chain = m_chains[layer];
        return chain.size() > depth + 1 && chain[depth] == module ? chain[depth + 1] : kNone;
    }
    const std::string& name(std::size_t module) const { return m_names[module]; }

private:
    std::vector<std::size_t> chainOf(std::string_view path)
    {
        std::vector<std::size_t> chain{kNetwork};
        while (!path.empty() && chain.size() <= kDeepest) {
            const std::size_t dot = path.find('.');
            const auto [it, isNew] = m_children.try_emplace({chain.back(), std::string(path.substr(0, dot))}, m_names.size());
            if (isNew) m_names.push_back(it->first.second);
            chain.push_back(it->second);
            path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
        }
        return chain;
    }

    std::map<std::pair<std::size_t, std::string>, std::size_t> m_children;
    std::vector<std::string> m_names{""};
    Lists m_chains;  // by layer, from the network inwards; empty where nothing is said
};

// Every layer behind those that it reads; cycles last.
std::vector<std::size_t> executionOrder(const Lists& inputs)
{
    Lists readers(inputs.size());
    std::vector<std::size_t> waiting(inputs.size()), out;
    std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
    for (std::size_t layer = 0; layer < inputs.size(); ++layer) {
        waiting[layer] = inputs[layer].size();
        if (waiting[layer] == 0) ready.push(layer);
        for (const std::size_t input : inputs[layer]) readers[input].push_back(layer);
    }
    while (!ready.empty()) {
        const std::size_t layer = ready.top();
        ready.pop();
        out.push_back(layer);
        for (const std::size_t reader : readers[layer])
            if (--waiting[reader] == 0) ready.push(reader);
    }
    for (std::size_t layer = 0; layer < inputs.size(); ++layer)
        if (waiting[layer] > 0) out.push_back(layer);
    return out;
}

struct Part {
    std::size_t module = 0;
    std::vector<std::size_t> layers;
};

// Finds the groups right inside one part of the network. A candidate is what may become a group: at first the layers of
// one module.
class Division {
public:
    // `layers` in execution order; `place` has the place of each of the network's layers among them, kNone: elsewhere.
    // Where a layer closes a group with something from beside it, `closes` is set: it closes none inside that one.
    Division(const std::vector<std::size_t>& layers, const std::vector<std::size_t>& place, const Lists& inputs, const std::vector<GroupClaim>& claims,
             std::vector<bool>& closes)
        : m_layers(layers), m_claims(claims), m_closes(closes), m_of(layers.size(), kNone)
    {
        std::vector<Links::Edge> reads, readers, foreign;
        for (std::size_t i = 0; i < layers.size(); ++i)
            for (const std::size_t input : inputs[layers[i]]) {
                if (place[input] == kNone) {
                    foreign.emplace_back(i, input);
                    continue;
                }
                reads.emplace_back(i, place[input]);
                readers.emplace_back(place[input], i);
            }
        m_inputs = Links(layers.size(), reads);
        m_readers = Links(layers.size(), readers);
        m_foreign = Links(layers.size(), foreign);
    }

    // `modules` by layer: the module right inside this part, or kNone.
    std::vector<Part> run(const std::vector<std::size_t>& modules)
    {
        std::map<std::size_t, std::size_t> candidates;
        for (std::size_t i = 0; i < modules.size(); ++i) {
            if (modules[i] == kNone) continue;
            const auto [it, isNew] = candidates.try_emplace(modules[i], m_modules.size());
            if (isNew) m_modules.push_back(modules[i]);
            m_of[i] = it->second;
        }
        if (m_modules.empty()) return {};
        // After a split each candidate is on cycles with layers of no module alone: these join it in the second round.
        if (closeCycles()) closeCycles();
        findSources();
        closeEnds();
        takeBranches();
        return connected();
    }

private:
    // Every candidate is one node; behind them come the layers of this part that are in none.
    std::size_t nodeOf(std::size_t i) const { return m_of[i] == kNone ? m_modules.size() + i : m_of[i]; }

    Links contracted() const
    {
        std::vector<Links::Edge> edges;
        for (std::size_t i = 0; i < m_layers.size(); ++i)
            for (const std::size_t reader : m_readers[i])
                if (nodeOf(i) != nodeOf(reader)) edges.emplace_back(nodeOf(i), nodeOf(reader));
        return Links(m_modules.size() + m_layers.size(), edges);
    }

    Lists layersByCandidate() const
    {
        Lists out(m_modules.size());
        for (std::size_t i = 0; i < m_layers.size(); ++i)
            if (m_of[i] != kNone) out[m_of[i]].push_back(i);
        return out;
    }

    // What is on a cycle with one candidate lies between its layers and joins it. Candidates that are on one cycle
    // contradict each other and are split; returns whether there were any.
    bool closeCycles()
    {
        const Lists cycles = strongParts(contracted());
        if (cycles.empty()) return false;
        const Lists layersOf = layersByCandidate();
        const std::size_t candidates = m_modules.size();
        bool hasSplit = false;
        for (const std::vector<std::size_t>& nodes : cycles) {
            std::vector<std::size_t> named, layers;
            for (const std::size_t node : nodes) {
                if (node >= candidates) {
                    layers.push_back(node - candidates);
                    continue;
                }
                named.push_back(node);
                layers.insert(layers.end(), layersOf[node].begin(), layersOf[node].end());
            }
            if (named.size() == 1)
                for (const std::size_t i : layers) m_of[i] = named.front();
            if (named.size() < 2) continue;
            split(std::move(layers));
            hasSplit = true;
        }
        return hasSplit;
    }

    // Puts the layers into an order of execution that leaves a candidate only where it must. Each stay in it becomes a
    // candidate: stays follow one another, so that no two are on one cycle.
    void split(std::vector<std::size_t> layers)
    {
        std::sort(layers.begin(), layers.end());
        std::map<std::size_t, std::size_t> waiting;
        for (const std::size_t i : layers) waiting[i] = 0;
        for (const std::size_t i : layers)
            for (const std::size_t input : m_inputs[i]) waiting[i] += waiting.contains(input);
        using Queue = std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>>;
        std::map<std::size_t, Queue> ready;  // by candidate
        std::set<std::size_t> allReady, left;
        const auto add = [&](std::size_t i) {
            ready[m_of[i]].push(i);
            allReady.insert(i);
        };
        for (const auto& [i, count] : waiting)
            if (count == 0) add(i);
        std::size_t current = kNone, stay = kNone;
        while (!allReady.empty()) {
            // A layer in no candidate ends no stay.
            std::size_t from = kNone;
            if (ready[kNone].empty()) from = current != kNone && !ready[current].empty() ? current : m_of[*allReady.begin()];
            const std::size_t i = ready[from].top();
            ready[from].pop();
            allReady.erase(i);
            for (const std::size_t reader : m_readers[i])
                if (const auto it = waiting.find(reader); it != waiting.end() && --it->second == 0) add(reader);
            if (from == kNone) continue;
            if (from != current) stay = left.insert(from).second ? from : addCandidate(m_modules[from]);
            current = from;
            m_of[i] = stay;
        }
    }

    std::size_t addCandidate(std::size_t module)
    {
        m_modules.push_back(module);
        return m_modules.size() - 1;
    }

    // Sources of a candidate: candidates, layers in none, and layers of the network outside this part.
    std::size_t localSource(std::size_t i) const { return 2 * (m_of[i] == kNone ? m_modules.size() + i : m_of[i]); }
    static std::size_t foreignSource(std::size_t layer) { return 2 * layer + 1; }

    void findSources()
    {
        m_sources.resize(m_modules.size());
        for (std::size_t i = 0; i < m_layers.size(); ++i) {
            if (m_of[i] == kNone) continue;
            for (const std::size_t input : m_inputs[i]) m_sources[m_of[i]].insert(localSource(input));
            for (const std::size_t layer : m_foreign[i]) m_sources[m_of[i]].insert(foreignSource(layer));
        }
        for (const std::vector<std::size_t>& layers : layersByCandidate()) m_owners.push_back(ownersOf(layers));
    }

    bool saysNothing(std::size_t i) const { return m_of[i] == kNone && !m_claims[m_layers[i]].module; }

    // Whether the candidate reads all that the layer reads. Then nothing leads from the candidate to it, and no cycle
    // arises where it joins.
    bool readsTheSame(std::size_t i, std::size_t candidate) const
    {
        const std::set<std::size_t>& read = m_sources[candidate];
        return !(m_inputs[i].empty() && m_foreign[i].empty()) &&
               std::all_of(m_inputs[i].begin(), m_inputs[i].end(), [&](std::size_t input) { return read.contains(localSource(input)); }) &&
               std::all_of(m_foreign[i].begin(), m_foreign[i].end(), [&](std::size_t layer) { return read.contains(foreignSource(layer)); });
    }

    // A layer without a name of its own beside the others of a group, such as a pooling that is a branch of
    // its own, between what the group reads and the one layer `reader`.
    bool isBranch(std::size_t i, std::size_t candidate, std::size_t reader) const
    {
        return saysNothing(i) && m_readers[i].size() == 1 && m_readers[i].front() == reader && readsTheSame(i, candidate);
    }

    // An activation or a merge of which the file says nothing closes the group whose output it reads, where it reads
    // nothing else or what the group reads too: the sum of a block and its shortcut, the concatenation of branches.
    void closeEnds()
    {
        for (std::size_t i = 0; i < m_layers.size(); ++i) {
            if (!saysNothing(i) || !m_claims[m_layers[i]].closes || m_inputs[i].empty()) continue;
            const std::size_t candidate = latestCandidate(m_inputs[i]);
            if (candidate == kNone || m_owners[candidate] < 2) continue;
            const auto isInside = [&](std::size_t input) { return m_of[input] == candidate; };
            const auto isKnown = [&](std::size_t input) { return isInside(input) || m_sources[candidate].contains(localSource(input)) || isBranch(input, candidate, i); };
            const bool allInside = m_foreign[i].empty() && std::all_of(m_inputs[i].begin(), m_inputs[i].end(), isInside);
            const bool closes = allInside || (!m_closes[m_layers[i]] && std::all_of(m_inputs[i].begin(), m_inputs[i].end(), isKnown) &&
                                              std::all_of(m_foreign[i].begin(), m_foreign[i].end(), [&](std::size_t layer) { return m_sources[candidate].contains(foreignSource(layer)); }));
            if (!closes) continue;
            m_closes[m_layers[i]] = m_closes[m_layers[i]] || !allInside;
            join(i, candidate);
        }
    }

    // Of the last layer in order of execution that is in one.
    std::size_t latestCandidate(std::span<const std::size_t> layers) const
    {
        std::size_t latest = kNone;
        for (const std::size_t i : layers)
            if (m_of[i] != kNone && (latest == kNone || i > latest)) latest = i;
        return latest == kNone ? kNone : m_of[latest];
    }

    void takeBranches()
    {
        for (std::size_t i = m_layers.size(); i-- > 0;) {
            if (!saysNothing(i) || m_readers[i].empty()) continue;
            const std::size_t candidate = m_of[m_readers[i].front()];
            const bool isRead = candidate != kNone && m_owners[candidate] > 1 &&
                                std::all_of(m_readers[i].begin(), m_readers[i].end(), [&](std::size_t reader) { return m_of[reader] == candidate; });
            if (isRead && readsTheSame(i, candidate)) join(i, candidate);
        }
    }

    void join(std::size_t i, std::size_t candidate)
    {
        m_of[i] = candidate;
        for (const std::size_t reader : m_readers[i])
            if (m_of[reader] != kNone && m_of[reader] != candidate) m_sources[m_of[reader]].insert(localSource(i));
    }

    // How many of the layers name a module; calls of one layer count once.
    std::size_t ownersOf(const std::vector<std::size_t>& layers) const
    {
        std::set<std::string_view> names;
        std::size_t out = 0;
        for (const std::size_t i : layers) {
            const GroupClaim& claim = m_claims[m_layers[i]];
            if (!claim.module) continue;
            if (claim.owner.empty() || names.insert(claim.owner).second) ++out;
        }
        return out;
    }

    // The pieces of the candidates that hang together, in order of execution. One layer is no group.
    std::vector<Part> connected() const
    {
        std::vector<std::size_t> parent(m_layers.size());
        std::iota(parent.begin(), parent.end(), std::size_t{0});
        const auto rootOf = [&](std::size_t i) {
            while (parent[i] != i) i = parent[i] = parent[parent[i]];
            return i;
        };
        for (std::size_t i = 0; i < m_layers.size(); ++i)
            for (const std::size_t input : m_inputs[i])
                if (m_of[i] != kNone && m_of[i] == m_of[input]) parent[rootOf(i)] = rootOf(input);
        std::map<std::size_t, std::size_t> pieces;
        Lists layers;
        for (std::size_t i = 0; i < m_layers.size(); ++i) {
            if (m_of[i] == kNone) continue;
            const auto [it, isNew] = pieces.try_emplace(rootOf(i), layers.size());
            if (isNew) layers.emplace_back();
            layers[it->second].push_back(i);
        }
        std::vector<Part> out;
        for (const std::vector<std::size_t>& own : layers) {
            if (ownersOf(own) < 2) continue;
            out.push_back({m_modules[m_of[own.front()]], {}});
            for (const std::size_t i : own) out.back().layers.push_back(m_layers[i]);
        }
        return out;
    }

    const std::vector<std::size_t>& m_layers;
    const std::vector<GroupClaim>& m_claims;
    std::vector<bool>& m_closes;         // by layer of the network
    Links m_inputs, m_readers;           // inside this part
    Links m_foreign;                     // inputs from elsewhere, as layers of the network
    std::vector<std::size_t> m_of;       // the candidate of each layer; kNone: in none
    std::vector<std::size_t> m_modules;  // by candidate
    std::vector<std::set<std::size_t>> m_sources;  // what each candidate reads from outside it, and some inside
    std::vector<std::size_t> m_owners;             // by candidate, as ownersOf() counts
};

class Grouping {
public:
    Grouping(const Lists& inputs, const std::vector<GroupClaim>& claims)
        : m_inputs(inputs), m_claims(claims), m_modules(claims), m_place(inputs.size(), kNone), m_closes(inputs.size(), false), m_paths(inputs.size())
    {
    }

    std::vector<std::string> run()
    {
        std::vector<Open> open;
        open.push_back({{Modules::kNetwork, executionOrder(m_inputs)}, 0, ""});
        while (!open.empty()) {
            const Open group = std::move(open.back());
            open.pop_back();
            for (Open& inner : groupsInside(group)) open.push_back(std::move(inner));
        }
        return std::move(m_paths);
    }

private:
    struct Open {
        Part part;
        std::size_t depth;
        std::string path;
    };

    std::vector<Open> groupsInside(const Open& group)
    {
        const std::vector<std::size_t>& layers = group.part.layers;
        std::vector<std::size_t> modules;
        std::set<std::string> names;
        for (std::size_t i = 0; i < layers.size(); ++i) {
            m_place[layers[i]] = i;
            m_paths[layers[i]] = group.path;
            modules.push_back(m_modules.inside(group.part.module, group.depth, layers[i]));
            if (modules.back() != kNone) names.insert(m_modules.name(modules.back()));
        }
        std::vector<Part> parts = names.empty() ? std::vector<Part>() : Division(layers, m_place, m_inputs, m_claims, m_closes).run(modules);
        for (const std::size_t layer : layers) m_place[layer] = kNone;
        std::vector<Open> out;
        std::map<std::size_t, int> pieces;
        for (Part& part : parts) {
            const std::string& module = m_modules.name(part.module);
            int& number = pieces[part.module];
            std::string name = module;
            while (++number > 1 && !names.insert(name = module + "_" + std::to_string(number)).second) {
            }
            out.push_back({std::move(part), group.depth + 1, group.path.empty() ? name : group.path + "." + name});
        }
        return out;
    }

    const Lists& m_inputs;
    const std::vector<GroupClaim>& m_claims;
    Modules m_modules;
    std::vector<std::size_t> m_place;  // of each layer in the part that is being divided
    std::vector<bool> m_closes;
    std::vector<std::string> m_paths;
};

}  // namespace

std::vector<std::string> connectedGroups(const std::vector<std::vector<std::size_t>>& inputs, const std::vector<GroupClaim>& claims)
{
    return Grouping(inputs, claims).run();
}

}  // namespace fovea
