// The classifier at the end of a network: what training needs to know of it, and another number of classes.
#pragma once

#include "core/graph/graph.h"

#include <optional>
#include <string>
#include <vector>

namespace fovea {

struct Classifier {
    std::string output;  // of the graph
    Port logits;         // before a softmax at the end, where there is one: [N, classes] or [N, classes, 1, 1]
    std::int64_t classes = 0;
    NodeId layer = kNoNode;  // the Linear or Conv2d that makes one channel a class; none where it is not plain
};

// Of the first output that has one; nullopt for other networks, dense prediction among them.
std::optional<Classifier> classifierOf(const Graph& graph);

// The same, of a network that labelled images can be given to. Error(Usage) where there is none: it has no image input or
// reads another input beside it, it has no classifier, or something in it does not fit.
Classifier classifierIn(const Graph& graph);

// The same network with another number of classes. `fresh` receives the names of the tensors that no longer fit, whose
// values have to be new ones. Error(Usage) where the network has no classifier whose size can be set.
Graph withClasses(Graph graph, std::int64_t classes, std::vector<std::string>* fresh = nullptr);

}  // namespace fovea
