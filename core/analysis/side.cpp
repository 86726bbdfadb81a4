// The side of the image: which inputs it is set in, and what becomes of the sizes that the file leaves open.
#include "core/analysis/report.h"
#include "core/graph/first_image.h"

#include <algorithm>

namespace fovea {

namespace {

// Error(Usage) where one symbol stands for both sides, which would then be two numbers.
void refuseTwoNumbers(const std::vector<std::string>& symbols, const ImageDims& dims, std::int64_t height,
                      std::int64_t width)
{
    if (symbols.empty() || height == width) return;
    const std::string& symbol = symbols[dims.h];
    if (symbol.empty() || symbol == kUnnamed || symbol != symbols[dims.w]) return;
    throw Error(ErrorCode::Usage, "The network's input calls both its height and its width '" + symbol +
                                      "', so they are one number, but the size is " + std::to_string(height) + "x" +
                                      std::to_string(width) + ". Choose a square size.");
}

// A size as the file declares it: its symbol, else the number.
std::string declared(const Node& input, std::size_t dim)
{
    const std::vector<std::string> symbols = symbolsOf(input);
    return symbols.empty() || symbols[dim].empty() ? std::to_string((*input.attrs.getInts("shape"))[dim])
                                                   : "symbol " + symbols[dim];
}

bool declaresTheSame(const Node& a, const Node& b)
{
    const auto first = imageDims(a), second = imageDims(b);
    return first && second && declared(a, first->h) == declared(b, second->h) &&
           declared(a, first->w) == declared(b, second->w);
}

void setSide(Graph& graph, const Node& input, std::int64_t height, std::int64_t width, SideUse use)
{
    const ImageDims dims = *imageDims(input);
    Ints shape = *input.attrs.getInts("shape");
    std::vector<std::string> symbols = symbolsOf(input);
    shape[dims.h] = height;
    shape[dims.w] = width;
    const bool states = use == SideUse::Written && !symbols.empty();
    if (states) symbols[dims.h] = symbols[dims.w] = "";
    if (shape == *input.attrs.getInts("shape") && (!states || symbols == symbolsOf(input))) return;
    graph.update(input.id, [&](Node& edited) {
        edited.attrs.set("shape", shape);
        if (states) setSymbols(edited, symbols);
    });
}

}  // namespace

Graph withSide(const Graph& graph, std::int64_t height, std::int64_t width, const std::string& input, SideUse use)
{
    const Node* image = imageInput(graph, input);
    const auto dims = image ? imageDims(*image) : std::nullopt;
    if (!dims) throw Error(ErrorCode::Usage, "The network has no image input (NxCxHxW), so it has no side to set.");
    for (const std::int64_t side : {height, width})
        if (side < 1 || side > 1'000'000)
            throw Error(ErrorCode::Usage, "A side must be between 1 and 1000000 pixels, got " + std::to_string(side) + ".");
    refuseTwoNumbers(symbolsOf(*image), *dims, height, width);
    Graph out = graph;
    for (const auto& node : graph.nodes())
        if (node->kind == "Input" && (node.get() == image || declaresTheSame(*image, *node)))
            setSide(out, *node, height, width, use);
    std::vector<Issue> notes;
    for (const Issue& note : graph.notes())
        if (note.code != "size-assumed") notes.push_back(note);
    out.setNotes(std::move(notes));
    return out;
}

std::vector<std::string> statedSymbols(const Graph& before, const Graph& after)
{
    std::vector<std::string> out;
    for (const auto& node : before.nodes()) {
        const Node* now = node->kind == "Input" ? after.find(node->id) : nullptr;
        if (!now) continue;
        const std::vector<std::string> old = symbolsOf(*node), fresh = symbolsOf(*now);
        for (std::size_t i = 0; i < old.size() && i < fresh.size(); ++i)
            if (!old[i].empty() && fresh[i].empty() && std::find(out.begin(), out.end(), old[i]) == out.end())
                out.push_back(old[i]);
    }
    return out;
}

}  // namespace fovea
