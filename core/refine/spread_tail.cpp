// Shorter and wider: the tail that is not productive goes, its blocks come again in earlier stages, and what is left
// gets as wide as the old number of parameters allows (arXiv 2211.14487, section on efficiency).
#include "core/base/checked.h"
#include "core/graph/names.h"
#include "core/refine/blocks.h"
#include "core/refine/shared_calls.h"
#include "core/refine/widths.h"
#include "core/weights/owned_params.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_set>

namespace fovea::refine {

namespace {

bool isInside(const Stretch& block, std::int32_t entry)
{
    return entry >= static_cast<std::int32_t>(block.from) && entry < static_cast<std::int32_t>(block.to);
}

// Reads nothing but itself and what it stands behind, and makes a map like the one it reads.
bool isRepeatable(const Scene& scene, const Stretch& block)
{
    if (!block.windows || scene.layer(block.from)->out[0] != scene.layer(block.to)->out[0]) return false;
    for (std::size_t entry = block.from + 1; entry <= block.to; ++entry) {
        const auto inputs = scene.inputs(entry);
        if (inputs.empty() ||
            !std::all_of(inputs.begin(), inputs.end(), [&](std::int32_t from) { return isInside(block, from); }))
            return false;
        for (const Port& port : scene.node(entry).inputs)
            if (port.output != 0) return false;
    }
    return true;
}

// The layer whose start at zero makes a residual block the identity: the last with weights on the branch that does
// not come straight from before the block.
std::optional<std::size_t> lastWeights(const Scene& scene, const Stretch& block)
{
    for (std::size_t entry = block.to; entry > block.from; --entry) {
        const auto inputs = scene.inputs(entry);
        if (scene.node(entry).kind != "Add" || inputs.size() != 2) continue;
        const auto before = static_cast<std::int32_t>(block.from);
        if (inputs[0] != before && inputs[1] != before) return std::nullopt;
        auto at = static_cast<std::size_t>(inputs[0] == before ? inputs[1] : inputs[0]);
        while (at > block.from && scene.node(at).kind != "Conv2d" && scene.node(at).kind != "BatchNorm2d") {
            if (scene.inputs(at).size() != 1) return std::nullopt;
            at = static_cast<std::size_t>(scene.inputs(at)[0]);
        }
        return at > block.from ? std::optional(at) : std::nullopt;
    }
    return std::nullopt;
}

// A chain of layers, each able to start as the identity.
bool isPlainChain(const Scene& scene, const Stretch& block)
{
    for (std::size_t entry = block.from + 1; entry <= block.to; ++entry) {
        if (scene.inputs(entry).size() != 1) return false;
        const LayerReport& layer = *scene.layer(entry);
        if (scene.node(entry).kind == "Conv2d" && layer.in[0] != layer.out[0]) return false;
    }
    return true;
}

std::string lastPart(const Node& node)
{
    return node.group.empty() || !node.name.starts_with(node.group + ".") ? moduleName(node.name)
                                                                          : node.name.substr(node.group.size() + 1);
}

// Copies the block behind `behind`, so that it changes nothing at first; returns its last layer.
NodeId repeat(const Scene& scene, const Stretch& block, NodeId behind, Additions& additions)
{
    const std::optional<std::size_t> zero = block.skipped ? lastWeights(scene, block) : std::nullopt;
    std::map<std::int32_t, NodeId> copies{{static_cast<std::int32_t>(block.from), behind}};
    for (std::size_t entry = block.from + 1; entry <= block.to; ++entry) {
        Node copy = scene.node(entry);
        if (zero == entry) copy.attrs.set("init", std::string("zeros"));
        else if (!zero && (copy.kind == "Conv2d" || copy.kind == "BatchNorm2d"))
            copy.attrs.set("init", std::string("identity"));
        std::vector<NodeId> inputs;
        for (const std::int32_t from : scene.inputs(entry)) inputs.push_back(copies.at(from));
        const std::string name = lastPart(copy) + "_again", group = copy.group;
        copies[static_cast<std::int32_t>(entry)] =
            additions.add(std::move(copy), name, group, inputs, entry == block.to ? behind : kNoNode);
    }
    return copies.at(static_cast<std::int32_t>(block.to));
}

// The last block of each stage that can come again, from the first stage on.
std::vector<Stretch> lastRepeatable(const Scene& scene)
{
    std::map<Rational, Stretch> byJump;
    for (const Stretch& block : stretches(scene)) {
        if (!isRepeatable(scene, block)) continue;
        if (block.skipped ? lastWeights(scene, block).has_value() : isPlainChain(scene, block))
            byJump.insert_or_assign(scene.layer(block.to)->field.h.jump, block);
    }
    std::vector<Stretch> out;
    for (const auto& [jump, block] : byJump) out.push_back(block);
    return out;
}

int blocksWithWindows(const Scene& scene, const std::set<NodeId>& removed)
{
    int count = 0;
    for (const Stretch& stretch : stretches(scene))
        count += stretch.windows && removed.contains(scene.node(stretch.to).id);
    return count;
}

// `count` blocks behind blocks of their own stage, in turn.
void spread(const Scene& scene, int count, Additions& additions)
{
    const std::vector<Stretch> blocks = lastRepeatable(scene);
    std::vector<NodeId> ends;
    for (const Stretch& block : blocks) ends.push_back(scene.node(block.to).id);
    for (int i = 0; i < count && !blocks.empty(); ++i) {
        const std::size_t at = static_cast<std::size_t>(i) % blocks.size();
        ends[at] = repeat(scene, blocks[at], ends[at], additions);
    }
}

Graph applied(Graph graph, const std::vector<Change>& changes)
{
    return Candidate{changes}.appliedTo(std::move(graph));
}

// As an analysis counts them, without the rest of it.
std::int64_t parametersOf(const Graph& graph)
{
    std::int64_t out = 0;
    std::unordered_set<std::string> shared;
    eachLayer(graph, [&](const NodeView& view) {
        for (const ParamSpec& spec : specsOf(view)) {
            if (!spec.trainable || !isKnown(spec.dims)) continue;
            const TensorBinding* binding = view.node.tensor(spec.role);
            if (binding && !shared.insert(binding->tensor).second) continue;
            std::int64_t count = 1;
            for (const std::int64_t dim : spec.dims) count = saturatingMul(count, dim);
            out = saturatingAdd(out, count);
        }
    });
    return out;
}

// The largest factor that keeps the network within `parameters`, as changes.
std::vector<Change> widened(const Graph& graph, const std::set<NodeId>& keep, std::int64_t parameters,
                            Reshaped& reshaped)
{
    const Report report = analyze(graph);
    const Scene scene(graph, report, keep);
    const Widths widths(scene);
    if (!widths.canGrow()) return {};
    std::vector<Change> best;
    // Parameters grow with the square of a width, or more slowly.
    const double now = static_cast<double>(std::max<std::int64_t>(1, report.summary.parameters));
    double least = 1, most = std::min(8.0, 1.3 * std::sqrt(static_cast<double>(parameters) / now) + 0.1);
    for (int round = 0; round < 6; ++round) {
        const double factor = (least + most) / 2;
        Candidate wider{widths.times(factor)};
        if (parametersOf(wider.appliedTo(graph)) <= parameters) {
            best = std::move(wider.changes);
            least = factor;
        } else {
            most = factor;
        }
    }
    if (!best.empty()) reshaped.any = widths.affected();
    return best;
}

// New widths of layers that the candidate itself adds belong into those layers.
void take(std::vector<Change> widths, Candidate& candidate)
{
    for (Change& width : widths) {
        const auto it = std::find_if(candidate.changes.begin(), candidate.changes.end(), [&](const Change& change) {
            return change.edit.op == Edit::Op::Add && change.layer == width.layer;
        });
        if (it == candidate.changes.end()) {
            candidate.changes.push_back(std::move(width));
            continue;
        }
        Node node = *it->added;
        node.attrs.set(width.edit.attribute, width.value);
        it->edit.to = settingsText(node);
        it->added = std::make_shared<const Node>(std::move(node));
    }
}

}  // namespace

std::vector<Candidate> spreadTail(const Scene& scene)
{
    std::vector<Candidate> out;
    const SharedCalls shared(scene);
    for (Candidate& found : cutTail(scene)) {
        const std::optional<Candidate> closed = shared.closed(std::move(found));
        if (!closed) continue;
        const Candidate& cut = *closed;
        const Graph shorter = cut.appliedTo(scene.graph());
        std::set<NodeId> removed;
        for (const Change& change : cut.changes)
            if (change.edit.op == Edit::Op::Remove) removed.insert(change.layer);
        const Report report = analyze(shorter);
        const Scene left(shorter, report, scene.keep());
        const int blocks = blocksWithWindows(scene, removed);
        for (const int again : {blocks, 0}) {
            Additions additions(left);
            spread(left, again, additions);
            if (again > 0 && additions.changes().empty()) continue;
            Candidate candidate = cut;
            for (const Change& change : additions.changes()) candidate.changes.push_back(change);
            take(widened(applied(shorter, additions.changes()), scene.keep(), scene.report().summary.parameters,
                         candidate.reshaped),
                 candidate);
            out.push_back(std::move(candidate));
        }
    }
    return out;
}

}  // namespace fovea::refine
