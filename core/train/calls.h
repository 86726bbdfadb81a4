// Runs one PyTorch call of core/ops/torch_form.h. Private to this room.
#pragma once

#include "core/ops/torch_form.h"

#include <ATen/ATen.h>

#include <map>
#include <string>
#include <vector>

namespace fovea {

// What a call works on: the maps on its inputs, and its layer's tensors by role.
struct CallInputs {
    const std::vector<at::Tensor>& in;
    const std::map<std::string, at::Tensor>& tensors;
    bool training = false;

    const at::Tensor& x() const { return in.at(0); }
    at::Tensor tensor(const char* role) const;  // undefined where the layer has none
};

// All outputs. While training, norms take the statistics of the batch and move their own, and dropout drops. Throws
// c10::Error.
std::vector<at::Tensor> runCall(const TorchCall& call, const CallInputs& inputs);
// The same in RunMode::Support.
std::vector<at::Tensor> runSupportCall(const TorchCall& call, const CallInputs& inputs);

// Families of calls. Shapes as PyTorch's functions of the same name.
at::Tensor convolution(const TorchCall& call, const CallInputs& inputs, int axes);
at::Tensor transposedConvolution(const TorchCall& call, const CallInputs& inputs);
at::Tensor maxPool(const TorchCall& call, const at::Tensor& x, int axes);
std::vector<at::Tensor> maxPoolWithIndices(const TorchCall& call, const at::Tensor& x);
at::Tensor maxUnpool(const TorchCall& call, const CallInputs& inputs);
at::Tensor averagePool(const TorchCall& call, const at::Tensor& x, int axes);
at::Tensor sumPool(const TorchCall& call, const at::Tensor& x, int axes);  // the windows of a max pooling, summed
at::Tensor sumUnpool(const TorchCall& call, const CallInputs& inputs);     // the same of what restores its map
at::Tensor adaptivePool(const TorchCall& call, const at::Tensor& x, bool average);

// `equalTaps`: every unit that an output unit reads counts alike, also where its weight is 0.
at::Tensor interpolate(const TorchCall& call, const at::Tensor& x, bool equalTaps);

at::Tensor lpPool(const TorchCall& call, const at::Tensor& x);

at::Tensor chosen(const CallInputs& inputs);                                     // Where
at::Tensor functionOf(const std::string& name, const at::Tensor& x);             // torch's function of that name
at::Tensor castTo(std::int64_t onnxType, const at::Tensor& x);                   // whole numbers stay in x's type
at::Tensor combine(const TorchCall& call, const CallInputs& inputs);             // Add ... Mod
at::Tensor reduce(const TorchCall& call, const at::Tensor& x);                   // Mean ... SumSquare
std::vector<at::Tensor> alongAxis(const TorchCall& call, const at::Tensor& x);   // ArgMax ... Normalize
at::Tensor einsum(const TorchCall& call, const CallInputs& inputs);
at::Tensor normalise(const TorchCall& call, const CallInputs& inputs);           // BatchNorm2d ... LocalResponseNorm
std::vector<std::int64_t> dimsFrom(const TorchCall& call, const at::Tensor& x);  // "axis" to the last

at::Tensor reshaped(const TorchCall& call, const at::Tensor& x);  // Flatten ... Select, the shuffles
at::Tensor padded(const TorchCall& call, const at::Tensor& x);
std::vector<at::Tensor> splitUp(const TorchCall& call, const at::Tensor& x);

}  // namespace fovea
