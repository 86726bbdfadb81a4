// Writes the numbers of a `sizes` text as ONNX nodes, so that the file follows its input as the network does.
#include "core/base/checked.h"
#include "core/ops/onnx_form.h"
#include "core/ops/size_expr.h"

#include <algorithm>
#include <map>

namespace fovea {

namespace {

constexpr std::int64_t kFloat = 1, kInt64 = 7, kBool = 9, kHalf = 10, kDouble = 11;

struct NodeRow {
    SizeOp op;
    const char* type;
    std::int64_t since;      // for whole numbers
    std::int64_t sinceReal;  // for real ones
};

constexpr NodeRow kNodes[] = {{SizeOp::Add, "Add", 7, 7},     {SizeOp::Sub, "Sub", 7, 7},     {SizeOp::Mul, "Mul", 7, 7},
                              {SizeOp::Div, "Div", 7, 7},     {SizeOp::Mod, "Mod", 10, 99},   {SizeOp::Fmod, "Mod", 10, 10},
                              {SizeOp::Neg, "Neg", 6, 6},     {SizeOp::Pow, "Pow", 12, 7},    {SizeOp::Min, "Min", 12, 8},
                              {SizeOp::Max, "Max", 12, 8},    {SizeOp::Abs, "Abs", 6, 6},     {SizeOp::Sign, "Sign", 9, 9},
                              {SizeOp::Floor, "Floor", 99, 6}, {SizeOp::Ceil, "Ceil", 99, 6}, {SizeOp::Round, "Round", 99, 11},
                              {SizeOp::Sqrt, "Sqrt", 99, 6},  {SizeOp::Exp, "Exp", 99, 6},    {SizeOp::Log, "Log", 99, 6}};

struct Written {
    std::string value;  // a tensor of one element
    NumberType type = NumberType::Integer;
};

std::int64_t onnxType(NumberType type)
{
    return type == NumberType::Integer ? kInt64 : type == NumberType::Half ? kHalf : type == NumberType::Single ? kFloat : kDouble;
}

class SizeNodes {
public:
    explicit SizeNodes(OnnxWriter& writer) : m_writer(writer) {}

    // A whole number as a tensor of one element.
    std::string whole(const SizeExpr& expr)
    {
        const auto made = write(expr);
        if (made && made->type == NumberType::Integer) return made->value;
        const auto now = expr.evaluate([&](const MapDim& from) { return sizeOf(from); });
        if (m_writer.open().any()) m_writer.needFixedSides("What computes its sizes has no nodes at this opset, so that they can be written");
        return m_writer.ints({m_writer.known(now ? now->integer : kUnknown, "a size that it needs")});
    }

    // Any number as a tensor of one element of `type`.
    std::string number(const SizeExpr& expr, DType type)
    {
        static constexpr std::pair<DType, std::int64_t> kTypes[] = {{DType::Float32, kFloat}, {DType::Float64, kDouble}, {DType::Float16, kHalf}, {DType::Int64, kInt64},
                                                                    {DType::Int32, 6}, {DType::Bool, kBool}, {DType::UInt8, 2}, {DType::Int8, 3}};
        auto made = expr.known() ? write(expr) : std::nullopt;
        if (!made) {
            const auto now = expr.evaluate([&](const MapDim& from) { return sizeOf(from); });
            made = constant(now.value_or(SizeNumber::of(0.0, NumberType::Single)));
        }
        const auto row = std::find_if(std::begin(kTypes), std::end(kTypes), [type](const auto& r) { return r.first == type; });
        if (row == std::end(kTypes) || row->second == onnxType(made->type)) return made->value;
        return m_writer.emit("Cast", {made->value}, {{"to", row->second}});
    }

private:
    std::int64_t sizeOf(const MapDim& from) const
    {
        const Shape& shape = m_writer.inputValue(static_cast<std::size_t>(from.port.output)).shape;
        return from.dim < shape.rank() ? shape[from.dim] : kUnknown;
    }

    std::optional<Written> write(const SizeExpr& expr)
    {
        const SizeExpr::Node& node = *expr.node();
        // What is known at one size alone (OnnxCall::onlyHere) is written for that.
        if (node.op == SizeOp::Div && node.args[1].node()->op == SizeOp::Equal) return write(node.args[0]);
        if (node.op == SizeOp::Number) return constant(node.number);
        if (node.op == SizeOp::Dim) return dimension(node.dim);
        std::vector<Written> args;
        for (const SizeExpr& arg : node.args) {
            auto made = write(arg);
            if (!made) return std::nullopt;
            args.push_back(std::move(*made));
        }
        if (node.op >= SizeOp::ToInt && node.op <= SizeOp::ToDouble) return cast(args[0], targetOf(node.op));
        if (node.op == SizeOp::Where) return choice(args);
        if (node.op >= SizeOp::Equal) return truth(node.op, args);
        return arithmetic(node.op, args);
    }

    static NumberType targetOf(SizeOp op)
    {
        return op == SizeOp::ToInt ? NumberType::Integer : op == SizeOp::ToHalf ? NumberType::Half : op == SizeOp::ToSingle ? NumberType::Single : NumberType::Double;
    }

    Written constant(const SizeNumber& number)
    {
        if (!number.isReal()) return {m_writer.ints({number.integer}), NumberType::Integer};
        const auto kind = number.type == NumberType::Half ? DType::Float16 : number.type == NumberType::Single ? DType::Float32 : DType::Float64;
        auto bytes = std::make_shared<std::vector<std::byte>>(byteSize(kind));
        storeReal(number.real, kind, bytes->data());
        return {m_writer.emit("Constant", {}, {{"value", Tensor{kind, {1}, *bytes, bytes}}}), number.type};
    }

