#include "core/io/onnx/written_sizes.h"

#include "core/graph/first_image.h"

namespace fovea {

OpenSizes openSizes(const Prepared& graph, const std::vector<Value>& values)
{
    OpenSizes open;
    for (const auto& entry : graph.entries) {
        if (entry.op->opClass != OpClass::Input) continue;
        const std::vector<std::string> symbols = symbolsOf(*entry.node);
        const Layout& layout = values[entry.firstOutput].layout;
        for (std::size_t i = 0; i < symbols.size(); ++i) {
            if (symbols[i].empty()) continue;
            const auto dim = static_cast<int>(i);
            if (dim == 0) open.batch = true;
            if (dim > 0 && dim != layout.w) open.height = true;
            if (dim > 0 && dim != layout.h) open.width = true;
        }
    }
    return open;
}

WrittenSizes::WrittenSizes(const Graph& graph, const Prepared& prepared, const std::vector<Value>& values)
    : m_values(values)
{
    if (!openSizes(prepared, values).any()) return;
    Graph other = graph;
    for (const auto& node : graph.nodes()) {
        const std::vector<std::string> symbols = node->kind == "Input" ? symbolsOf(*node) : std::vector<std::string>{};
        Ints shape = symbols.empty() ? Ints{} : *node->attrs.getInts("shape");
        for (std::size_t i = 0; i < symbols.size(); ++i) {
            if (symbols[i].empty()) continue;
            const std::int64_t now = shape[i];
            shape[i] = saturatingMul(now, 2);  // what halves a side at every stage still fits
            if (symbols[i] != kUnnamed) m_symbols.emplace(symbols[i], Sizes{now, shape[i]});
        }
        if (!symbols.empty()) other.update(node->id, [&](Node& edited) { edited.attrs.set("shape", shape); });
    }
    std::vector<Issue> ignored;  // what has no size there is left open
    m_others = inferShapes(prepare(other), ignored);
}

WrittenSizes::Sizes WrittenSizes::sizesOf(std::size_t value, int dim) const
{
    const Shape& now = m_values[value].shape;
    if (m_others.empty()) return {now[dim], now[dim]};
    const Shape& other = m_others[value].shape;
    return {now[dim], dim < other.rank() ? other[dim] : kUnknown};
}

bool WrittenSizes::isTrue(const std::string& symbol, const Sizes& sizes)
{
    return m_symbols.emplace(symbol, sizes).first->second == sizes;
}

void WrittenSizes::set(onnx::TensorShapeProto& shape, std::size_t value, const onnx::TensorShapeProto& given)
{
    shape.Clear();
    const int rank = m_values[value].shape.rank();
    for (int dim = 0; dim < rank; ++dim) {
        auto* to = shape.add_dim();
        const Sizes sizes = sizesOf(value, dim);
        const std::string symbol = given.dim_size() == rank ? given.dim(dim).dim_param() : std::string();
        if (sizes.first >= 0 && sizes.first == sizes.second) to->set_dim_value(sizes.first);
        else if (!symbol.empty() && isTrue(symbol, sizes)) to->set_dim_param(symbol);
    }
}

}  // namespace fovea
