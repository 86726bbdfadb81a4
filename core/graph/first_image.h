// The image that a network reads, before anything is known of its shapes.
#pragma once

#include "core/graph/graph.h"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

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

// Which dimensions of an input's "shape" are the height and the width of an image; nullopt where it is none.
struct ImageDims {
    std::size_t h = 0, w = 0;
};
std::optional<ImageDims> imageDims(const Node& input);

// What the file calls the sizes of an input that it leaves open, one entry per dimension: empty where it states a
// number, kUnnamed where it says nothing. No entries: every size is a number.
inline constexpr const char* kUnnamed = "?";
std::vector<std::string> symbolsOf(const Node& input);
void setSymbols(Node& input, const std::vector<std::string>& symbols);

}  // namespace fovea
