#include "core/ops/size_expr.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace fovea {

namespace {

// What one number may be made of. A file whose sizes are longer chains than this computes each from the last; then
// the number is unknown.
constexpr int kMaxNodes = 400, kMaxDepth = 60;

bool isNumber(const SizeExpr& expr, std::int64_t value) { return expr.constant() == value; }

// What is known whatever the sizes are, so that numbers that do not depend on them are constants.
std::optional<SizeExpr> simplified(SizeOp op, std::span<const SizeExpr> args)
{
    const SizeExpr& a = args[0];
    const SizeExpr& b = args.size() > 1 ? args[1] : a;
    const bool whole = !a.isReal() && !b.isReal();
    switch (op) {
    case SizeOp::Add:
        if (isNumber(b, 0)) return a;
        if (isNumber(a, 0)) return b;
        break;
    case SizeOp::Sub:
        if (isNumber(b, 0)) return a;
        if (whole && a.sameAs(b)) return SizeExpr(0);
        break;
    case SizeOp::Mul:
        if (isNumber(b, 1)) return a;
        if (isNumber(a, 1)) return b;
        if (whole && (isNumber(a, 0) || isNumber(b, 0))) return SizeExpr(0);
        break;
    case SizeOp::Div:
        if (isNumber(b, 1)) return a;
        break;
    case SizeOp::Mod:
    case SizeOp::Fmod:
        if (isNumber(b, 1)) return SizeExpr(0);
        break;
    case SizeOp::Min:
    case SizeOp::Max:
        if (a.sameAs(b)) return a;
        break;
    case SizeOp::Floor:
    case SizeOp::Ceil:
    case SizeOp::Round:
    case SizeOp::ToInt:
        if (whole) return a;
        break;
    case SizeOp::Equal:
        if (whole && a.sameAs(b)) return SizeExpr(1);
        // No dimension is negative: exporters compare with -1 for "as it is".
        if (a.dimension() && b.constant() && *b.constant() < 0) return SizeExpr(0);
        if (b.dimension() && a.constant() && *a.constant() < 0) return SizeExpr(0);
        break;
    case SizeOp::Less:
        if (a.dimension() && b.constant() && *b.constant() <= 0) return SizeExpr(0);
        break;
    case SizeOp::Where:
        if (const auto condition = a.number()) return condition->asReal() != 0 ? args[1] : args[2];
        if (args[1].sameAs(args[2])) return args[1];
        break;
    default: break;
    }
    return std::nullopt;
}

bool givesReal(SizeOp op, std::span<const SizeExpr> args)
{
    if (op == SizeOp::ToInt || (op >= SizeOp::Equal && op != SizeOp::Where)) return false;
    if (op >= SizeOp::ToHalf && op <= SizeOp::ToDouble) return true;
    return args.back().isReal() || (op != SizeOp::Where && args[0].isReal());
}

}  // namespace

SizeExpr::SizeExpr(SizeNumber value)
{
    if (!std::isfinite(value.real)) return;
    auto node = std::make_shared<Node>();
    node->number = value;
    node->real = value.isReal();
    m_node = std::move(node);
}

SizeExpr SizeExpr::dimension(Port port, int dim)
{
    auto node = std::make_shared<Node>();
    node->op = SizeOp::Dim;
    node->dim = {port, dim};
    return SizeExpr(std::shared_ptr<const Node>(std::move(node)));
}

SizeExpr SizeExpr::apply(SizeOp op, std::initializer_list<SizeExpr> args)
{
    const std::span<const SizeExpr> all(args.begin(), args.size());
    if (static_cast<int>(all.size()) != argumentCount(op) || all.empty()) return {};
    if (op == SizeOp::Where && all[0].number()) return all[0].number()->asReal() != 0 ? all[1] : all[2];
    if (!std::all_of(all.begin(), all.end(), [](const SizeExpr& arg) { return arg.known(); })) return {};
    if (std::all_of(all.begin(), all.end(), [](const SizeExpr& arg) { return arg.number().has_value(); })) {
        std::array<SizeNumber, 3> numbers;
        for (std::size_t i = 0; i < all.size(); ++i) numbers[i] = *all[i].number();
        const auto result = compute(op, std::span(numbers).first(all.size()));
        return result ? SizeExpr(*result) : SizeExpr();
    }
    if (const auto simple = simplified(op, all)) return *simple;
    auto node = std::make_shared<Node>();
    node->op = op;
    node->args.assign(all.begin(), all.end());
    node->real = givesReal(op, all);
    for (const SizeExpr& arg : all) {
        node->size += arg.m_node->size;
        node->depth = std::max(node->depth, arg.m_node->depth + 1);
    }
    if (node->size > kMaxNodes || node->depth > kMaxDepth) return {};
    return SizeExpr(std::shared_ptr<const Node>(std::move(node)));
}

std::optional<SizeNumber> SizeExpr::number() const
{
    return m_node && m_node->op == SizeOp::Number ? std::optional(m_node->number) : std::nullopt;
}