    Written dimension(const MapDim& from)
    {
        const auto input = static_cast<std::size_t>(from.port.output);
        std::string& shape = m_shapes[input];
        if (shape.empty()) shape = m_writer.emit("Shape", {m_writer.input(input)});
        return {m_writer.emit("Gather", {shape, m_writer.ints({from.dim})}, {{"axis", std::int64_t{0}}}), NumberType::Integer};
    }

    Written cast(const Written& from, NumberType to)
    {
        if (from.type == to) return from;
        return {m_writer.emit("Cast", {from.value}, {{"to", onnxType(to)}}), to};
    }

    // Operands of one type, as ONNX wants them.
    NumberType alike(std::span<Written> args)
    {
        NumberType type = NumberType::Integer;
        for (const Written& arg : args) type = std::max(type, arg.type);
        for (Written& arg : args) arg = cast(arg, type);
        return type;
    }

    static std::vector<std::string> names(std::span<const Written> args)
    {
        std::vector<std::string> out;
        for (const Written& arg : args) out.push_back(arg.value);
        return out;
    }

    std::optional<Written> arithmetic(SizeOp op, std::vector<Written> args)
    {
        const NumberType type = alike(args);
        const bool real = type != NumberType::Integer;
        const auto row = std::find_if(std::begin(kNodes), std::end(kNodes), [op](const NodeRow& r) { return r.op == op; });
        if (row == std::end(kNodes)) return std::nullopt;
        if (m_writer.opset() >= (real ? row->sinceReal : row->since)) {
            OnnxAttrs attrs;
            if (op == SizeOp::Fmod) attrs.emplace("fmod", std::int64_t{1});
            return Written{m_writer.emit(row->type, names(args), attrs), type};
        }
        // Before opset 12 these are for reals alone; sizes are small enough for single precision.
        if (!real && (op == SizeOp::Min || op == SizeOp::Max) && m_writer.opset() >= row->sinceReal) {
            for (Written& arg : args) arg = cast(arg, NumberType::Single);
            return cast({m_writer.emit(row->type, names(args)), NumberType::Single}, NumberType::Integer);
        }
        // Before opset 10 there is no Mod; sizes are not negative.
        if (!real && (op == SizeOp::Mod || op == SizeOp::Fmod)) {
            const std::string down = m_writer.emit("Mul", {m_writer.emit("Div", names(args)), args[1].value});
            return Written{m_writer.emit("Sub", {args[0].value, down}), type};
        }
        return std::nullopt;
    }

    Written number(std::string truth) { return {m_writer.emit("Cast", {std::move(truth)}, {{"to", kInt64}}), NumberType::Integer}; }
    std::string boolean(const Written& arg) { return m_writer.emit("Cast", {arg.value}, {{"to", kBool}}); }

    std::optional<Written> truth(SizeOp op, std::vector<Written> args)
    {
        if (op == SizeOp::Not) return number(m_writer.emit("Not", {boolean(args[0])}));
        if (op == SizeOp::And || op == SizeOp::Or || op == SizeOp::Xor)
            return number(m_writer.emit(op == SizeOp::And ? "And" : op == SizeOp::Or ? "Or" : "Xor", {boolean(args[0]), boolean(args[1])}));
        const NumberType type = alike(args);
        if (op == SizeOp::Equal) {
            if (type != NumberType::Integer && m_writer.opset() < 11) return std::nullopt;
            return number(m_writer.emit("Equal", names(args)));
        }
        if (m_writer.opset() < 9)  // comparisons of reals alone
            for (Written& arg : args) arg = cast(arg, NumberType::Single);
        if (op == SizeOp::Less) return number(m_writer.emit("Less", names(args)));
        return number(m_writer.emit("Not", {m_writer.emit("Greater", names(args))}));
    }

    std::optional<Written> choice(std::vector<Written>& args)
    {
        if (m_writer.opset() < 9) return std::nullopt;
        const NumberType type = alike(std::span(args).subspan(1));
        return Written{m_writer.emit("Where", {boolean(args[0]), args[1].value, args[2].value}), type};
    }

    OnnxWriter& m_writer;
    std::map<std::size_t, std::string> m_shapes;
};

}  // namespace

std::string OnnxWriter::numbers(std::string_view text, DType type)
{
    const std::vector<SizeExpr> numbers = parseSizes(text);
    SizeNodes nodes(*this);
    std::vector<std::string> parts;
    for (const SizeExpr& number : numbers) parts.push_back(nodes.number(number, type));
    return parts.size() == 1 ? parts[0] : emit("Concat", parts, {{"axis", std::int64_t{0}}});
}

std::string OnnxWriter::sizes(std::string_view text)
{
    const std::vector<SizeExpr> numbers = parseSizes(text);
    SizeNodes nodes(*this);
    std::vector<std::string> parts;
    Ints run;  // constants side by side are one tensor
    const auto flush = [&] {
        if (!run.empty()) parts.push_back(ints(run));
        run.clear();
    };
    for (const SizeExpr& number : numbers) {
        if (const auto fixed = number.constant()) {
            run.push_back(*fixed);
            continue;
        }
        flush();
        parts.push_back(number.known() ? nodes.whole(number) : ints({kUnknown}));
    }
    flush();
    if (parts.empty()) return ints({});
    return parts.size() == 1 ? parts[0] : emit("Concat", parts, {{"axis", std::int64_t{0}}});
}

}  // namespace fovea
