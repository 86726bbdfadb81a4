#include "tests/support/text_graph.h"

#include "core/ops/registry.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <stdexcept>

namespace fovea::test {

namespace {

[[noreturn]] void fail(const std::string& what, std::string_view text)
{
    throw std::invalid_argument(what + " in '" + std::string(text) + "'");
}

std::string lower(std::string_view text)
{
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::tolower(c); });
    return out;
}

std::vector<std::string_view> split(std::string_view text, std::string_view separators)
{
    std::vector<std::string_view> out;
    std::size_t from = 0;
    while (from <= text.size()) {
        const std::size_t to = std::min(text.find_first_of(separators, from), text.size());
        if (to > from) out.push_back(text.substr(from, to - from));
        from = to + 1;
    }
    return out;
}

bool isBlank(std::string_view text) { return text.find_first_not_of(" \t") == std::string_view::npos; }

const OpDef& opNamed(std::string_view word)
{
    static const std::map<std::string, std::string> kAliases = {
        {"conv", "conv2d"}, {"bn", "batchnorm2d"}, {"gap", "adaptiveavgpool2d"}};
    const std::string typed = lower(word);
    const auto alias = kAliases.find(typed);
    const std::string wanted = alias == kAliases.end() ? typed : alias->second;
    for (const OpDef* op : allOps()) {
        const std::string kind = lower(op->kind);
        if (kind == wanted || kind == wanted + "2d") return *op;
    }
    fail("no layer kind '" + typed + "'", word);
}

Ints numbers(std::string_view text)
{
    Ints out;
    for (const std::string_view part : split(text, "x")) out.push_back(std::stoll(std::string(part)));
    return out;
}

Ints filled(Ints values, std::size_t size, std::string_view text)
{
    if (values.size() == size) return values;
    if (values.size() == 1) return Ints(size, values[0]);
    if (values.size() == 2 && size == 4) return {values[0], values[1], values[0], values[1]};
    fail("wrong count of numbers", text);
}

std::string fullName(const OpDef& op, std::string_view key)
{
    static const std::map<std::string, std::string, std::less<>> kShort = {{"k", "kernel_size"}, {"s", "stride"},
                                                                           {"p", "padding"},     {"d", "dilation"},
                                                                           {"g", "groups"},      {"ceil", "ceil_mode"}};
    if (key == "c") return op.attr("out_channels") ? "out_channels" : "out_features";
    const auto it = kShort.find(key);
    return it == kShort.end() ? std::string(key) : it->second;
}

AttrValue parsed(const AttrDef& attr, const std::string& value)
{
    switch (attr.type) {
    case AttrType::Int: return std::stoll(value);
    case AttrType::Real: return std::stod(value);
    case AttrType::Bool: return value == "1" || value == "true";
    case AttrType::Choice:
    case AttrType::Text: return value;
    case AttrType::Pair: return filled(numbers(value), 2, value);
    case AttrType::Quad: return filled(numbers(value), 4, value);
    case AttrType::IntList: return numbers(value);
    }
    fail("unknown attribute type", value);
}

void padSame(Node& node)
{
    Ints padding(4);
    for (std::size_t side = 0; side < 4; ++side)
        padding[side] = (node.attrs.at("kernel_size", side % 2, 1) - 1) * node.attrs.at("dilation", side % 2, 1) / 2;
    node.attrs.set("padding", padding);
}

class Reader {
public:
    Graph read(std::string_view text)
    {
        for (const std::string_view chain : split(text, ";\n"))
            if (!isBlank(chain)) readChain(chain);
        addOutputs();
        return std::move(m_graph);
    }

private:
    void readChain(std::string_view chain)
    {
        Port at;
        for (const std::string_view element : split(chain, ">")) {
            const auto words = split(element, " \t");
            if (words.empty()) fail("an empty layer", chain);
            at = words[0][0] == '@' && words.size() == 1 ? reference(words[0]) : Port{addLayer(words, at, element), 0};
        }
    }

    Port reference(std::string_view word)
    {
        const std::size_t output = word.rfind('#');
        const Node* node = m_graph.findByName(word.substr(1, output == std::string_view::npos ? output : output - 1));
        if (!node) fail("no earlier layer", word);
        return {node->id, output == std::string_view::npos ? 0 : std::stoi(std::string(word.substr(output + 1)))};
    }

    NodeId addLayer(const std::vector<std::string_view>& words, Port source, std::string_view element)
    {
        const std::size_t colon = words[0].find(':');
        const OpDef& op = opNamed(words[0].substr(0, colon));
        const std::string name(colon == std::string_view::npos ? words[0] : words[0].substr(colon + 1));
        Node node = makeNode(op.kind, m_graph.uniqueName(name));
        if (source.node != kNoNode) node.inputs.push_back(source);
        if (op.opClass == OpClass::GlobalPooling && op.attr("output_size")) node.attrs.set("output_size", Ints{1, 1});
        bool same = false;
        for (std::size_t i = 1; i < words.size(); ++i) {
            if (words[i][0] == '@') node.inputs.push_back(reference(words[i]));
            else if (words[i] == "p=same") same = true;
            else if (op.opClass == OpClass::Input && i == 1) setShape(node, words[i]);
            else setAttribute(node, op, words[i], element);
        }
        if (same) padSame(node);
        return m_graph.add(std::move(node));
    }

    static void setShape(Node& node, std::string_view text)
    {
        Ints shape = numbers(text);
        if (shape.size() == 3) shape.insert(shape.begin(), 1);
        node.attrs.set("shape", shape);
    }

    static void setAttribute(Node& node, const OpDef& op, std::string_view word, std::string_view element)
    {
        const std::size_t equals = word.find('=');
        if (equals == std::string_view::npos) fail("no value for '" + std::string(word) + "'", element);
        const std::string value(word.substr(equals + 1));
        if (word.substr(0, equals) == "group") {
            node.group = value;
            return;
        }
        const std::string name = fullName(op, word.substr(0, equals));
        const AttrDef* attr = op.attr(name);
        if (!attr) fail(std::string(op.kind) + " has no attribute '" + name + "'", element);
        node.attrs.set(name, parsed(*attr, value));
        // PyTorch's poolings step by their kernel where no stride is given.
        if (name == "kernel_size" && op.opClass == OpClass::Pooling) node.attrs.set("stride", *node.attrs.find(name));
    }

    void addOutputs()
    {
        std::set<NodeId> read;
        for (const auto& node : m_graph.nodes())
            for (const Port& port : node->inputs) read.insert(port.node);
        std::vector<GraphOutput> outputs;
        for (const auto& node : m_graph.nodes())
            if (!read.contains(node->id)) outputs.push_back({node->name, {node->id, 0}});
        m_graph.setOutputs(std::move(outputs));
    }

    Graph m_graph;
};

}  // namespace

Graph graphOf(std::string_view text) { return Reader().read(text); }

const Node& layer(const Graph& graph, std::string_view name)
{
    if (const Node* node = graph.findByName(name)) return *node;
    fail("no such layer", name);
}

}  // namespace fovea::test
