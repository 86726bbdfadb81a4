// A number that a file computes from the sizes of maps: Shape, Gather, arithmetic and the like, as one expression
// that holds at every size.
//
// A layer that needs such numbers keeps them in its attribute `sizes`: one expression per number, ';' between.
// "inK.D" is dimension D of the layer's input K. Whole numbers are written 12, reals 0.5 (single precision) or 0.5d
// (double). Infix + - * / % (whole numbers divide toward zero), else functions: min(a,b) max floor ceil round sqrt
// int float double half eq lt le and or not where ... (size_number.h has all).
#pragma once

#include "core/graph/graph.h"
#include "core/ops/size_number.h"

#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fovea {

// Dimension `dim` of the map that `port` gives.
struct MapDim {
    Port port;
    int dim = 0;
    bool operator==(const MapDim&) const = default;
};

// A value: copies share what they hold. Arithmetic on constants is done at once.
class SizeExpr {
public:
    SizeExpr() = default;  // unknown: what cannot be computed, or would be too long to keep
    SizeExpr(std::int64_t value) : SizeExpr(SizeNumber::of(value)) {}
    SizeExpr(SizeNumber value);
    static SizeExpr dimension(Port port, int dim);
    // `op` on as many arguments as it takes; unknown where one of them is, or where it has no result.
    static SizeExpr apply(SizeOp op, std::initializer_list<SizeExpr> args);

    bool known() const { return m_node != nullptr; }
    std::optional<SizeNumber> number() const;    // where it depends on no map
    std::optional<std::int64_t> constant() const;  // the same, where it is whole
    bool isReal() const;                         // of a real type
    std::optional<MapDim> dimension() const;     // where it is just a dimension of a map
    std::vector<MapDim> dims() const;            // what it depends on, each once, in the order of reading

    using SizeOf = std::function<std::int64_t(const MapDim&)>;
    std::optional<SizeNumber> evaluate(const SizeOf& sizeOf) const;  // kUnknown from sizeOf: nullopt
    // The text of it; `dimText` says how a dimension is written. Empty where unknown.
    std::string text(const std::function<std::string(const MapDim&)>& dimText) const;
    // The same expression in other dimensions.
    SizeExpr replaced(const std::function<SizeExpr(const MapDim&)>& with) const;
    bool sameAs(const SizeExpr& other) const;

    struct Node;
    const Node* node() const { return m_node.get(); }

private:
    explicit SizeExpr(std::shared_ptr<const Node> node) : m_node(std::move(node)) {}
    std::shared_ptr<const Node> m_node;
};

struct SizeExpr::Node {
    SizeOp op = SizeOp::Number;
    SizeNumber number;           // of a Number
    MapDim dim;                  // of a Dim
    std::vector<SizeExpr> args;  // of the others
    int size = 1;                // leaves and operations, shared ones counted each time
    int depth = 1;
    bool real = false;
};

// The numbers of a text, with `in` the values of the layer's inputs: per number nullopt where a dimension is unknown
// or the arithmetic fails (overflow, division by zero, not whole). Empty where the text is not of this form.
std::vector<std::optional<std::int64_t>> evaluateSizes(std::string_view sizes, std::span<const Value> in);
// The same for numbers that need not be whole, such as scales.
std::vector<std::optional<double>> evaluateReals(std::string_view sizes, std::span<const Value> in);

// A text as expressions; MapDim::port.output is the layer's input. Empty where the text is not of this form.
std::vector<SizeExpr> parseSizes(std::string_view sizes);

}  // namespace fovea
