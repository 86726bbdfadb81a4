#include "core/refine/catalogue.h"

#include "core/ops/pooling.h"
#include "core/refine/vetoes.h"

#include <algorithm>
#include <iterator>
#include <map>

namespace fovea::refine {

namespace {

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

// Sliding along an axis over a map that is no longer than its window there: a file that holds it is read as global
// along that axis.
bool coversAnAxis(const LayerReport& layer)
{
    if (layer.op->opClass != OpClass::Pooling || layer.in.empty()) return false;
    const auto covers = [](const AxisReach& r, std::int64_t side) {
        return r.kind == ReachKind::Window && r.kernel > 1 && coversSide(r, side);
    };
    return covers(layer.reach->h, layer.in[0].height()) || covers(layer.reach->w, layer.in[0].width());
}

// Arithmetic with constants on single pixels: in front of the first window layer these are settings, behind it parameters.
bool normalisesPixels(const LayerReport& layer)
{
    return layer.op->opClass == OpClass::Merge && layer.in.size() == 1 && layer.field.h.rfMax <= 1 && layer.field.w.rfMax <= 1;
}

bool sameParameters(const LayerReport& old, const LayerReport& now, const Reshaped& reshaped)
{
    if (!(*old.reach == *now.reach) || !old.parameters || now.parameters == old.parameters ||
        reshaped.any.contains(now.id))
        return true;
    return reshaped.fewer.contains(now.id) && now.parameters < old.parameters;
}

bool isComplete(const Value& value) { return value.shape.isComplete(); }

// What it makes was of a known shape and is so no longer; `old`: null where it is new.
bool losesShape(const LayerReport& layer, const LayerReport* old)
{
    if (std::all_of(layer.out.begin(), layer.out.end(), isComplete)) return false;
    if (old) {
        for (std::size_t i = 0; i < std::min(old->out.size(), layer.out.size()); ++i)
            if (isComplete(old->out[i]) && !isComplete(layer.out[i])) return true;
        return false;
    }
    for (std::size_t i = 0; i < layer.in.size(); ++i)
        if (!isComplete(layer.in[i])) return false;
    return true;
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
    const Vetoes vetoes(scene);
    std::vector<Candidate> allowed;
    for (Candidate& candidate : out)
        if (std::optional<Candidate> passed = vetoes.passed(std::move(candidate))) allowed.push_back(std::move(*passed));
    return allowed;
}

std::vector<Candidate> everyMove(const Scene& scene) { return movesFor(scene, {}); }

Validity::Validity(const Report& before) : m_before(before), m_outputs(before), m_unknown(before)
{
    for (const Issue& issue : before.issues)
        if (issue.severity == Severity::Error) m_oldErrors.emplace(issue.code, issue.layer);
    for (const LayerReport& layer : before.layers)
        for (std::size_t i = 0; !m_oldErrors.empty() && i < layer.in.size(); ++i)
            if (!layer.in[i].shape.isComplete()) m_unseen.insert(layer.name());
    m_shared = sharedTensors(before.graph);
    for (const auto& [name, shapes] : shapesOf(before, m_shared))
        if (shapes.size() > 1) m_shared.erase(name);
}

bool Validity::holds(const Report& after, const Reshaped& reshaped) const
{
    for (const Issue& issue : after.issues)
        if (issue.severity == Severity::Error && !m_oldErrors.contains({issue.code, issue.layer}) &&
            !m_unseen.contains(issue.layer))
            return false;
    if (!m_outputs.areKept(after) || !keepsSharing(after) || !m_unknown.readTheSame(after)) return false;
    for (const LayerReport& layer : after.layers) {
        const LayerReport* old = m_before.find(layer.id);
        if (coversItsMap(layer) && !(old && coversItsMap(*old))) return false;
        if (coversAnAxis(layer) && !(old && coversAnAxis(*old))) return false;
        if (losesShape(layer, old)) return false;
        if (!old) continue;
        // A linear layer behind a flatten would silently ask for other weights: that is another network's head.
        if (!sameParameters(*old, layer, reshaped)) return false;
        if (repeatsItsMap(layer) && !repeatsItsMap(*old)) return false;
        if (normalisesPixels(*old) && !normalisesPixels(layer)) return false;
    }
    return true;
}

bool Validity::keepsSharing(const Report& after) const
{
    const auto shapes = shapesOf(after, m_shared);
    return std::all_of(shapes.begin(), shapes.end(), [](const auto& of) { return of.second.size() == 1; });
}

}  // namespace fovea::refine
