// Reads the text of sizes: to numbers for each analysis, or to expressions.
#include "core/ops/size_expr.h"

#include <array>
#include <charconv>

namespace fovea {

namespace {

// Documents come from anywhere.
constexpr std::size_t kMaxLength = 16'384;
constexpr int kMaxNesting = 100;

// What a number of the text becomes: its value at these inputs. A part that fails spoils what is made of it; the
// branch of a `where` that is not taken may fail.
class Evaluating {
public:
    using Item = std::optional<SizeNumber>;

    explicit Evaluating(std::span<const Value> in) : m_in(in) {}
    Item number(const SizeNumber& number) const { return number; }
    Item dimension(std::size_t input, int dim) const
    {
        if (input >= m_in.size() || dim >= m_in[input].shape.rank() || m_in[input].shape[dim] < 0) return std::nullopt;
        return SizeNumber::of(m_in[input].shape[dim]);
    }
    Item apply(SizeOp op, std::span<const Item> args) const
    {
        if (op == SizeOp::Where) return !args[0] ? std::nullopt : args[0]->asReal() != 0 ? args[1] : args[2];
        std::array<SizeNumber, 3> numbers;
        for (std::size_t i = 0; i < args.size(); ++i) {
            if (!args[i]) return std::nullopt;
            numbers[i] = *args[i];
        }
        return compute(op, std::span(numbers).first(args.size()));
    }

private:
    std::span<const Value> m_in;
};

class Building {
public:
    using Item = SizeExpr;

    Item number(const SizeNumber& number) const { return number; }
    Item dimension(std::size_t input, int dim) const
    {
        return SizeExpr::dimension({kNoNode, static_cast<int>(input)}, dim);
    }
    Item apply(SizeOp op, std::span<const Item> args) const
    {
        switch (args.size()) {
        case 1: return SizeExpr::apply(op, {args[0]});
        case 2: return SizeExpr::apply(op, {args[0], args[1]});
        default: return SizeExpr::apply(op, {args[0], args[1], args[2]});
        }
    }
};

template <typename Meaning>
class Parser {
public:
    using Item = typename Meaning::Item;

    Parser(std::string_view text, const Meaning& meaning) : m_text(text), m_meaning(meaning) {}

    // One item per number; false where the text is not of this form.
    bool read(std::vector<Item>& out)
    {
        if (m_text.size() > kMaxLength || m_text.empty()) return false;
        do {
            out.push_back(sum());
        } while (!m_failed && take(';'));
        return !m_failed && m_at == m_text.size();
    }

private:
    char peek() const { return m_at < m_text.size() ? m_text[m_at] : '\0'; }
    bool take(char wanted)
    {
        if (peek() != wanted) return false;
        ++m_at;
        return true;
    }
    Item fail()
    {
        m_failed = true;
        m_at = m_text.size();
        return {};
    }
    Item both(SizeOp op, Item a, Item b) const
    {
        const Item args[2] = {std::move(a), std::move(b)};
        return m_meaning.apply(op, args);
    }

    Item sum()
    {
        if (++m_nesting > kMaxNesting) return fail();
        Item left = product();
        for (;;) {
            if (take('+')) left = both(SizeOp::Add, std::move(left), product());
            else if (take('-')) left = both(SizeOp::Sub, std::move(left), product());
            else break;
        }
        --m_nesting;
        return left;
    }

    Item product()
    {
        Item left = signedPart();
        for (;;) {
            if (take('*')) left = both(SizeOp::Mul, std::move(left), signedPart());
            else if (take('/')) left = both(SizeOp::Div, std::move(left), signedPart());
            else if (take('%')) left = both(SizeOp::Mod, std::move(left), signedPart());
            else return left;
        }
    }

    Item signedPart()
    {
        const bool negative = take('-');
        if (startsNumber(peek())) return number(negative);
        Item inner = atom();
        if (!negative) return inner;
        const Item args[1] = {std::move(inner)};
        return m_meaning.apply(SizeOp::Neg, args);
    }

