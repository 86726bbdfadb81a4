// One PyTorch call of core/ops/torch_form.h as Python. Private to this room. Computes what core/train runs.
#pragma once

#include "core/io/pytorch/layout.h"

#include <set>
#include <string>
#include <vector>

namespace fovea {

// The torch.nn module that does the whole call, such as "nn.Conv2d(3, 64, kernel_size=7)"; empty where there is none.
// Its parameters are the call's tensors, under the names of their roles.
std::string moduleFor(const TorchLayer& layer);

// Functions of python_helpers.h that a file needs.
enum class TorchHelper { FitToWindows, MaxPoolWithIndices, MaxUnpool, AveragePool, ResizePosition, Resize, ResizeAntialiased, DepthToSpace, SpaceToDepth, ChannelShuffle };

struct PythonCall {
    std::string text;  // an expression; of a tuple where the layer has several outputs
    std::set<TorchHelper> helpers;
};

// The call on Python variables. `inputs` hold further ones too, which only tell a size.
PythonCall callOf(const TorchLayer& layer, const std::vector<std::string>& inputs);

const char* sourceOf(TorchHelper helper);

}  // namespace fovea
