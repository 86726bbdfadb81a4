// Computes what a file makes of its tensors and of the sizes of its maps alone, so that it disappears from the
// network: shape arithmetic, weights behind a Cast or a normalisation, tables, grids.
#pragma once

#include "core/ops/onnx_form.h"

#include <optional>
#include <string_view>
#include <vector>

namespace fovea {

// One result. Its numbers are computed when something looks at them; its dimensions are there.
struct StaticValue {
    Tensor tensor;                  // at the declared size
    std::vector<SizeExpr> sizes;    // per element, where they follow sizes of maps; else empty
    std::vector<SizeExpr> lengths;  // per dimension, where these do; else empty
    bool uniform = false;           // every element is the same number
};

class Evaluator {
public:
    // What a node gives whose inputs are all constants, one value per output; nullopt where it cannot be told, is not
    // the same every time, or would be too large.
    std::optional<std::vector<StaticValue>> evaluate(const OnnxCall& call);

private:
    bool admit(std::vector<StaticValue>& values);

    std::int64_t m_promised = 0;  // bytes of everything evaluated, computed or not
    std::int64_t m_computed = 0;  // bytes computed to keep chains short
};

// Whether numbers of the file reach the result through input `arg` of a node of this type as numbers, rather than
// as positions, lengths, bounds or scales.
bool carriesNumbers(std::string_view type, std::size_t arg);

// Whether a node of this type gives elements of its inputs as they are, or stored in another type.
bool movesNumbers(std::string_view type);

// Every type of node that evaluate() follows.
std::vector<std::string_view> evaluatedTypes();

}  // namespace fovea
