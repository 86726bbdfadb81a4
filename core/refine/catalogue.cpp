#include "core/refine/catalogue.h"

#include <algorithm>
#include <iterator>
#include <map>

namespace fovea::refine {

namespace {

// Whether a map was brought back to a larger side on the way to this layer, as heads of dense prediction do.
bool isUpsampled(const Graph& graph, NodeId layer)
{
    std::vector<NodeId> open{layer};
    std::set<NodeId> seen;
    while (!open.empty()) {
        const Node* node = graph.find(open.back());
        open.pop_back();
        if (!node || !seen.insert(node->id).second) continue;
        const OpClass opClass = opFor(node->kind).opClass;
        if (opClass == OpClass::Resample || opClass == OpClass::Transposed) return true;
        for (const Port& port : node->inputs) open.push_back(port.node);
    }
    return false;
}

bool isMap(const Shape& shape) { return shape.rank() == 4; }

// What was unknown, as it is behind an error, is no bound.
bool mayBecome(const Shape& old, const Shape& now, bool fixedSide)
{
    if (!old.hasRank()) return true;
    if (now.rank() != old.rank()) return false;
    for (int dim = 0; dim < old.rank(); ++dim) {
        const bool isFree = old[dim] == kUnknown || (isMap(old) && dim >= 2 && !fixedSide);
        if (!isFree && now[dim] != old[dim]) return false;
    }
    return true;
}

// Its labels are made for one side, so that side has to stay.
bool fixesSide(const Report& report, const GraphOutput& output, const Shape& shape)
{
    if (!isMap(shape)) return false;
    return PerAxis<std::int64_t>{shape[2], shape[3]} == report.side || isUpsampled(report.graph, output.port.node);
}

// Whether a layer that must stay would change its settings, its place, or the shape of its weights.
bool touchesKept(const Scene& scene, const Candidate& candidate)
{
    if (std::any_of(candidate.changes.begin(), candidate.changes.end(),
                    [&](const Change& change) { return change.edit.op != Edit::Op::Add && scene.keeps(change.layer); }))
        return true;
    for (std::size_t entry = 0; entry < scene.size(); ++entry) {
        const NodeId id = scene.node(entry).id;
        if (!scene.keeps(id) || !(candidate.reshaped.any.contains(id) || candidate.reshaped.fewer.contains(id)))
            continue;
        if (const LayerReport* layer = scene.layer(entry); layer && layer->parameters > 0) return true;
    }
    return false;
}

// An adaptive pooling that has to make more of a map than there is repeats it.
bool repeatsItsMap(const LayerReport& layer)
{
    if (layer.op->opClass != OpClass::GlobalPooling || layer.in.empty() || layer.out.empty()) return false;
    const Value &in = layer.in[0], &out = layer.out[0];
    return (in.height() > 0 && out.height() > in.height()) || (in.width() > 0 && out.width() > in.width());
}

// Sliding windows that see the whole map at once: a global pooling, and read as one.
bool coversItsMap(const LayerReport& layer)
{
    if (layer.op->opClass != OpClass::Pooling || !layer.coversMap || layer.out.empty()) return false;
    return layer.out[0].height() == 1 && layer.out[0].width() == 1;
}

bool sameParameters(const LayerReport& old, const LayerReport& now, const Reshaped& reshaped)
{
    if (!(*old.reach == *now.reach) || !old.parameters || now.parameters == old.parameters ||
        reshaped.any.contains(now.id))
        return true;
    return reshaped.fewer.contains(now.id) && now.parameters < old.parameters;
}

// Shapes that layers ask for, of the tensors in `names`.
std::map<std::string, std::set<Ints>> shapesOf(const Report& report, const std::set<std::string>& names)
{
    std::map<std::string, std::set<Ints>> out;
    if (names.empty()) return out;
    for (const LayerReport& layer : report.layers) {
        const auto& tensors = layer.node->tensors;
        if (std::none_of(tensors.begin(), tensors.end(),
                         [&](const TensorBinding& binding) { return names.contains(binding.tensor); }))
            continue;
        std::vector<Value> in;
        for (std::size_t i = 0; i < layer.in.size(); ++i) in.push_back(layer.in[i]);
        for (const NamedParam& param : paramsOf(*layer.node, in, layer.out))
            if (names.contains(param.tensor)) out[param.tensor].insert(param.spec.dims);
    }
    return out;
}

std::set<std::string> sharedTensors(const Graph& graph)
{
    std::set<std::string> once, out;
    for (const auto& node : graph.nodes())
        for (const TensorBinding& binding : node->tensors)
            if (!once.insert(binding.tensor).second) out.insert(binding.tensor);
    return out;
}

}  // namespace

std::vector<Candidate> movesFor(const Scene& scene, const Choice& choice)
{
    std::vector<Candidate> out;
    const auto take = [&](std::vector<Candidate> found) {
        std::move(found.begin(), found.end(), std::back_inserter(out));
    };
    take(relaxStrides(scene));
    take(shrinkStem(scene));
    take(smallImageStem(scene));
    take(addSkips(scene));
    if (choice.grow || !scene.isSmallField()) {
        take(changeKernels(scene));
        take(changeDilations(scene));
    }
    if (choice.first) {
        take(changeSide(scene));
        take(spreadTail(scene));
    }
    if (choice.cut) take(cutTail(scene));
    if (choice.grow) take(addStage(scene));
    take(movePoolings(scene));
    if (choice.grow) take(movePoolingsEarlier(scene));
    take(moveStrides(scene));
    if (choice.grow) {
        take(addStrides(scene));
        take(addPoolings(scene));
    }
    std::erase_if(out, [&](const Candidate& candidate) { return touchesKept(scene, candidate); });
    return out;
}

std::vector<Candidate> everyMove(const Scene& scene) { return movesFor(scene, {}); }

Validity::Validity(const Report& before) : m_before(before)
{
    for (const Issue& issue : before.issues)
        if (issue.severity == Severity::Error) m_oldErrors.emplace(issue.code, issue.layer);
    for (const LayerReport& layer : before.layers)
        for (std::size_t i = 0; !m_oldErrors.empty() && i < layer.in.size(); ++i)
            if (!layer.in[i].shape.isComplete()) m_unseen.insert(layer.name());
    m_shared = sharedTensors(before.graph);
    for (const auto& [name, shapes] : shapesOf(before, m_shared))
        if (shapes.size() > 1) m_shared.erase(name);
    const auto& outputs = before.graph.outputs();
    // The levels of a pyramid are read together, each at its own stride.
    const bool isPyramid = std::count_if(before.outputs.begin(), before.outputs.end(),
                                         [](const auto& output) { return isMap(output.second); }) > 1;
    for (std::size_t i = 0; i < before.outputs.size(); ++i) {
        const Shape& shape = before.outputs[i].second;
        m_fixedSide.push_back((isPyramid && isMap(shape)) ||
                              (i < outputs.size() && fixesSide(before, outputs[i], shape)));
    }
}

bool Validity::holds(const Report& after, const Reshaped& reshaped) const
{
    for (const Issue& issue : after.issues)
        if (issue.severity == Severity::Error && !m_oldErrors.contains({issue.code, issue.layer}) &&
            !m_unseen.contains(issue.layer))
            return false;
    if (!keepsOutputs(after) || !keepsSharing(after)) return false;
    for (const LayerReport& layer : after.layers) {
        const LayerReport* old = m_before.find(layer.id);
        if (coversItsMap(layer) && !(old && coversItsMap(*old))) return false;
        if (!old) continue;
        // A linear layer behind a flatten would silently ask for other weights: that is another network's head.
        if (!sameParameters(*old, layer, reshaped)) return false;
        if (repeatsItsMap(layer) && !repeatsItsMap(*old)) return false;
    }
    return true;
}

bool Validity::keepsOutputs(const Report& after) const
{
    if (after.outputs.size() != m_before.outputs.size()) return false;
    const bool sameSide = after.side == m_before.side;
    for (std::size_t i = 0; i < after.outputs.size(); ++i)
        if (!mayBecome(m_before.outputs[i].second, after.outputs[i].second, m_fixedSide[i] && sameSide)) return false;
    return true;
}

bool Validity::keepsSharing(const Report& after) const
{
    const auto shapes = shapesOf(after, m_shared);
    return std::all_of(shapes.begin(), shapes.end(), [](const auto& of) { return of.second.size() == 1; });
}

}  // namespace fovea::refine
