// What a run has made, in a form that can become the document's.
#pragma once

#include "app/studio/document/document.h"
#include "core/recipe/run_folder.h"

namespace fovea::studio {

struct TrainedNetwork {
    Network network;
    std::size_t tensors = 0;  // that the run has trained
    QString error;            // empty: it is there
};

// The graph of the run with its best weights. Layers that `now` has too keep what their file said of them, and
// tensors that no layer trains keep their values. For other threads than the window's.
TrainedNetwork trainedNetwork(const RunFolder& folder, const Network& now);

}  // namespace fovea::studio
