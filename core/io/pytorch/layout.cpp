#include "core/io/pytorch/layout.h"

#include "core/base/error.h"
#include "core/graph/names.h"
#include "core/ops/clothes.h"
#include "core/io/pytorch/calls.h"
#include "core/io/pytorch/python_text.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <unordered_set>

namespace fovea {

namespace {

void refuse(const TorchLayout& layout)
{
    std::vector<std::string> formless, open;
    for (const auto& entry : layout.prepared.entries) {
        if (isQuantised(*entry.node))
            throw Error(ErrorCode::Usage, "The network is quantised: '" + entry.node->name + "' computes with whole numbers and scales, so the network cannot be written as PyTorch source; use the network that it was made from.");
        if (entry.op->torch.op == TorchOp::None) formless.push_back("'" + entry.node->name + "'");
        const std::uint32_t paths = entry.op->pathInputs < 0
                                        ? entry.inputCount
                                        : std::min(entry.inputCount, static_cast<std::uint32_t>(entry.op->pathInputs));
        for (std::uint32_t i = 0; i < paths; ++i)
            if (layout.prepared.sources[entry.firstInput + i] < 0) {
                open.push_back("'" + entry.node->name + "'");
                break;
            }
    }
    const char* so = ", so the network cannot be written as PyTorch source";
    if (!formless.empty())
        throw Error(ErrorCode::Usage,
                    "These layers have no PyTorch form" + std::string(so) + ": " + firstNames(formless) + ".");
    if (!layout.prepared.cyclic.empty())
        throw Error(ErrorCode::Usage, "The network has a cycle" + std::string(so) + ".");
    if (!open.empty())
        throw Error(ErrorCode::Usage, "These layers have an input that is not connected" + std::string(so) + ": " +
                                          firstNames(open) + ".");
}

std::string parentOf(const std::string& path)
{
    const std::size_t dot = path.rfind('.');
    return dot == std::string::npos ? std::string() : path.substr(0, dot);
}

std::string nameIn(const std::string& path) { return path.substr(path.rfind('.') + 1); }

std::vector<std::string> partsOf(const std::string& text, const char* separators)
{
    std::vector<std::string> out;
    for (std::size_t from = 0; from <= text.size();) {
        const std::size_t to = std::min(text.find_first_of(separators, from), text.size());
        out.push_back(text.substr(from, to - from));
        from = to + 1;
    }
    return out;
}

constexpr std::size_t kDeepest = 20;  // Python's parser takes 200 brackets inside each other

// Which paths are taken, as tensors or as modules that hold them.
class Paths {
public:
    bool isFree(const std::string& path) const
    {
        if (m_leaves.contains(path) || m_inner.contains(path)) return false;
        for (std::string at = parentOf(path); !at.empty(); at = parentOf(at))
            if (m_leaves.contains(at)) return false;
        return true;
    }
    void take(const std::string& path)
    {
        m_leaves.insert(path);
        ++m_children[parentOf(path)];
        for (std::string at = parentOf(path); !at.empty() && m_inner.insert(at).second; at = parentOf(at))
            ++m_children[parentOf(at)];
    }
    bool isModule(const std::string& path) const { return m_inner.contains(path); }
    std::size_t members(const std::string& path) const
    {
        const auto it = m_children.find(path);
        return it == m_children.end() ? 0 : it->second;
    }

private:
    std::unordered_set<std::string> m_leaves, m_inner;
    std::unordered_map<std::string, std::size_t> m_children;
};

bool isPath(const std::string& name)
{
    const std::vector<std::string> parts = partsOf(name, ".");
    return parts.size() <= kDeepest &&
           std::all_of(parts.begin(), parts.end(), [](const std::string& part) { return isMemberName(part); });
}

// The layer's own name as a path.
std::string pathOf(const Node& layer)
{
    std::string out;
    std::vector<std::string> parts = partsOf(moduleName(layer.name), "./");
    if (parts.size() >= kDeepest) parts = {layer.name};
    for (const std::string& part : parts) {
        if (part.empty()) continue;
        out += (out.empty() ? "" : ".") + (isMemberName(part) ? part : identifierFrom(part));
    }
    if (out.empty()) return "layer";
    // A first part that is a number reads badly and would be the network's own number.
    return isWholeNumber(out.substr(0, out.find('.'))) ? "layer" + out : out;
}

// Tensors whose names are paths keep them; the others go below their layer's name.
void giveKeys(TorchLayout& layout, Paths& paths)
{
    std::unordered_map<std::string, int> next;
    std::vector<const OwnedParam*> later;
    for (const OwnedParam& param : layout.owned) {
        if (isPath(param.tensor) && paths.isFree(param.tensor)) {
            paths.take(param.tensor);
            layout.keys[param.tensor] = param.tensor;
        } else {
            later.push_back(&param);
        }
    }
    const Node* layer = nullptr;
    std::string path;
    for (const OwnedParam* param : later) {
        if (param->layer != layer) {
            layer = param->layer;
            const std::string wanted = pathOf(*layer);
            path = wanted;
            const auto belongs = [&](const OwnedParam& other) {
                return other.layer == layer && layout.keys.contains(other.tensor) &&
                       parentOf(layout.keys[other.tensor]) == wanted;
            };
            const bool own =
                paths.isModule(wanted) && std::any_of(&layout.owned.front(), &layout.owned.back() + 1, belongs);
            int& count = next[wanted];
            for (bool first = true; (!first || !own) && (paths.isModule(path) || !paths.isFree(path)); first = false)
                path = wanted + "_" + std::to_string(++count + 1);
        }
        std::string key = path + "." + param->spec.role;
        for (int i = 2; !paths.isFree(key); ++i) key = path + "." + param->spec.role + "_" + std::to_string(i);
        paths.take(key);
        layout.keys[param->tensor] = key;
    }
}

std::string tensorText(const OwnedParam& param)
{
    const ParamSpec& spec = param.spec;
    const std::string dims = pythonTuple(spec.dims);
    std::string made = "torch.zeros(" + dims + ")";
    switch (spec.init) {
    case Init::KaimingUniform:
    case Init::BiasUniform:
        if (spec.fanIn > 0) {
            const double bound = 1.0 / std::sqrt(static_cast<double>(spec.fanIn));
            made = "torch.empty(" + dims + ").uniform_(" + pythonReal(-bound) + ", " + pythonReal(bound) + ")";
        }
        break;
    case Init::Ones: made = "torch.ones(" + dims + ")"; break;
    case Init::Constant: made = "torch.full(" + dims + ", " + pythonReal(spec.value) + ")"; break;
    case Init::Zeros:
    case Init::Identity: break;
    }
    return spec.trainable ? "nn.Parameter(" + made + ")" : made;
}

// The path of the module that holds exactly the layer's tensors under the names of their roles; else empty.
std::string holderOf(const TorchLayer& layer, const Paths& paths)
{
    if (layer.keys.empty()) return {};
    const std::string path = parentOf(layer.keys.begin()->second);
    for (const auto& [role, key] : layer.keys)
        if (key != path + "." + role) return {};
    return !path.empty() && paths.members(path) == layer.keys.size() ? path : std::string();
}

void giveModules(TorchLayout& layout, const Paths& paths, std::unordered_map<std::string, std::string>& modules)
{
    for (TorchLayer& layer : layout.layers) {
        const std::string path = holderOf(layer, paths);
        if (path.empty()) continue;
        const std::string made = moduleFor(layer);
        if (made.empty()) continue;
        const auto [it, isNew] = modules.emplace(path, made);
        if (it->second != made) continue;
        layer.module = path;
        if (isNew && layer.call.op == TorchOp::BatchNorm2d) layout.counters.push_back(path + ".num_batches_tracked");
    }
}

void plant(TorchLayout& layout, const std::unordered_map<std::string, std::string>& modules)
{
    layout.tree.assign(1, {});
    std::unordered_map<std::string, std::size_t> places{{"", 0}};
    const auto place = [&](const std::string& path, TorchMember member) {
        const auto [it, isNew] = places.emplace(path, layout.tree.size());
        if (isNew) {
            layout.tree[places.at(parentOf(path))].members.push_back(it->second);
            layout.tree.push_back(std::move(member));
        }
    };
    for (const OwnedParam& param : layout.owned) {
        const std::string& key = layout.keys.at(param.tensor);
        std::vector<std::string> groups;
        for (std::string at = parentOf(key); !at.empty(); at = parentOf(at)) groups.push_back(at);
        bool held = false;
        for (auto it = groups.rbegin(); it != groups.rend(); ++it) {
            const auto module = modules.find(*it);
            held = module != modules.end();
            place(*it, {nameIn(*it), held ? module->second : std::string(), false, false, {}});
        }
        if (!held) place(key, {nameIn(key), tensorText(param), true, param.spec.trainable, {}});
    }
}

}  // namespace

TorchLayout layOutTorch(const Graph& graph)
{
    TorchLayout layout;
    layout.prepared = prepare(graph);
    refuse(layout);
    std::vector<Issue> issues;
    layout.values = inferShapes(layout.prepared, issues);
    layout.owned = ownedParams(graph);
    std::vector<std::string> unknown;
    std::unordered_map<std::string, const Ints*> dims;
    for (const OwnedParam& param : layout.owned) {
        if (!param.known) unknown.push_back("'" + param.tensor + "'");
        dims[param.tensor] = &param.spec.dims;
    }
    if (!unknown.empty())
        throw Error(
            ErrorCode::Usage,
            "The sizes of these tensors do not follow from the network, so it cannot be written as PyTorch source: " +
                firstNames(unknown) + ".");
    Paths paths;
    giveKeys(layout, paths);
    for (const Prepared::Entry& entry : layout.prepared.entries) {
        TorchLayer layer{.entry = &entry};
        for (std::uint32_t i = 0; i < entry.inputCount; ++i) {
            const std::int32_t source = layout.prepared.sources[entry.firstInput + i];
            layer.in.push_back(source < 0 ? Value{} : layout.values[static_cast<std::size_t>(source)]);
        }
        const auto first = layout.values.begin() + static_cast<std::ptrdiff_t>(entry.firstOutput);
        layer.out.assign(first, first + static_cast<std::ptrdiff_t>(entry.outputCount));
        const NodeView view{*entry.node, layer.in, layer.out};
        layer.call = torchCall(*entry.op, view);
        for (const NamedParam& param : paramsOf(*entry.node, layer.in, layer.out)) {
            const auto& taken = layer.call.tensors;
            if (std::find(taken.begin(), taken.end(), param.spec.role) == taken.end()) continue;
            layer.keys[param.spec.role] = layout.keys.at(param.tensor);
            layer.dims[param.spec.role] = *dims.at(param.tensor);
        }
        layout.layers.push_back(std::move(layer));
    }
    std::unordered_map<std::string, std::string> modules;
    giveModules(layout, paths, modules);
    plant(layout, modules);
    return layout;
}

}  // namespace fovea
