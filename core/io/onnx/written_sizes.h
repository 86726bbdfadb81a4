// Sizes of the outputs of a file: numbers where they are the same whatever the file leaves open, symbols where those of
// the file it came from are still true, open elsewhere.
#pragma once

#include "core/io/onnx/proto.h"
#include "core/ops/onnx_form.h"
#include "core/ops/registry.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace fovea {

// What the network's inputs leave open; `values` are those of `graph`.
OpenSizes openSizes(const Prepared& graph, const std::vector<Value>& values);

class WrittenSizes {
public:
    // `values` of `prepared`, which is `graph`.
    WrittenSizes(const Graph& graph, const Prepared& prepared, const std::vector<Value>& values);

    // Sets the shape of a value; `given`: what the file stated for an output of this name.
    void set(onnx::TensorShapeProto& shape, std::size_t value, const onnx::TensorShapeProto& given);

private:
    using Sizes = std::pair<std::int64_t, std::int64_t>;  // now, and where all that is open has another size

    Sizes sizesOf(std::size_t value, int dim) const;
    bool isTrue(const std::string& symbol, const Sizes& sizes);

    const std::vector<Value>& m_values;
    std::vector<Value> m_others;            // empty: nothing is open
    std::map<std::string, Sizes> m_symbols;  // what each stands for
};

}  // namespace fovea