    Item atom()
    {
        if (take('(')) {
            Item inner = sum();
            return take(')') ? inner : fail();
        }
        const std::size_t start = m_at;
        while (peek() >= 'a' && peek() <= 'z') ++m_at;
        const std::string_view name = m_text.substr(start, m_at - start);
        if (name == "in" && startsNumber(peek())) return dimension();
        const auto op = functionNamed(name);
        return op ? function(*op) : fail();
    }

    Item function(SizeOp op)
    {
        std::array<Item, 3> args;
        const int count = argumentCount(op);
        for (int i = 0; i < count; ++i) {
            if (!take(i == 0 ? '(' : ',')) return fail();
            args[static_cast<std::size_t>(i)] = sum();
        }
        if (!take(')')) return fail();
        return m_meaning.apply(op, std::span<const Item>(args).first(static_cast<std::size_t>(count)));
    }

    Item dimension()
    {
        std::size_t input = 0;
        int dim = 0;
        if (!digits(input) || !take('.') || !digits(dim)) return fail();
        return m_meaning.dimension(input, dim);
    }

    static bool startsNumber(char c) { return c >= '0' && c <= '9'; }

    template <typename Number>
    bool digits(Number& out)
    {
        const char* begin = m_text.data() + m_at;
        const auto [end, error] = std::from_chars(begin, m_text.data() + m_text.size(), out);
        m_at += static_cast<std::size_t>(end - begin);
        return error == std::errc() && end != begin && out <= 1'000'000;
    }

    // The sign belongs to the number, or the smallest integer could not be written.
    Item number(bool negative)
    {
        std::size_t end = m_at;
        bool real = false;
        for (char c; end < m_text.size() && (startsNumber(c = m_text[end]) || c == '.' || c == 'e' || ((c == '-' || c == '+') && m_text[end - 1] == 'e')); ++end)
            real = real || !startsNumber(c);
        const char *first = m_text.data() + m_at - (negative ? 1 : 0), *last = m_text.data() + end;
        m_at = end;
        if (!real) {
            std::int64_t whole = 0;
            const auto [stop, error] = std::from_chars(first, last, whole);
            return error == std::errc() && stop == last ? m_meaning.number(SizeNumber::of(whole)) : fail();
        }
        double value = 0;
        const auto [stop, error] = std::from_chars(first, last, value);
        if (error != std::errc() || stop != last) return fail();
        return m_meaning.number(SizeNumber::of(value, take('d') ? NumberType::Double : NumberType::Single));
    }

    std::string_view m_text;
    const Meaning& m_meaning;
    std::size_t m_at = 0;
    int m_nesting = 0;
    bool m_failed = false;
};

std::vector<std::optional<SizeNumber>> numbersOf(std::string_view sizes, std::span<const Value> in)
{
    std::vector<std::optional<SizeNumber>> out;
    const Evaluating meaning(in);
    if (!Parser(sizes, meaning).read(out)) out.clear();
    return out;
}

}  // namespace

std::vector<std::optional<std::int64_t>> evaluateSizes(std::string_view sizes, std::span<const Value> in)
{
    std::vector<std::optional<std::int64_t>> out;
    for (const auto& number : numbersOf(sizes, in)) {
        auto whole = number;
        if (number && number->isReal()) {
            whole = compute(SizeOp::ToInt, std::span(&*number, 1));
            if (whole && whole->asReal() != number->real) whole.reset();
        }
        out.push_back(whole ? std::optional(whole->integer) : std::nullopt);
    }
    return out;
}

std::vector<std::optional<double>> evaluateReals(std::string_view sizes, std::span<const Value> in)
{
    std::vector<std::optional<double>> out;
    for (const auto& number : numbersOf(sizes, in)) out.push_back(number ? std::optional(number->asReal()) : std::nullopt);
    return out;
}

std::vector<SizeExpr> parseSizes(std::string_view sizes)
{
    std::vector<SizeExpr> out;
    const Building meaning;
    if (!Parser(sizes, meaning).read(out)) out.clear();
    return out;
}

}  // namespace fovea