std::optional<std::int64_t> SizeExpr::constant() const
{
    return m_node && m_node->op == SizeOp::Number && !m_node->real ? std::optional(m_node->number.integer) : std::nullopt;
}

bool SizeExpr::isReal() const { return m_node && m_node->real; }

std::optional<MapDim> SizeExpr::dimension() const
{
    return m_node && m_node->op == SizeOp::Dim ? std::optional(m_node->dim) : std::nullopt;
}

std::vector<MapDim> SizeExpr::dims() const
{
    std::vector<MapDim> out;
    const auto collect = [&](const auto& self, const SizeExpr& expr) -> void {
        if (!expr.m_node) return;
        if (expr.m_node->op == SizeOp::Dim && std::find(out.begin(), out.end(), expr.m_node->dim) == out.end())
            out.push_back(expr.m_node->dim);
        for (const SizeExpr& arg : expr.m_node->args) self(self, arg);
    };
    collect(collect, *this);
    return out;
}

std::optional<SizeNumber> SizeExpr::evaluate(const SizeOf& sizeOf) const
{
    if (!m_node) return std::nullopt;
    if (m_node->op == SizeOp::Number) return m_node->number;
    if (m_node->op == SizeOp::Dim) {
        const std::int64_t size = sizeOf(m_node->dim);
        return size < 0 ? std::nullopt : std::optional(SizeNumber::of(size));
    }
    if (m_node->op == SizeOp::Where) {
        const auto condition = m_node->args[0].evaluate(sizeOf);
        return condition ? m_node->args[condition->asReal() != 0 ? 1 : 2].evaluate(sizeOf) : std::nullopt;
    }
    std::array<SizeNumber, 3> numbers;
    for (std::size_t i = 0; i < m_node->args.size(); ++i) {
        const auto number = m_node->args[i].evaluate(sizeOf);
        if (!number) return std::nullopt;
        numbers[i] = *number;
    }
    return compute(m_node->op, std::span(numbers).first(m_node->args.size()));
}

namespace {

enum Binding { kSum, kProduct, kSign, kAtom };

Binding bindingOf(const SizeExpr& expr)
{
    switch (expr.node()->op) {
    case SizeOp::Add:
    case SizeOp::Sub: return kSum;
    case SizeOp::Mul:
    case SizeOp::Div:
    case SizeOp::Mod: return kProduct;
    case SizeOp::Neg: return kSign;
    case SizeOp::Number: return toText(expr.node()->number).starts_with('-') ? kSign : kAtom;
    default: return kAtom;
    }
}

const char* infix(SizeOp op)
{
    switch (op) {
    case SizeOp::Add: return "+";
    case SizeOp::Sub: return "-";
    case SizeOp::Mul: return "*";
    case SizeOp::Div: return "/";
    default: return "%";
    }
}

}  // namespace

std::string SizeExpr::text(const std::function<std::string(const MapDim&)>& dimText) const
{
    if (!m_node) return {};
    const auto part = [&](const SizeExpr& expr, Binding least) {
        const std::string inner = expr.text(dimText);
        return bindingOf(expr) < least ? "(" + inner + ")" : inner;
    };
    const auto& args = m_node->args;
    if (m_node->op == SizeOp::Number) return toText(m_node->number);
    if (m_node->op == SizeOp::Dim) return dimText(m_node->dim);
    if (m_node->op == SizeOp::Neg) return "-" + part(args[0], kAtom);
    if (m_node->op < SizeOp::Neg) {
        const Binding own = bindingOf(*this);
        std::string right = part(args[1], own == kSum ? kProduct : kAtom);  // grouped where of equal rank: a-(b-c)
        if (right.starts_with('-')) right = "(" + right + ")";
        return part(args[0], own) + infix(m_node->op) + right;
    }
    std::string out(functionName(m_node->op));
    for (std::size_t i = 0; i < args.size(); ++i) out += (i == 0 ? "(" : ",") + args[i].text(dimText);
    return out + ")";
}

SizeExpr SizeExpr::replaced(const std::function<SizeExpr(const MapDim&)>& with) const
{
    if (!m_node || m_node->op == SizeOp::Number) return *this;
    if (m_node->op == SizeOp::Dim) return with(m_node->dim);
    const auto arg = [&](std::size_t i) { return m_node->args[i].replaced(with); };
    switch (m_node->args.size()) {
    case 1: return apply(m_node->op, {arg(0)});
    case 2: return apply(m_node->op, {arg(0), arg(1)});
    default: return apply(m_node->op, {arg(0), arg(1), arg(2)});
    }
}

bool SizeExpr::sameAs(const SizeExpr& other) const
{
    if (m_node == other.m_node) return true;
    if (!m_node || !other.m_node) return false;
    const Node &a = *m_node, &b = *other.m_node;
    if (a.op != b.op || a.size != b.size || a.number != b.number || a.dim != b.dim) return false;
    for (std::size_t i = 0; i < a.args.size(); ++i)
        if (!a.args[i].sameAs(b.args[i])) return false;
    return true;
}

}  // namespace fovea
