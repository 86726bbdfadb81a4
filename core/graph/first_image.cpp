#include "core/graph/first_image.h"

#include <algorithm>

namespace fovea {

Layout inputLayout(const Node& input)
{
    const Ints* shape = input.attrs.getInts("shape");
    const int rank = shape ? static_cast<int>(shape->size()) : 0;
    const std::string text = input.attrs.getText("layout");
    if (static_cast<int>(text.size()) != rank) return rank == 4 ? kNchw : rank >= 2 ? Layout{1, -1, -1} : Layout{};
    Layout out{-1, -1, -1, -1};
    for (std::int8_t i = 0; i < rank; ++i) {
        switch (text[static_cast<std::size_t>(i)]) {
        case 'N': out.n = i; break;
        case 'C': out.c = i; break;
        case 'H': out.h = i; break;
        case 'W': out.w = i; break;
        default: break;
        }
    }
    return out;
}

bool isImage(const Node& input)
{
    if (input.kind != "Input") return false;
    const Layout layout = inputLayout(input);
    return layout.h >= 0 && layout.w >= 0;
}

Shape imageShape(const Node& input)
{
    const Ints* shape = input.attrs.getInts("shape");
    const Layout layout = inputLayout(input);
    const auto at = [&](int dimension) { return dimension >= 0 && shape ? (*shape)[static_cast<std::size_t>(dimension)] : 1; };
    return {at(layout.n), at(layout.c), at(layout.h), at(layout.w)};
}
namespace {

constexpr const char* kSymbols = "symbols";

}  // namespace

const Node* firstImage(const Graph& graph)
{
    for (const auto& node : graph.nodes())
        if (isImage(*node)) return node.get();
    return nullptr;
}

std::optional<ImageDims> imageDims(const Node& input)
{
    if (!isImage(input)) return std::nullopt;
    const Layout layout = inputLayout(input);
    return ImageDims{static_cast<std::size_t>(layout.h), static_cast<std::size_t>(layout.w)};
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
