// Everything Fovea knows about one layer kind, as data and small functions. One file per kind defines one
// OpDef; the registry (registry.h) lists them.
#pragma once

#include "core/graph/graph.h"
#include "core/ops/reach.h"
#include "core/ops/torch_form.h"

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fovea {

enum class AttrType { Int, Real, Bool, Choice, Pair, Quad, IntList, Text };

// One setting of a layer kind: drives JSON, the inspector form, validation, tooltips and help.
struct AttrDef {
    const char* name;
    AttrType type;
    AttrValue fallback;
    const char* doc;
    std::int64_t min = 0;
    std::int64_t max = 1'000'000'000;
    std::vector<const char*> choices = {};  // Choice
    const char* unit = "";
    bool shown = true;  // offered in the inspector
};

enum class OpClass {
    Input, Convolution, Transposed, Pooling, GlobalPooling, Linear, Normalization, Activation, Merge, Shape, Resample, Math, Regularization, Opaque
};

// Whether a layer of the class multiplies by a weight: what depth is counted in.
constexpr bool hasKernel(OpClass c)
{
    return c == OpClass::Convolution || c == OpClass::Transposed || c == OpClass::Linear;
}

// How a fresh tensor is filled, as PyTorch does for the layer.
// Identity: what comes in goes out, channel by channel (torch.nn.init.dirac_ for a kernel of odd size).
enum class Init { KaimingUniform, BiasUniform, Zeros, Ones, Constant, Identity };

// A tensor that a layer of this kind owns under its current settings.
struct ParamSpec {
    std::string role;  // PyTorch's name: "weight", "bias", "running_mean"
    Ints dims;
    bool trainable = true;
    Init init = Init::Zeros;
    std::int64_t fanIn = 0;
    double value = 0;  // Init::Constant
};

struct NodeView {
    const Node& node;
    std::span<const Value> in;
    std::span<const Value> out;
};

// What a layer asks of memory beyond its own output. Source: PyTorch's derivatives.yaml.
struct Memory {
    bool inputs = false, output = false;  // kept for the backward pass
    int copies = 0;                       // further tensors of the output's size that are kept
    int bytes = 0;                        // further bytes kept per element of the output: indices, masks
    bool view = false;                    // the output is its input's memory, seen in another shape
};

// The common cases of OpDef::memory.
Memory keepsInputs(const NodeView&);
Memory keepsOutput(const NodeView&);
Memory isView(const NodeView&);

class InferContext {
public:
    InferContext(const Node& node, std::span<const Value> in, std::span<Value> out, std::vector<Issue>& issues)
        : m_node(node), m_in(in), m_out(out), m_issues(issues)
    {
    }
    const Node& node() const { return m_node; }
    std::span<const Value> in() const { return m_in; }
    const Value& in(std::size_t index) const;  // an unknown value where there is no such input
    Value& out(std::size_t index = 0) { return m_out[index]; }
    std::size_t outCount() const { return m_out.size(); }
    void issue(std::string code, Severity severity, std::string attribute, std::string message, std::string hint);

private:
    const Node& m_node;
    std::span<const Value> m_in;
    std::span<Value> m_out;
    std::vector<Issue>& m_issues;
};

class OnnxCall;
class OnnxWriter;
class Rewriter;

// The ONNX side of a kind. All three may be empty.
struct OnnxForm {
    std::vector<const char*> types = {};       // node types that `read` understands
    bool (*read)(OnnxCall&) = nullptr;         // false: not this form, so the node stays opaque
    void (*write)(OnnxWriter&) = nullptr;
    // Recognises this kind where an exporter wrote it as several nodes; called with each node that could be
    // the last of the pattern, returns true when it replaced something.
    bool (*fuse)(Rewriter&, const Node& last) = nullptr;
};

struct OpDef {
    const char* kind;  // PyTorch's class name where there is one
    OpClass opClass;
    Memory (*memory)(const NodeView&) = nullptr;  // null: nothing is kept
    const char* doc;
    std::vector<AttrDef> attrs = {};
    int minInputs = 1;
    int maxInputs = 1;             // -1: any number
    int pathInputs = -1;           // inputs beyond these carry only a size, no receptive field; -1: all carry one
    int (*outputs)(const Node&) = nullptr;  // null: one
    int pathOutputs = -1;          // outputs beyond these carry numbers, no receptive field; -1: all carry one
    Reach (*reach)(const NodeView&) = nullptr;          // null: Same on both axes
    // Dimensions of the first input that each element of the output reads whole: channels of a convolution. Null: none.
    std::vector<int> (*reads)(const NodeView&) = nullptr;
    void (*infer)(InferContext&) = nullptr;             // null: the output is like the first input
    std::vector<ParamSpec> (*params)(const NodeView&) = nullptr;  // null: none
    // Multiply-accumulates; nullopt where sizes are unknown. Null: none are counted for this kind.
    std::optional<std::int64_t> (*macs)(const NodeView&) = nullptr;
    // Multiply-accumulates of products of two activations, listed apart.
    std::optional<std::int64_t> (*products)(const NodeView&) = nullptr;
    TorchForm torch = {};  // TorchOp::None: it cannot be run
    OnnxForm onnx = {};

    const AttrDef* attr(std::string_view name) const;
    int outputCount(const Node& node) const { return outputs ? outputs(node) : 1; }
};

// Attribute access with the kind's own fallback.
std::int64_t attrInt(const Node& node, std::string_view name, std::int64_t fallback = 0);
std::int64_t attrAt(const Node& node, std::string_view name, std::size_t index, std::int64_t fallback);

// Sets an attribute that somebody chose, and drops what it overrules: padding of its own ends "auto_pad" and
// "output_shape", a kernel of its own ends "global_axes".
void setChosen(Node& node, std::string_view name, AttrValue value);

// What a window layer reads along each dimension behind the channels, in the file's order of dimensions, at the present
// size of its first input: from "kernel_size", "stride", "padding" (the beginnings, then the ends), "dilation",
// "ceil_mode", "auto_pad" and "global_axes"; for transposed convolutions "output_padding" and "output_shape" too.
struct DimWindows {
    std::array<AxisReach, 3> dims;
    int count = 0;

    Ints padding() const;  // the beginnings, then the ends
    Ints kernel() const;
};
DimWindows dimWindows(const NodeView& view, ReachKind kind = ReachKind::Window);

// The same along the image's axes: which dimension carries which, the input's layout says. A window along a dimension
// that carries channels moves along no axis; along one of which nothing is known, both are unknown.
Reach windowReach(const NodeView& view);
Reach alongImage(const NodeView& view, const DimWindows& windows);
bool isWindow(const Reach& reach);  // a kernel > 1 on some axis of a Window or Transposed reach

}  // namespace fovea
