#include "core/graph/first_image.h"

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

const Node* firstImage(const Graph& graph)
{
    for (const auto& node : graph.nodes())
        if (isImage(*node)) return node.get();
    return nullptr;
}

}  // namespace fovea
