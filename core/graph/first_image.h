// The image that a network reads, before anything is known of its shapes.
#pragma once

#include "core/graph/graph.h"

namespace fovea {

// Which dimension of an input carries what, by its "layout", a letter for each dimension; NCHW for rank 4 where it is
// empty. An input of another rank, or one that is not used as an image ("????"), has no height and width.
Layout inputLayout(const Node& input);

// Whether the input is an image: of known height and width.
bool isImage(const Node& input);

// [n, c, h, w] of an image, whatever the order of its dimensions; a batch that it lacks reads 1.
Shape imageShape(const Node& input);

// The first image among the inputs; null: there is none.
const Node* firstImage(const Graph& graph);

}  // namespace fovea
