#include "core/ops/common.h"

#include <algorithm>
#include <map>

// Sums of products spelt by letters. A letter of height or width that is summed, or that two maps carry apart, makes
// every position see every other; else positions stay where they are.
namespace fovea {

namespace {

struct Equation {
    std::vector<std::string> in;
    std::string out;
};

std::optional<Equation> parsed(const std::string& text)
{
    std::string plain;
    std::copy_if(text.begin(), text.end(), std::back_inserter(plain), [](char c) { return c != ' '; });
    const std::size_t arrow = plain.find("->");
    const std::string left = plain.substr(0, arrow);
    Equation out;
    for (std::size_t from = 0; from <= left.size();) {
        const std::size_t to = std::min(left.find(',', from), left.size());
        out.in.push_back(left.substr(from, to - from));
        from = to + 1;
    }
    const auto letters = [](const std::string& term) {
        return std::all_of(term.begin(), term.end(), [](unsigned char c) { return std::isalpha(c); }) &&
               term.size() <= Shape::kMaxRank;
    };
    if (arrow != std::string::npos) out.out = plain.substr(arrow + 2);
    else {  // what stands once, in alphabetical order
        std::map<char, int> count;
        for (const char c : left)
            if (c != ',') ++count[c];
        for (const auto& [letter, times] : count)
            if (times == 1) out.out += letter;
    }
    if (!letters(out.out) || !std::all_of(out.in.begin(), out.in.end(), letters)) return std::nullopt;
    return out;
}

// The equation's terms with their values; the constant operand has no layout.
struct Terms {
    Equation equation;
    std::vector<Value> values;
    std::size_t weight = std::string::npos;  // place of the constant
};

Terms termsOf(const Node& node, std::span<const Value> in)
{
    Terms terms{parsed(node.attrs.getText("equation")).value_or(Equation{}), {}, std::string::npos};
    if (const Ints* dims = node.attrs.getInts("weight_shape"); dims && node.attrs.has("weight_at")) {
        terms.weight = static_cast<std::size_t>(attrInt(node, "weight_at"));
        std::size_t next = 0;
        for (std::size_t i = 0; i < terms.equation.in.size(); ++i)
            terms.values.push_back(i == terms.weight  ? Value{Shape(std::span(*dims)), {}}
                                   : next < in.size() ? in[next++]
                                                      : Value{});
    } else {
        terms.values.assign(in.begin(), in.end());
    }
    terms.values.resize(terms.equation.in.size());
    return terms;
}

bool fits(const Terms& terms)
{
    for (std::size_t i = 0; i < terms.values.size(); ++i)
        if (terms.values[i].shape.rank() != static_cast<int>(terms.equation.in[i].size())) return false;
    return true;
}

std::map<char, std::int64_t> sizesOf(const Terms& terms)
{
    std::map<char, std::int64_t> sizes;
    for (std::size_t i = 0; i < terms.values.size(); ++i)
        for (int dim = 0; dim < terms.values[i].shape.rank(); ++dim) {
            const char letter = terms.equation.in[i][static_cast<std::size_t>(dim)];
            const std::int64_t size = terms.values[i].shape[dim];
            const auto known = sizes.find(letter);
            if (known == sizes.end() || known->second == 1 || known->second < 0) sizes[letter] = size;
        }
    return sizes;
}

char letterAt(const Terms& terms, std::size_t term, int dim)
{
    return dim >= 0 && dim < static_cast<int>(terms.equation.in[term].size())
               ? terms.equation.in[term][static_cast<std::size_t>(dim)]
               : '\0';
}

bool kept(const Terms& terms, char letter)
{
    return letter != '\0' && terms.equation.out.find(letter) != std::string::npos;
}

bool sums(const Terms& terms)
{
    for (const std::string& term : terms.equation.in)
        for (const char letter : term)
            if (!kept(terms, letter)) return true;
    return false;
}

AxisReach alongAxis(const Terms& terms, std::int8_t Layout::*axis)
{
    AxisReach out;
    char own = '\0';
    bool anywhere = false;
    for (std::size_t i = 0; i < terms.values.size(); ++i) {
        if (i == terms.weight) continue;
        const char letter = letterAt(terms, i, terms.values[i].layout.*axis);
        if (letter == '\0') continue;
        anywhere = true;
        if (!kept(terms, letter) || (own != '\0' && letter != own)) out.kind = ReachKind::Global;
        own = letter;
    }
    // Positions that nobody follows any more, summed or paired.
    const bool lost = std::all_of(terms.values.begin(), terms.values.end(),
                                  [](const Value& value) { return value.layout.h < 0 && value.layout.w < 0; });
    if (!anywhere && lost && sums(terms)) out.kind = ReachKind::Global;
    return out;
}

Reach reach(const NodeView& view)
{
    const Terms terms = termsOf(view.node, view.in);
    return {alongAxis(terms, &Layout::h), alongAxis(terms, &Layout::w)};
}

void infer(InferContext& context)
{
    const Terms terms = termsOf(context.node(), context.in());
    if (!fits(terms)) {
        context.out() = Value{Shape::ofRank(static_cast<int>(terms.equation.out.size())), {}};
        return;
    }
    const auto sizes = sizesOf(terms);
    Value out{Shape::ofRank(0), {}};
    for (const char letter : terms.equation.out) out.shape.append(sizes.contains(letter) ? sizes.at(letter) : kUnknown);
    const auto follow = [&](std::int8_t Layout::*axis) {
        for (std::size_t i = 0; i < terms.values.size(); ++i)
            if (const char letter = i == terms.weight ? '\0' : letterAt(terms, i, terms.values[i].layout.*axis);
                kept(terms, letter)) {
                out.layout.*axis = static_cast<std::int8_t>(terms.equation.out.find(letter));
                return;
            }
    };
    follow(&Layout::c);
    follow(&Layout::h);
    follow(&Layout::w);
    // A constant that takes the channels away brings others.
    for (const char letter : terms.weight < terms.equation.in.size() ? terms.equation.in[terms.weight] : std::string())
        if (out.layout.c < 0 && kept(terms, letter) &&
            std::count_if(terms.equation.in.begin(), terms.equation.in.end(),
                          [&](const std::string& term) { return term.find(letter) != std::string::npos; }) == 1)
            out.layout.c = static_cast<std::int8_t>(terms.equation.out.find(letter));
    for (std::size_t i = 0; i < terms.values.size(); ++i)
        for (int dim = 0; dim < terms.values[i].shape.rank(); ++dim) {
            const std::int64_t size = terms.values[i].shape[dim], all = sizes.at(letterAt(terms, i, dim));
            if (size < 0 || all < 0 || size == 1 || size == all) continue;
            context.issue("shape-mismatch", Severity::Error, "",
                          std::string("The sizes of '") + letterAt(terms, i, dim) + "' differ: " + std::to_string(all) +
                              " and " + std::to_string(size) + ".",
                          "Go back to the model's own input size.");
            context.out() = unknownLike(out);
            return;
        }
    context.out() = out;
}

// Every letter's size but that of the batch.
std::optional<std::int64_t> count(const NodeView& view)
{
    const Terms terms = termsOf(view.node, view.in);
    if (!fits(terms) || !sums(terms)) return 0;
    const std::size_t first = terms.weight == 0 && terms.values.size() > 1 ? 1 : 0;
    const Layout& layout = terms.values[first].layout;
    const bool hasBatch = layout.c != 0 && layout.h != 0 && layout.w != 0;
    const char batch = hasBatch ? letterAt(terms, first, 0) : '\0';
    std::int64_t total = 1;
    for (const auto& [letter, size] : sizesOf(terms)) {
        if (letter == batch && kept(terms, letter)) continue;
        if (size < 0) return std::nullopt;
        total = saturatingMul(total, size);
    }
    return total;
}

bool read(OnnxCall& call)
{
    const std::string text = call.getText("equation", "");
    const auto equation = parsed(text);
    if (!equation || equation->in.size() != call.args.size())
        return call.refuse("its equation '" + text + "' is not followed");
    call.node.attrs.set("equation", text);
    call.dataInputs.clear();
    std::size_t constants = 0, at = 0;
    for (std::size_t i = 0; i < call.args.size(); ++i)
        if (call.isConstant(i)) at = i, ++constants;
    for (std::size_t i = 0; i < call.args.size(); ++i)
        if (constants != 1 || !call.isConstant(i)) call.dataInputs.push_back(i);
    if (constants != 1 || call.dataInputs.empty()) return true;
    call.node.attrs.set("weight_at", static_cast<std::int64_t>(at));
    call.node.attrs.set("weight_shape", Ints(call.constant(at)->dims));
    return call.bind("weight", at);
}

void write(OnnxWriter& writer)
{
    const Node& node = writer.node();
    writer.needOpset(12, "Einsum");
    std::vector<std::string> inputs;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) inputs.push_back(writer.input(i));
    if (node.attrs.has("weight_at"))
        inputs.insert(inputs.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(
                                           inputs.size(), static_cast<std::size_t>(attrInt(node, "weight_at")))),
                      writer.tensor("weight"));
    writer.finish("Einsum", inputs, {{"equation", node.attrs.getText("equation")}});
}

}  // namespace

