#include "core/graph/first_image.h"

namespace fovea {

const Node* firstImage(const Graph& graph)
{
    for (const auto& node : graph.nodes())
        if (const Ints* shape = node->kind == "Input" ? node->attrs.getInts("shape") : nullptr;
            shape && shape->size() == 4)
            return node.get();
    return nullptr;
}

}  // namespace fovea
