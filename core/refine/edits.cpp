#include "core/refine/edits.h"

#include "core/ops/registry.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cstdio>
#include <tuple>
#include <unordered_set>

namespace fovea {

const char* toString(Edit::Op op)
{
    switch (op) {
    case Edit::Op::Set: return "set";
    case Edit::Op::Add: return "add";
    case Edit::Op::Remove: return "remove";
    case Edit::Op::Move: return "move";
    }
    return "set";
}

std::string settingsText(const Node& node)
{
    std::string settings;
    const OpDef& op = opFor(node.kind);
    for (const auto& [name, value] : node.attrs.entries())
        if (const AttrDef* def = op.attr(name); !def || def->fallback != value)
            settings += (settings.empty() ? "" : ", ") + name + "=" + toText(value);
    return node.kind + (settings.empty() ? "" : "(" + settings + ")");
}

bool isSideChange(const std::vector<Edit>& edits)
{
    return !edits.empty() &&
           std::all_of(edits.begin(), edits.end(), [](const Edit& edit) { return edit.attribute == "shape"; });
}

namespace refine {

namespace {

bool leans(const Edit& edit, const Graph& graph) { return edit.op == Edit::Op::Move && !graph.findByName(edit.after); }

}  // namespace

bool leanOnRemoved(const std::vector<Edit>& edits, const Graph& graph)
{
    return std::any_of(edits.begin(), edits.end(), [&](const Edit& edit) { return leans(edit, graph); });
}

std::vector<Edit> EditOrder::settled(std::vector<Edit> edits, const Graph& graph) const
{
    for (Edit& edit : edits)
        if (const Node* node = graph.findByName(edit.layer); node && leans(edit, graph))
            edit.to = edit.after = graph.at(node->inputs.at(0).node).name;
    return merged({}, edits);
}

EditOrder::EditOrder(const Graph& graph)
{
    for (const NodeId id : executionOrder(graph)) m_ranks.emplace(graph.at(id).name, m_ranks.size());
}

std::size_t EditOrder::rank(const std::string& layer) const
{
    const auto it = m_ranks.find(layer);
    return it == m_ranks.end() ? m_ranks.size() : it->second;
}

std::vector<Edit> EditOrder::merged(const std::vector<Edit>& first, const std::vector<Edit>& second) const
{
    std::vector<Edit> out = first;
    // Of the many edits of a cut or a spread, most are the first of their layer and need not be looked for.
    constexpr std::size_t kMany = 32;
    std::unordered_set<std::string_view> known;
    if (second.size() > kMany)
        for (const Edit& edit : first) known.insert(edit.layer);
    for (const Edit& edit : second) {
        if (second.size() > kMany && known.insert(edit.layer).second) {
            out.push_back(edit);
            continue;
        }
        if (edit.op == Edit::Op::Remove) {
            const bool wasAdded = std::any_of(out.begin(), out.end(), [&](const Edit& old) {
                return old.op == Edit::Op::Add && old.layer == edit.layer;
            });
            std::erase_if(out, [&](const Edit& old) { return old.layer == edit.layer; });
            if (wasAdded) continue;
        }
        const auto same = std::find_if(out.begin(), out.end(), [&](const Edit& old) {
            return old.op == edit.op && old.layer == edit.layer && old.attribute == edit.attribute;
        });
        if (same == out.end()) {
            out.push_back(edit);
            continue;
        }
        same->to = edit.to;
        same->after = edit.after;
    }
    std::erase_if(out, [](const Edit& edit) { return edit.op != Edit::Op::Remove && edit.from == edit.to; });
    std::vector<std::pair<std::size_t, std::size_t>> ranked;  // where its layer stands, and where it is in `out`
    for (std::size_t i = 0; i < out.size(); ++i) ranked.emplace_back(rank(out[i].layer), i);
    std::sort(ranked.begin(), ranked.end(), [&out](const auto& a, const auto& b) {
        const auto key = [&out](const auto& r) {
            return std::tuple(r.first, out[r.second].op, std::string_view(out[r.second].attribute), r.second);
        };
        return key(a) < key(b);
    });
    std::vector<Edit> sorted;
    sorted.reserve(out.size());
    for (const auto& [unused, index] : ranked) sorted.push_back(std::move(out[index]));
    return sorted;
}

std::string canonicalText(const std::vector<Edit>& edits)
{
    std::string out;
    for (const Edit& edit : edits) {
        // The tab cannot be typed into a value, so two lists of edits never read the same.
        for (const std::string& part :
             {std::string(toString(edit.op)), edit.layer, edit.attribute, edit.from, edit.to, edit.after})
            out += part + '\t';
        out += '\n';
    }
    return out;
}

std::string planId(const std::vector<Edit>& edits)
{
    const std::string text = canonicalText(edits);
    char digits[17];
    std::snprintf(digits, sizeof digits, "%016llx",
                  static_cast<unsigned long long>(XXH3_64bits(text.data(), text.size())));
    return std::string(digits, 12);
}

}  // namespace refine
}  // namespace fovea
