#include "core/graph/names.h"
#include "core/ops/registry.h"
#include "core/ops/shared_layers.h"
#include "core/refine/describe.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <unordered_set>

namespace fovea::refine {

namespace {

// "7x7" as "7": lists of one repeated number read as the number.
std::string shortList(const std::string& text)
{
    const std::string first = text.substr(0, text.find('x'));
    std::string all = first;
    while (all.size() < text.size()) all += "x" + first;
    return all == text ? first : text;
}

std::string quotedList(const std::vector<std::string>& names)
{
    constexpr std::size_t kShown = 5;
    std::string out;
    for (std::size_t i = 0; i < names.size() && i < kShown; ++i)
        out += (i == 0 ? "'" : i + 1 == names.size() ? " and '" : ", '") + names[i] + "'";
    return names.size() > kShown ? out + " and " + std::to_string(names.size() - kShown) + " more" : out;
}

// A stem that cuts patches: kernel and stride change as one.
bool isPatchChange(const Edit& kernel, const Edit& stride)
{
    return kernel.attribute == "kernel_size" && kernel.layer == stride.layer && kernel.from == stride.from &&
           kernel.to == stride.to;
}

// The stem for small images: kernel and stride of the first convolution fall together.
bool isStemChange(const Edit& kernel, const std::vector<Edit>& edits, const std::string& stem)
{
    return kernel.attribute == "kernel_size" && kernel.layer == stem && kernel.to == "3x3" &&
           std::any_of(edits.begin(), edits.end(), [&](const Edit& other) {
               return other.attribute == "stride" && other.layer == kernel.layer && other.to == "1x1";
           });
}

// Padding follows from a kernel or a stride that is named already, the stride of a patch from its kernel, what a
// head reads from what is before it.
bool isImplied(const Edit& edit, const std::vector<Edit>& edits, const std::string& stem)
{
    if (edit.attribute == "in_features" || edit.attribute == "features") return true;
    if (edit.attribute != "padding" && edit.attribute != "stride") return false;
    return std::any_of(edits.begin(), edits.end(), [&](const Edit& other) {
        if (other.layer != edit.layer) return false;
        if (edit.attribute == "padding")
            return other.attribute == "kernel_size" || other.attribute == "stride" || other.attribute == "dilation";
        return edit.attribute == "stride" && (isPatchChange(other, edit) || isStemChange(other, edits, stem));
    });
}

bool sameChange(const Edit& a, const Edit& b)
{
    return a.op == b.op && a.attribute == b.attribute && a.from == b.from && a.to == b.to;
}

std::string stemPhrase(const Edit& kernel, const std::string& layers, const std::vector<Edit>& edits)
{
    std::string out =
        "stem " + layers + " for small images: kernel from " + shortList(kernel.from) + " to " + shortList(kernel.to);
    for (const Edit& edit : edits)
        if (edit.attribute == "stride" && edit.layer == kernel.layer)
            out += ", stride from " + shortList(edit.from) + " to " + shortList(edit.to);
    return out;
}

std::string setPhrase(const Edit& edit, const std::string& layers, const std::vector<Edit>& edits,
                      const std::string& stem)
{
    if (isStemChange(edit, edits, stem)) return stemPhrase(edit, layers, edits);
    const bool patch = std::any_of(edits.begin(), edits.end(), [&](const Edit& other) {
        return other.attribute == "stride" && isPatchChange(edit, other);
    });
    const std::string what = patch ? "kernel and stride" : edit.attribute == "kernel_size" ? "kernel" : edit.attribute;
    return what + " of " + layers + " from " + shortList(edit.from) + " to " + shortList(edit.to);
}

std::string phraseOf(const Edit& edit, const std::string& layers, const std::vector<Edit>& edits,
                     const std::string& stem)
{
    switch (edit.op) {
    case Edit::Op::Set: return setPhrase(edit, layers, edits, stem);
    case Edit::Op::Add:
    case Edit::Op::Remove: break;
    case Edit::Op::Move:
        return "pooling " + layers + " moved from '" + moduleName(edit.from) + "' to behind '" + moduleName(edit.to) +
               "'";
    }
    return {};
}

std::string kindOf(const Edit& added) { return added.to.substr(0, added.to.find('(')); }

// All that is added, in a few words: skips by the blocks they lead around, one layer by its name, more by their count.
std::string addedPhrase(const std::vector<Edit>& edits)
{
    std::vector<const Edit*> added;
    std::vector<std::string> blocks;
    for (const Edit& edit : edits) {
        if (edit.op != Edit::Op::Add) continue;
        added.push_back(&edit);
        const std::string end = ".skip.add";
        const std::size_t at = edit.layer.rfind(end);
        if (kindOf(edit) == "Add" && at != std::string::npos) blocks.push_back(edit.layer.substr(0, at));
    }
    const auto isAddedPooling = [](const Edit* edit) { return opFor(kindOf(*edit)).opClass == OpClass::Pooling; };
    const std::string behind = " behind '" + moduleName(added.front()->after) + "'";
    if (!blocks.empty()) return "1x1 skip around " + quotedList(blocks);
    if (added.size() == 1 && kindOf(*added.front()) == "Add") return "1x1 skip added" + behind;
    if (added.size() == 1)
        return (isAddedPooling(added.front()) ? "pooling" : kindOf(*added.front())) + " added" + behind;
    const auto isSkip = [](const Edit* edit) { return edit->layer.find("skip.") != std::string::npos; };
    if (std::all_of(added.begin(), added.end(), isSkip)) return "1x1 skip added" + behind;
    const bool poolings = std::all_of(added.begin(), added.end(), isAddedPooling);
    return std::to_string(added.size()) + (poolings ? " poolings" : " layers") + " added, the first" + behind;
}

bool isWidth(const Edit& edit)
{
    return edit.op == Edit::Op::Set && (edit.attribute == "out_channels" || edit.attribute == "groups");
}

struct Widening {
    std::size_t layers;
    std::string factor;  // "1.38", of all channels together
};

Widening wideningOf(const std::vector<Edit>& edits)
{
    std::unordered_set<std::string> layers;
    double from = 0, to = 0;
    for (const Edit& edit : edits) {
        if (!isWidth(edit) || !layers.insert(edit.layer).second) continue;
        from += std::atof(edit.from.c_str());
        to += std::atof(edit.to.c_str());
    }
    char factor[32];
    std::snprintf(factor, sizeof factor, "%.2f", to / std::max(1.0, from));
    return {layers.size(), factor};
}

// "channels of 24 layers times 1.38": widths that rise together.
std::string widthPhrase(const std::vector<Edit>& edits)
{
    const Widening widening = wideningOf(edits);
    return "channels of " + std::to_string(widening.layers) + (widening.layers == 1 ? " layer" : " layers") +
           " times " + widening.factor;
}

// "shorter and wider: 59 layers cut from 'features.5' on, 12 added, channels times 1.38"
std::string spreadPhrase(std::size_t cut, const std::string& first, const std::vector<Edit>& edits)
{
    const auto added =
        std::count_if(edits.begin(), edits.end(), [](const Edit& edit) { return edit.op == Edit::Op::Add; });
    return "shorter and wider: " + std::to_string(cut) + " layers cut from '" + first + "' on" +
           (added > 0 ? ", " + std::to_string(added) + " added" : "") + ", channels times " + wideningOf(edits).factor;
}

bool isPooling(const Node* node) { return opFor(node->kind).opClass == OpClass::Pooling; }

}  // namespace

Titles::Titles(const Graph& before) : m_graph(before)
{
    for (const NodeId id : executionOrder(before)) {
        m_ranks.emplace(id, m_ranks.size());
        const Node& node = before.at(id);
        m_byName.emplace(node.name, &node);
        if (m_stem.empty() && opFor(node.kind).opClass == OpClass::Convolution) m_stem = node.name;
    }
    for (const std::vector<NodeId>& calls : sharedLayers(before))
        for (const NodeId call : calls)
            if (call != calls.front()) m_firstCalls.emplace(call, calls.front());
}

// Whether `layer` reads `other`, directly or through others.
bool Titles::isBehind(const Node& layer, const Node& other) const
{
    const auto rank = [this](NodeId id) {
        const auto it = m_ranks.find(id);
        return it == m_ranks.end() ? std::size_t{0} : it->second;
    };
    const std::size_t first = rank(other.id);
    std::vector<NodeId> open{layer.id};
    std::unordered_set<NodeId> seen;
    while (!open.empty()) {
        const NodeId id = open.back();
        open.pop_back();
        if (id == other.id) return true;
        if (rank(id) <= first || !seen.insert(id).second) continue;  // what stands before it cannot read it
        if (const Node* node = m_graph.find(id))
            for (const Port& port : node->inputs) open.push_back(port.node);
    }
    return false;
}

// Names of layers; where several stand side by side in one group, such as a block and its shortcut, the group's
// name instead.
std::vector<std::string> Titles::blocksOf(const std::vector<const Node*>& layers) const
{
    std::vector<std::string> out;
    std::vector<bool> said(layers.size(), false);
    for (std::size_t i = 0; i < layers.size(); ++i) {
        if (said[i]) continue;
        std::string block;
        for (std::size_t j = i + 1; j < layers.size(); ++j) {
            const std::string shared = commonGroup(block.empty() ? layers[i]->group : block, layers[j]->group);
            if (said[j] || shared.empty() || isBehind(*layers[j], *layers[i]) || isBehind(*layers[i], *layers[j]))
                continue;
            block = shared;
            said[j] = true;
        }
        out.push_back(block.empty() ? moduleName(layers[i]->name) : block);
    }
    return out;
}

std::string Titles::removedPhrase(const std::vector<const Node*>& layers, bool spread,
                                  const std::vector<Edit>& edits) const
{
    std::vector<const Node*> poolings;
    std::size_t first = 0;
    for (; first < layers.size() && isPooling(layers[first]); ++first) poolings.push_back(layers[first]);
    std::string out = poolings.empty() ? "" : "pooling " + quotedList(blocksOf(poolings)) + " removed";
    const std::size_t cut = layers.size() - first;
    if (cut == 0) return out;
    out += out.empty() ? "" : "; ";
    if (cut == 1) return out + "layer '" + moduleName(layers[first]->name) + "' removed";
    if (spread) return out + spreadPhrase(cut, moduleName(layers[first]->name), edits);
    return out + std::to_string(cut) + " layers cut, from '" + moduleName(layers[first]->name) + "' to '" +
           moduleName(layers.back()->name) + "'";
}

std::size_t Titles::cutLayers(const std::vector<Edit>& edits) const
{
    return static_cast<std::size_t>(std::count_if(edits.begin(), edits.end(), [this](const Edit& edit) {
        const auto node = m_byName.find(edit.layer);
        return edit.op == Edit::Op::Remove && node != m_byName.end() && !isPooling(node->second);
    }));
}

// Without those that only make in a later call of a layer what is made in its first.
std::vector<Edit> Titles::ofFirstCalls(std::vector<Edit> edits) const
{
    if (m_firstCalls.empty()) return edits;
    const std::vector<Edit> all = edits;
    std::erase_if(edits, [&](const Edit& edit) {
        const auto node = m_byName.find(edit.layer);
        const auto first = node == m_byName.end() ? m_firstCalls.end() : m_firstCalls.find(node->second->id);
        if (edit.op != Edit::Op::Set || first == m_firstCalls.end()) return false;
        return std::any_of(all.begin(), all.end(), [&](const Edit& other) {
            return sameChange(edit, other) && other.layer == m_graph.at(first->second).name;
        });
    });
    return edits;
}

std::string Titles::of(const std::vector<Edit>& all, const Sides& sides) const
{
    const std::vector<Edit> edits = ofFirstCalls(all);
    std::string out;
    std::vector<bool> said(edits.size(), false);
    // A tail that is cut and comes again in other places and widths is said in one phrase.
    const bool spread = std::any_of(edits.begin(), edits.end(), isWidth) && cutLayers(edits) > 1;
    bool widths = spread, additions = spread, resized = false;
    for (std::size_t i = 0; i < edits.size(); ++i) {
        if (said[i] || isImplied(edits[i], edits, m_stem)) continue;
        if (edits[i].attribute == "shape") {
            if (!resized)
                out += (out.empty() ? "" : "; ") + ("side from " + axesText(sides.first)) + " to " +
                       axesText(sides.second);
            resized = true;
            continue;
        }
        const bool added = edits[i].op == Edit::Op::Add;
        if (added || isWidth(edits[i])) {
            bool& done = added ? additions : widths;
            if (!done) out += (out.empty() ? "" : "; ") + (added ? addedPhrase(edits) : widthPhrase(edits));
            done = true;
            continue;
        }
        std::vector<const Node*> layers;
        for (std::size_t j = i; j < edits.size(); ++j) {
            if (!sameChange(edits[i], edits[j]) || isImplied(edits[j], edits, m_stem)) continue;
            if (isStemChange(edits[i], edits, m_stem) != isStemChange(edits[j], edits, m_stem)) continue;
            said[j] = true;
            if (const auto node = m_byName.find(edits[j].layer); node != m_byName.end()) layers.push_back(node->second);
        }
        out += (out.empty() ? "" : "; ") + (edits[i].op == Edit::Op::Remove
                                                ? removedPhrase(layers, spread, edits)
                                                : phraseOf(edits[i], quotedList(blocksOf(layers)), edits, m_stem));
    }
    if (!out.empty()) out[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(out[0])));
    return out;
}

}  // namespace fovea::refine
