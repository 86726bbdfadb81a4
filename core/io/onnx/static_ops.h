// What the families of evaluated operators share (evaluate_*.cpp).
#pragma once

#include "core/base/checked.h"
#include "core/io/onnx/evaluate.h"

#include <functional>
#include <span>

namespace fovea {

// A length: what it is at the declared size, and how it follows sizes of maps.
class Dim {
public:
    Dim(std::int64_t size = 1) : m_size(size) {}
    Dim(std::int64_t size, SizeExpr expr) : m_size(size), m_follows(!expr.number()), m_expr(std::move(expr)) {}

    std::int64_t size() const { return m_size; }
    bool follows() const { return m_follows; }
    SizeExpr expr() const { return m_follows ? m_expr : SizeExpr(m_size); }
    bool sameAs(const Dim& other) const
    {
        return m_size == other.m_size && m_follows == other.m_follows && (!m_follows || m_expr.sameAs(other.m_expr));
    }

private:
    std::int64_t m_size;
    bool m_follows = false;
    SizeExpr m_expr;
};
using Dims = std::vector<Dim>;

Dim combined(SizeOp op, const Dim& a, const Dim& b);  // kUnknown where it does not fit
Ints sizesOf(const Dims& dims);
bool anyFollows(const Dims& dims);
std::int64_t elementsOf(const Ints& dims);  // saturated; kUnknown where one is negative
std::int64_t elementsOf(const Dims& dims);
Ints stridesOf(const Ints& dims);
int axisOf(std::int64_t axis, std::size_t rank);  // -1 where it is out of range

using Result = std::optional<StaticValue>;
using Results = std::optional<std::vector<StaticValue>>;

// A node whose inputs are all constants.
class Operands {
public:
    explicit Operands(const OnnxCall& call) : call(call) {}

    const OnnxCall& call;
    bool has(std::size_t arg) const { return call.has(arg); }
    std::size_t count() const { return call.args.size(); }
    const Tensor& tensor(std::size_t arg) const { return *call.args[arg].constant; }
    DType type(std::size_t arg) const { return tensor(arg).dtype; }
    Dims dims(std::size_t arg) const;
    std::int64_t elements(std::size_t arg) const { return tensor(arg).elements(); }
    bool follows(std::size_t arg) const { return !call.args[arg].sizes.empty(); }
    bool anyFollows() const;  // elements of some input follow sizes
    // Element of an input as an expression.
    SizeExpr element(std::size_t arg, std::int64_t index) const;
    // Every element of an input as a length.
    Dims lengths(std::size_t arg) const;
    // A list that older opsets hold in an attribute and newer ones in an input, of any length.
    std::optional<Ints> list(std::string_view attr, std::size_t arg) const;
    std::optional<std::int64_t> whole(std::size_t arg) const;  // an input of one element
};

// How many elements may follow sizes one by one.
inline constexpr std::int64_t kMaxExpressions = 4096;

// The elements of a tensor while they are read.
class Elements {
public:
    explicit Elements(const Tensor& tensor) : m_type(tensor.dtype), m_step(byteSize(tensor.dtype)), m_base(tensor.bytes.data()) {}
    double real(std::int64_t index) const { return loadReal(m_type, at(index)); }
    std::int64_t whole(std::int64_t index) const { return loadInteger(m_type, at(index)); }

private:
    const std::byte* at(std::int64_t index) const { return m_base + static_cast<std::size_t>(index) * m_step; }
    DType m_type;
    std::size_t m_step;
    const std::byte* m_base;
};

// The elements of a result while they are written.
class Target {
public:
    Target(DType type, std::span<std::byte> bytes) : m_type(type), m_real(isFloating(type)), m_step(byteSize(type)), m_bytes(bytes) {}
    std::int64_t count() const { return static_cast<std::int64_t>(m_bytes.size() / m_step); }
    // Into an integer type a real number is cut toward zero.
    void put(std::int64_t index, double value)
    {
        if (m_real) storeReal(value, m_type, at(index));
        else putCut(index, value);
    }
    void put(std::int64_t index, std::int64_t value) { storeInteger(value, m_type, at(index)); }
    std::byte* at(std::int64_t index) { return m_bytes.data() + static_cast<std::size_t>(index) * m_step; }

private:
    void putCut(std::int64_t index, double value);
    DType m_type;
    bool m_real;
    std::size_t m_step;
    std::span<std::byte> m_bytes;
};

// A result of these dimensions; nullopt where one is negative or it is too large. `fill` is kept until something
// looks at the numbers: it holds the tensors that it reads, which are named so that chains of them stay short.
using Fill = std::function<void(Target& to)>;
Result result(DType type, const Dims& dims, std::initializer_list<Tensor> reads, Fill fill);
Result result(DType type, const Dims& dims, const std::vector<Tensor>& reads, Fill fill);
// The same elements in other dimensions.
Result view(const Operands& in, std::size_t arg, const Dims& dims);
Results only(Result value);  // of a node with one output

// Expressions for the elements of a result of fixed dimensions: where any input follows sizes.
void setSizes(const Operands& in, StaticValue& value, const std::function<SizeExpr(std::int64_t index)>& element);

// Where an element of a result comes from: input and position there; position -1: nowhere (a zero).
struct Element {
    std::size_t arg = 0;
    std::int64_t at = 0;
};
using ElementMap = std::function<Element(std::int64_t index)>;
// A result whose elements are elements of inputs, all of the type of input `like`.
Result moved(const Operands& in, std::size_t like, const Dims& dims, ElementMap from);
// One whose elements lie in input `arg` at start + sum of index * stride.
Result strided(const Operands& in, std::size_t arg, const Dims& dims, const Ints& strides, std::int64_t start);

// NumPy's broadcasting; nullopt where two lengths do not go together.
std::optional<Dims> broadcastDims(const Dims& a, const Dims& b);
// Position in a tensor of `from` that position `index` of a broadcast result reads.
class Broadcast {
public:
    Broadcast(const Ints& to, const Ints& from);
    std::int64_t at(std::int64_t index) const
    {
        if (m_same) return index;
        std::int64_t out = 0;
        for (std::size_t i = m_dims.size(); i-- > 0; index /= m_dims[i]) out += index % m_dims[i] * m_strides[i];
        return out;
    }

private:
    bool m_same;
    Ints m_dims, m_strides;
};

// Positions of a tensor seen as [outer, axis, inner].
struct Along {
    std::int64_t outer = 1, size = 1, inner = 1;
    Along(const Ints& dims, int axis);
    std::int64_t at(std::int64_t o, std::int64_t k, std::int64_t i) const { return (o * size + k) * inner + i; }
};

// One evaluated operator.
struct StaticOp {
    std::string_view type;
    Results (*evaluate)(const Operands& in);
    int needs = 1;         // that many inputs are there when it is called; -1: all that the node lists
    bool forgets = false;  // it does not say how its elements follow those of its inputs
};
std::span<const StaticOp> movingOps();      // evaluate_moves.cpp
std::span<const StaticOp> gatheringOps();   // evaluate_gathers.cpp
std::span<const StaticOp> arithmeticOps();  // evaluate_arithmetic.cpp
std::span<const StaticOp> reducingOps();    // evaluate_reductions.cpp
std::span<const StaticOp> scanningOps();    // evaluate_scans.cpp
std::span<const StaticOp> productOps();     // evaluate_products.cpp
std::span<const StaticOp> normOps();        // evaluate_norms.cpp
std::span<const StaticOp> makingOps();      // evaluate_makers.cpp

}  // namespace fovea
