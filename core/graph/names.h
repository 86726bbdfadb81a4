// Names of layers as people read them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fovea {

// The modules that a layer stands in, outermost first: "layer1.0", "conv1" for PyTorch's ONNX name
// "/layer1/layer1.0/conv1/Conv". Modules that the next one repeats are left out, and so is the operator at the
// end, which the layer's kind says; a number there tells calls apart and stays. Other names are one part.
std::vector<std::string> nameParts(std::string_view name);
// The same, joined as PyTorch writes it: "layer1.0.conv1".
std::string moduleName(std::string_view name);

// The first ten of a list in a sentence, and how many more there are: "a, b, and 3 more".
std::string firstNames(const std::vector<std::string>& names);

// The innermost group that holds both: "layer1.0" for "layer1.0" and "layer1.0.downsample"; empty: none.
std::string commonGroup(std::string_view a, std::string_view b);

}  // namespace fovea
