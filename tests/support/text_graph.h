// Small networks from text, for tests:
//
//   graphOf("input 3x32x32 > conv2d k=7 s=2 p=3 c=64 > relu")
//   graphOf("input 3x32x32 > conv2d:a k=3 p=1 c=8 > relu:b; @a > conv2d:c k=1 c=8 > add @b > gap > flatten > linear
//   c=10")
//
// Chains are separated by ';' or a new line and start at `input CxHxW` (or NxCxHxW) or at an earlier layer "@name".
// A layer is `kind[:name]` (any OpDef, whatever its case, with or without "2d"; also conv, bn, gap), then
// settings and "@name" for further inputs ("@name#1" for its second output). Settings are an attribute's own name or k (kernel_size), s (stride),
// p (padding; also p=same), d (dilation), c (out_channels or out_features), g (groups), ceil, and `group`.
// Lists are joined by x; one number fills a pair or all four sides, two numbers fill [top, left, bottom, right]
// as vertical x horizontal. Layers that nobody reads are the outputs, named as they are.
// Throws std::invalid_argument with the text that was not understood.
#pragma once

#include "core/graph/graph.h"

#include <string>
#include <string_view>

namespace fovea::test {

Graph graphOf(std::string_view text);

// The layer of that name; throws std::invalid_argument where there is none.
const Node& layer(const Graph& graph, std::string_view name);

}  // namespace fovea::test
