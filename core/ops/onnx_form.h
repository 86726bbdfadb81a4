// What a layer kind needs to know of ONNX to be read from it and written to it, without protobuf.
// core/io/onnx fills these from files and turns what they emit into files.
#pragma once

#include "core/graph/graph.h"
#include "core/graph/tensor.h"
#include "core/ops/size_expr.h"

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace fovea {

struct NodeView;

using OnnxAttr = std::variant<std::int64_t, double, std::string, Ints, std::vector<double>, Tensor>;
using OnnxAttrs = std::map<std::string, OnnxAttr, std::less<>>;

// A tensor that the file stores and that a computed constant is made of.
struct TensorSource {
    std::string name;
    std::int64_t elements = 0;
    bool real = false;    // of a floating type; else it counts where it is the kernel of a quantised layer
    bool stored = true;   // an initializer; else a Constant node
    bool operator==(const TensorSource&) const = default;
};

// One input of an ONNX node at import.
struct OnnxArg {
    std::string name;                // value name; empty: an optional input left out
    Value value;                     // shape, at the model's declared size
    // Known at import: an initializer, a Constant, or computed from nothing else and sizes. Looking at its numbers may
    // compute them; its dimensions are there.
    std::optional<Tensor> constant;
    bool named = false;              // the constant is, or is made of, initializers of the file: a parameter where real
    Port port;           // of a map: where it comes from
    // Where a constant was computed from sizes of maps: per element its expression (the constant holds what they are
    // at the declared size); empty where it is the same at every size.
    std::vector<SizeExpr> sizes;
    // The same for its own lengths, per dimension; empty where they are the same at every size.
    std::vector<SizeExpr> lengths;
    bool uniform = false;  // every element is the same number
    std::vector<TensorSource> sources;  // of a computed constant
    bool raw = false;                // a map that no window has read yet: arithmetic on it is preprocessing
    bool setting = false;            // a scale or zero point that the file computes
    std::string maker;               // type of the node that makes it, where one does
};

// One ONNX node on its way in. `read` functions look at it and fill `node`, `dataInputs` and `bindings`.
class OnnxCall {
public:
    std::string type;
    std::int64_t opset = 13;
    OnnxAttrs attrs;
    std::vector<OnnxArg> args;
    int outputCount = 1;
    Port image;  // the network's image input, for sizes that an exporter wrote as numbers
    Value imageValue;
    bool heightOpen = false, widthOpen = false;  // the file leaves that side of the image open

    // The result.
    Node node;                            // kind is set before `read` is called, defaults are filled in
    std::vector<std::size_t> dataInputs;  // args that become inputs, in order; preset: arg 0
    std::vector<std::pair<std::string, std::size_t>> bindings;  // role, arg
    std::vector<Port> extraInputs;  // appended after dataInputs (sizes that follow another map)
    bool sizesBaked = false;
    std::vector<Issue> notes;
    std::string reason;  // where `read` gives up: what could not be read, as a clause ("its groups are not ...")

    // `read` gives up.
    bool refuse(std::string why)
    {
        reason = std::move(why);
        return false;
    }
    bool has(std::size_t arg) const { return arg < args.size() && !args[arg].name.empty(); }
    bool isConstant(std::size_t arg) const { return has(arg) && args[arg].constant.has_value(); }
    // Whether a constant, or how many elements it has, follows sizes of maps: it is right for the declared size alone.
    bool follows(std::size_t arg) const { return has(arg) && (!args[arg].sizes.empty() || !args[arg].lengths.empty()); }
    const Tensor* constant(std::size_t arg) const { return isConstant(arg) ? &*args[arg].constant : nullptr; }
    const Value& value(std::size_t arg) const;
    std::int64_t getInt(std::string_view name, std::int64_t fallback) const;
    double getReal(std::string_view name, double fallback) const;
    std::string getText(std::string_view name, std::string_view fallback) const;
    std::optional<Ints> getInts(std::string_view name) const;
    const Tensor* getTensor(std::string_view name) const;
    // An integer list that older opsets hold in an attribute and newer ones in input `arg`; nullopt where it
    // is neither (or not constant: then `dynamic` is set).
    std::optional<Ints> listFrom(std::string_view attr, std::size_t arg, bool* dynamic = nullptr) const;
    // The expression of every element of an argument that is known at import; nullopt where it is not, or has more
    // than 64. What follows sizes in a way that has no expression is known at the image's declared size alone.
    std::optional<std::vector<SizeExpr>> numbers(std::size_t arg) const;
    // `now` at the image's declared size, unknown at every other; unknown where there is no image.
    SizeExpr onlyHere(std::int64_t now) const;
    // The text that a layer keeps in `sizes` for these numbers (size_expr.h). Call it when `dataInputs` is complete:
    // maps that are none of these are appended to `extraInputs`. nullopt where a number is unknown.
    std::optional<std::string> sizesText(std::span<const SizeExpr> numbers);
    // Binds arg to a role where it is there; false where it is there but not a constant of the file.
    bool bind(const char* role, std::size_t arg);
};

// Opsets of which Fovea knows how every layer kind is written.
inline constexpr std::int64_t kOldestOpset = 7, kNewestOpset = 21, kUsualOpset = 17;

std::int64_t onnxType(DType type);  // its number in TensorProto.DataType
Tensor ofType(Tensor tensor, DType type);  // the same numbers, rounded

// Sizes that the written file leaves open, so that what is written must be right whatever they are.
struct OpenSizes {
    bool batch = false, height = false, width = false;
    bool sides() const { return height || width; }
    bool any() const { return batch || sides(); }
};

// Writes one layer as ONNX nodes, in the form of one opset. What that opset lacks is said in nodes that it has
// (older_forms.h), or refused.
class OnnxWriter {
public:
    virtual ~OnnxWriter() = default;
    virtual const Node& node() const = 0;
    virtual std::int64_t opset() const = 0;
    virtual OpenSizes open() const { return {}; }
    // Element type of what the layer reads, which a constant beside it must have too.
    virtual DType element() const { return DType::Float32; }
    virtual std::string input(std::size_t index = 0) = 0;  // value name; empty where not connected
    virtual std::string output(std::size_t index = 0) = 0;
    virtual const Value& inputValue(std::size_t index = 0) const = 0;
    virtual const Value& outputValue(std::size_t index = 0) const = 0;
    virtual bool hasTensor(std::string_view role) const = 0;
    // An initializer's name; empty where the layer has none. With `dims`: the same elements in that shape.
    virtual std::string tensor(std::string_view role, const Ints& dims = {}) = 0;
    virtual std::string constant(const Tensor& tensor) = 0;  // a new initializer
    // Adds a node. Without `outputs` it has one fresh value, whose name is returned.
    virtual std::string emit(std::string_view type, std::vector<std::string> inputs, OnnxAttrs attrs = {},
                             std::vector<std::string> outputs = {}) = 0;

    // 1-D int64 tensor of the numbers of a `sizes` text (size_expr.h), computed by nodes from the inputs that it
    // names. A number that this opset has no nodes for is what it is at the present size.
    std::string sizes(std::string_view text);
    // The same in any element type.
    std::string numbers(std::string_view text, DType type);

    std::string ints(Ints values);   // 1-D int64 constant
    std::string real(double value);  // scalar constant of element()
    std::string reals(Ints dims, const std::vector<float>& values);  // constant of element()

    // A dimension of the layer's input, from the front: negative ones came with opset 11. As it is where the rank is
    // not known.
    std::int64_t axis(std::int64_t dim, std::size_t input = 0) const;
    Ints axes(Ints dims) const;
    // Error(Usage) where the layer cannot be written: what happened, what to do.
    [[noreturn]] void refuse(const std::string& why) const;
    // A size that has to be a number in the file. Error(Usage) where nobody knows it.
    std::int64_t known(std::int64_t size, const char* what) const;
    // Refuses where the file's opset is older than the one with which ONNX has `what`, such as "CumSum".
    void needOpset(std::int64_t since, const std::string& what) const;
    // Error(Usage) where the file leaves height and width open: `what` is right at the present ones only. `since`: the
    // opset from which on that is otherwise; 0: none.
    void needFixedSides(const char* what, std::int64_t since = 0) const;
    // emit() to this layer's own output.
    void finish(std::string_view type, std::vector<std::string> inputs, OnnxAttrs attrs = {})
    {
        emit(type, std::move(inputs), std::move(attrs), {output(0)});
    }
};

// Writes the layer by its kind's own `write`. Error(Usage) where the kind has no ONNX form at all, or none at this opset.
void writeLayer(OnnxWriter& writer);

// Why a layer cannot be written at an opset, in a sentence; nullopt where it can. A trial of the kind's own `write`, so
// the two cannot disagree.
std::optional<std::string> whyNotAtOpset(const NodeView& view, std::int64_t opset, OpenSizes open = {});

// The network under import, for kinds that recognise themselves in several nodes.
class Rewriter {
public:
    virtual ~Rewriter() = default;
    // Producer of an input of a node; null where there is none or (with onlyHere) where others read it too.
    virtual const Node* producer(const Node& node, std::size_t input, bool onlyHere = true) const = 0;
    virtual std::size_t readers(const Node& node) const = 0;
    virtual const Value& value(Port port) const = 0;
    // Element of a bound tensor, for constants that are part of a pattern.
    virtual const Tensor* boundTensor(const Node& node, std::string_view role) const = 0;
    // Puts `node` in the place of `last`; `absorbed` (all of the pattern's nodes, `last` too) go into it.
    virtual void replace(const Node& last, Node node, std::vector<NodeId> absorbed) = 0;
};

}  // namespace fovea
