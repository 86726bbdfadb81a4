// Products of matrices.
#include "core/io/onnx/static_ops.h"

#include <algorithm>
#include <cmath>

namespace fovea {

namespace {

// More multiplications than this are left to whoever runs the network.
constexpr std::int64_t kMaxMultiplications = std::int64_t{1} << 30;

// How an element of one factor becomes a number: minus its zero point, times its scale, one for all or per row (or
// per column of the second factor).
struct Reader {
    Tensor tensor, zero, scale;
    bool hasZero = false, hasScale = false;

    double at(const Elements& elements, std::int64_t index, std::int64_t line) const
    {
        const auto of = [&](const Tensor& t) { return t.real(t.elements() == 1 ? 0 : line); };
        const double x = elements.real(index) - (hasZero ? of(zero) : 0);
        return hasScale ? x * of(scale) : x;
    }
};

struct Product {
    Dims to;
    std::int64_t rows = 1, inner = 1, columns = 1;
    Ints batches, first, second;  // dimensions of the batch, and of each factor's own
};

std::optional<Product> productOf(Dims a, Dims b)
{
    if (a.empty() || b.empty()) return std::nullopt;
    const bool vectorA = a.size() == 1, vectorB = b.size() == 1;
    if (vectorA) a.insert(a.begin(), Dim(1));
    if (vectorB) b.emplace_back(1);
    Product out;
    out.rows = a[a.size() - 2].size();
    out.inner = a.back().size();
    out.columns = b.back().size();
    if (b[b.size() - 2].size() != out.inner) return std::nullopt;
    const Dims batchA(a.begin(), a.end() - 2), batchB(b.begin(), b.end() - 2);
    const auto batch = broadcastDims(batchA, batchB);
    if (!batch) return std::nullopt;
    out.batches = sizesOf(*batch);
    out.first = sizesOf(batchA);
    out.second = sizesOf(batchB);
    out.to = *batch;
    if (!vectorA) out.to.push_back(a[a.size() - 2]);
    if (!vectorB) out.to.push_back(b.back());
    const std::int64_t work = saturatingMul(saturatingMul(elementsOf(out.to), out.inner), 1);
    return work > kMaxMultiplications ? std::nullopt : std::optional(out);
}

Result multiplied(DType type, const Product& p, const Reader& a, const Reader& b, const std::function<double(double)>& finish)
{
    return result(type, p.to, {a.tensor, b.tensor, a.zero, a.scale, b.zero, b.scale}, [=](Target& to) {
        const Elements x(a.tensor), y(b.tensor);
        const Broadcast left(p.batches, p.first), right(p.batches, p.second);
        const std::int64_t area = p.rows * p.columns;
        for (std::int64_t i = 0; i < to.count(); ++i) {
            const std::int64_t batch = i / area, row = i / p.columns % p.rows, column = i % p.columns;
            const std::int64_t from = (left.at(batch) * p.rows + row) * p.inner, with = right.at(batch) * p.inner * p.columns + column;
            double sum = 0;
            for (std::int64_t k = 0; k < p.inner; ++k) sum += a.at(x, from + k, row) * b.at(y, with + k * p.columns, column);
            to.put(i, finish ? finish(sum) : sum);
        }
    });
}

Results matMul(const Operands& in)
{
    const auto product = productOf(in.dims(0), in.dims(1));
    return product ? only(multiplied(in.type(0), *product, {.tensor = in.tensor(0)}, {.tensor = in.tensor(1)}, nullptr)) : std::nullopt;
}

Reader quantised(const Operands& in, std::size_t tensor, std::optional<std::size_t> zero, std::optional<std::size_t> scale)
{
    Reader out{.tensor = in.tensor(tensor)};
    if (zero && in.has(*zero)) {
        out.zero = in.tensor(*zero);
        out.hasZero = true;
    }
    if (scale) {
        out.scale = in.tensor(*scale);
        out.hasScale = true;
    }
    return out;
}

bool perLine(const Reader& reader, std::int64_t lines)
{
    const auto fits = [lines](const Tensor& t) { return t.elements() == 1 || (t.elements() == lines && t.dims.size() <= 2); };
    return (!reader.hasZero || fits(reader.zero)) && (!reader.hasScale || fits(reader.scale));
}

Results matMulInteger(const Operands& in)
{
    const auto product = productOf(in.dims(0), in.dims(1));
    const Reader a = quantised(in, 0, 2, std::nullopt), b = quantised(in, 1, 3, std::nullopt);
    if (!product || !perLine(a, product->rows) || !perLine(b, product->columns)) return std::nullopt;
    return only(multiplied(DType::Int32, *product, a, b, nullptr));
}

std::pair<double, double> rangeOf(DType type)
{
    return type == DType::UInt8 ? std::pair(0.0, 255.0) : type == DType::Int8 ? std::pair(-128.0, 127.0) : std::pair(-2147483648.0, 2147483647.0);
}

Results qLinearMatMul(const Operands& in)
{
    const auto product = productOf(in.dims(0), in.dims(3));
    const Reader a = quantised(in, 0, 2, 1), b = quantised(in, 3, 5, 4);
    if (!product || !perLine(a, product->rows) || !perLine(b, product->columns) || in.elements(6) != 1 || in.elements(7) != 1) return std::nullopt;
    const double scale = in.tensor(6).real(0), zero = in.tensor(7).real(0);
    const auto [low, high] = rangeOf(in.type(7));
    return only(multiplied(in.type(7), *product, a, b, [=](double x) { return std::clamp(std::nearbyint(x / scale) + zero, low, high); }));
}

Results gemm(const Operands& in)
{
    Ints dims[2] = {in.tensor(0).dims, in.tensor(1).dims};
    if (dims[0].size() != 2 || dims[1].size() != 2) return std::nullopt;
    const bool turnA = in.call.getInt("transA", 0) != 0, turnB = in.call.getInt("transB", 0) != 0;
    const double alpha = in.call.getReal("alpha", 1), beta = in.call.getReal("beta", 1);
    const Dims a = in.dims(0), b = in.dims(1);
    const Dim rows = a[turnA ? 1 : 0], inner = a[turnA ? 0 : 1], columns = b[turnB ? 0 : 1];
    if (b[turnB ? 1 : 0].size() != inner.size() || saturatingMul(saturatingMul(rows.size(), inner.size()), columns.size()) > kMaxMultiplications) return std::nullopt;
    const Tensor x = in.tensor(0), y = in.tensor(1), added = in.has(2) ? in.tensor(2) : Tensor{};
    const bool adds = in.has(2);
    const Ints to{rows.size(), columns.size()};
    if (adds && !broadcastDims({rows, columns}, in.dims(2))) return std::nullopt;
    const Broadcast c(to, adds ? added.dims : to);
    return only(result(in.type(0), {rows, columns}, {x, y, added}, [=](Target& target) {
        const Elements left(x), right(y), bias(added);
        const std::int64_t n = to[1], depth = inner.size();
        for (std::int64_t i = 0; i < target.count(); ++i) {
            double sum = 0;
            for (std::int64_t k = 0; k < depth; ++k) {
                const std::int64_t r = i / n, j = i % n;
                sum += left.real(turnA ? k * to[0] + r : r * depth + k) * right.real(turnB ? j * depth + k : k * n + j);
            }
            target.put(i, alpha * sum + (adds ? beta * bias.real(c.at(i)) : 0));
        }
    }));
}

// One letter of an Einsum: its length and its stride in each operand and in the result.
struct Letter {
    char name = 0;
    std::int64_t size = 1;
    std::vector<std::int64_t> strides;
    std::int64_t outStride = 0;
    bool inOutput = false;
    Dim dim;
};

// Ellipses become letters that no equation has, as many as the operand has dimensions left.
std::string spelledOut(const std::string& term, std::size_t rank)
{
    const std::size_t dots = term.find("...");
    if (dots == std::string::npos) return term;
    const std::size_t letters = term.size() - 3;
    if (letters > rank || rank - letters > 20) return {};
    std::string hidden;
    for (std::size_t i = rank - letters; i-- > 0;) hidden += static_cast<char>(1 + i);
    return term.substr(0, dots) + hidden + term.substr(dots + 3);
}

// The result's letters where the equation has no arrow: ellipsis first, then those that stand once, by name.
std::string impliedOutput(const std::vector<std::string>& terms)
{
    std::string all, hidden, out;
    for (const std::string& term : terms) all += term;
    std::sort(all.begin(), all.end());
    for (const char c : all) {
        if (c < 32 && hidden.find(c) == std::string::npos) hidden = c + hidden;
        if (c >= 32 && std::count(all.begin(), all.end(), c) == 1) out += c;
    }
    return hidden + out;
}

struct Equation {
    std::vector<std::string> terms;
    std::string output;
};

std::optional<Equation> equationOf(const Operands& in)
{
    std::string text = in.call.getText("equation", "");
    text.erase(std::remove(text.begin(), text.end(), ' '), text.end());
    const std::size_t arrow = text.find("->");
    Equation out;
    std::string left = text.substr(0, arrow) + ",";
    std::size_t widest = 0;
    for (std::size_t arg = 0; arg < in.count(); ++arg) {
        const std::size_t comma = left.find(',');
        if (comma == std::string::npos) return std::nullopt;
        const std::string term = left.substr(0, comma);
        left.erase(0, comma + 1);
        const std::size_t rank = in.tensor(arg).dims.size();
        out.terms.push_back(spelledOut(term, rank));
        if (out.terms.back().size() != rank) return std::nullopt;
        if (term.find("...") != std::string::npos) widest = std::max(widest, rank - (term.size() - 3));
    }
    if (!left.empty()) return std::nullopt;
    if (arrow == std::string::npos) out.output = impliedOutput(out.terms);
    else {
        const std::string term = text.substr(arrow + 2);
        const bool dots = term.find("...") != std::string::npos;
        out.output = dots ? spelledOut(term, term.size() - 3 + widest) : term;
    }
    return out;
}

Results einsum(const Operands& in)
{
    const auto equation = equationOf(in);
    if (!equation) return std::nullopt;
    std::vector<Letter> letters;
    const auto letterOf = [&](char name) -> Letter& {
        for (Letter& letter : letters)
            if (letter.name == name) return letter;
        letters.push_back({name, 1, std::vector<std::int64_t>(in.count(), 0), 0, false, Dim(1)});
        return letters.back();
    };
    std::vector<Tensor> tensors;
    for (std::size_t arg = 0; arg < in.count(); ++arg) {
        const Dims dims = in.dims(arg);
        const Ints strides = stridesOf(sizesOf(dims));
        tensors.push_back(in.tensor(arg));
        for (std::size_t d = 0; d < dims.size(); ++d) {
            Letter& letter = letterOf(equation->terms[arg][d]);
            if (letter.size == 1) letter.dim = dims[d], letter.size = dims[d].size();
            else if (dims[d].size() != 1 && dims[d].size() != letter.size) return std::nullopt;
            letter.strides[arg] += dims[d].size() == 1 ? 0 : strides[d];
        }
    }
    Dims to;
    for (const char name : equation->output) {
        Letter& letter = letterOf(name);
        if (letter.inOutput) return std::nullopt;
        letter.inOutput = true;
        to.push_back(letter.dim);
    }
    const Ints outStrides = stridesOf(sizesOf(to));
    std::int64_t work = 1;
    Ints sizes;
    for (Letter& letter : letters) {
        const std::size_t at = equation->output.find(letter.name);
        if (at != std::string::npos) letter.outStride = outStrides[at];
        work = saturatingMul(work, letter.size);
        sizes.push_back(letter.size);
    }
    if (work > kMaxMultiplications) return std::nullopt;
    return only(result(in.type(0), to, tensors, [=](Target& target) {
        std::vector<Elements> from(tensors.begin(), tensors.end());
        std::vector<double> sums(static_cast<std::size_t>(target.count()), 0.0);
        std::vector<std::int64_t> places(tensors.size());
        for (std::int64_t step = 0; step < work; ++step) {
            std::int64_t rest = step, out = 0;
            std::fill(places.begin(), places.end(), 0);
            for (const Letter& letter : letters) {
                const std::int64_t at = rest % letter.size;
                rest /= letter.size;
                out += at * letter.outStride;
                for (std::size_t k = 0; k < places.size(); ++k) places[k] += at * letter.strides[k];
            }
            double product = 1;
            for (std::size_t k = 0; k < places.size(); ++k) product *= from[k].real(places[k]);
            sums[static_cast<std::size_t>(out)] += product;
        }
        for (std::int64_t i = 0; i < target.count(); ++i) target.put(i, sums[static_cast<std::size_t>(i)]);
    }));
}

}  // namespace

std::span<const StaticOp> productOps()
{
    static constexpr StaticOp ops[] = {{"MatMul", matMul, 2, true}, {"MatMulInteger", matMulInteger, 2, true}, {"QLinearMatMul", qLinearMatMul, 8, true}, {"Gemm", gemm, 2, true}, {"Einsum", einsum, -1, true}};
    return ops;
}

}  // namespace fovea
