#include "core/graph/first_image.h"

#include <algorithm>

namespace fovea {

namespace {

constexpr const char* kSymbols = "symbols";

}  // namespace

const Node* firstImage(const Graph& graph)
{
    for (const auto& node : graph.nodes())
        if (node->kind == "Input" && imageDims(*node)) return node.get();
    return nullptr;
}

std::optional<ImageDims> imageDims(const Node& input)
{
    const Ints* shape = input.attrs.getInts("shape");
    return shape && shape->size() == 4 ? std::optional(ImageDims{2, 3}) : std::nullopt;
}

std::vector<std::string> symbolsOf(const Node& input)
{
    const Ints* shape = input.attrs.getInts("shape");
    if (!shape || !input.attrs.has(kSymbols)) return {};
    const std::string text = input.attrs.getText(kSymbols);
    std::vector<std::string> out(shape->size());
    std::size_t from = 0;
    for (std::string& symbol : out) {
        const std::size_t to = std::min(text.find(',', from), text.size());
        symbol = text.substr(from, to - from);
        from = std::min(to + 1, text.size());
    }
    return out;
}

void setSymbols(Node& input, const std::vector<std::string>& symbols)
{
    std::string text;
    for (std::size_t i = 0; i < symbols.size(); ++i) {
        std::string symbol = symbols[i];
        std::replace(symbol.begin(), symbol.end(), ',', ';');
        text += (i > 0 ? "," : "") + symbol;
    }
    input.attrs.set(kSymbols, text);
}

}  // namespace fovea
