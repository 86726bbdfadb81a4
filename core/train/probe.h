// Measured productivity: how well a linear classifier tells the classes apart from each layer's output.
#pragma once

#include "core/train/trainer.h"

namespace fovea {

// A logistic regression on each layer's output, averaged over height and width and standardised (Alain and Bengio
// 2016; Richter et al., arXiv 2106.12307, section 3). Layers that nobody named: convolutions, poolings and linear ones.
ProbeReply probe(const TrainStart& start, const ProbeRequest& request, const JobWatch& watch);
// Features of at most so many bytes are kept at once, a gibibyte in probe(): for more layers the images are gone
// through several times.
ProbeReply probeWithin(std::int64_t bytes, const TrainStart& start, const ProbeRequest& request, const JobWatch& watch);

}  // namespace fovea