const OpDef& einsumOp()
{
    static const OpDef def{
        .kind = "Einsum",
        .opClass = OpClass::Math,
        .memory = keepsInputs,
        .doc = "Sum of products over the letters of its equation.",
        .attrs =
            {{.name = "equation", .type = AttrType::Text, .fallback = std::string(), .doc = "As torch.einsum takes it"},
             {.name = "weight_at",
              .type = AttrType::Int,
              .fallback = std::int64_t{1},
              .doc = "Place of the constant among the terms",
              .shown = false},
             {.name = "weight_shape",
              .type = AttrType::IntList,
              .fallback = Ints{},
              .doc = "Shape of the constant",
              .shown = false}},
        .minInputs = 1,
        .maxInputs = -1,
        .reach = reach,
        .infer = infer,
        .params =
            [](const NodeView& view) {
                const Ints* dims = view.node.attrs.getInts("weight_shape");
                if (!dims || !view.node.attrs.has("weight_at")) return std::vector<ParamSpec>{};
                return std::vector<ParamSpec>{{.role = "weight",
                                               .dims = *dims,
                                               .init = Init::KaimingUniform,
                                               .fanIn = dims->empty() ? 1 : dims->back()}};
            },
        .macs =
            [](const NodeView& view) {
                return view.node.attrs.has("weight_at") ? count(view) : std::optional<std::int64_t>(0);
            },
        .products =
            [](const NodeView& view) {
                return view.node.attrs.has("weight_at") ? std::optional<std::int64_t>(0) : count(view);
            },
        .torch = {TorchOp::Einsum, {"equation", "weight_at"}, {"weight"}},
        .onnx = {.types = {"Einsum"}, .read = read, .write = write},
    };
    return def;
}

}  // namespace fovea
