// What operators are in opsets that lack them, in nodes that those have. Each gives the newest form where the opset has
// it, so layers need not ask. `out`: the value to make; empty: a fresh one. All return its name.
#pragma once

#include "core/base/rational.h"
#include "core/ops/onnx_form.h"

#include <array>
#include <string>
#include <vector>

namespace fovea {

using OnnxNames = std::vector<std::string>;

std::string emitErf(OnnxWriter& writer, const std::string& value, OnnxNames out = {});
std::string emitSign(OnnxWriter& writer, const std::string& value, OnnxNames out = {});
std::string emitRound(OnnxWriter& writer, const std::string& value, OnnxNames out = {});
std::string emitCelu(OnnxWriter& writer, const std::string& value, double alpha, OnnxNames out = {});
std::string emitThresholdedRelu(OnnxWriter& writer, const std::string& value, double threshold, OnnxNames out = {});
// `type`: Max or Min, of two or more values. `broadcast`: their shapes may differ.
std::string emitExtreme(OnnxWriter& writer, const char* type, const OnnxNames& values, bool broadcast, OnnxNames out = {});
std::string emitClip(OnnxWriter& writer, const std::string& value, double low, double high, OnnxNames out = {});
// `type`: Softmax or LogSoftmax, of the layer's input.
std::string emitSoftmax(OnnxWriter& writer, const char* type, std::int64_t dim, OnnxNames out = {});
// `type`: ReduceMean, ... `axes` from the front or the back.
std::string emitReduce(OnnxWriter& writer, const char* type, const std::string& value, Ints axes, bool keepDims,
                       OnnxNames out = {});
// `pads` of all dimensions, first the beginnings.
std::string emitPad(OnnxWriter& writer, const std::string& value, const Ints& pads, const std::string& mode,
                    double filler, OnnxNames out = {});

// Slices of the layer's input, one per entry of `dims`.
struct OnnxSlices {
    Ints starts, ends, dims, steps;
};
std::string emitSlice(OnnxWriter& writer, const OnnxSlices& slices, OnnxNames out = {});
// Positions `from` .. `to` - 1 of one dimension of a value.
std::string emitPart(OnnxWriter& writer, const std::string& value, std::int64_t axis, std::int64_t from, std::int64_t to);

// DepthToSpace of the layer's input in PyTorch's order of channels (`crd`) or the other.
std::string emitDepthToSpace(OnnxWriter& writer, std::int64_t block, bool crd, OnnxNames out = {});

// A pooling of the layer's input. `type`: MaxPool or AveragePool; `attrs` as in the newest form.
std::string emitPool(OnnxWriter& writer, const char* type, OnnxAttrs attrs, OnnxNames out = {});

// A resize of the layer's input along height and width, to the output that the layer has.
struct OnnxResize {
    std::string mode, coordinates, nearest;  // ONNX's words
    double cubicA = -0.75;
    bool quotient = false;  // nearest: floor(u / scale), which asymmetric coordinates are only by their definition
    std::array<Rational, 2> scale;  // of height and width; where `toSize`, what they come to
    bool toSize = false;            // sizes are stated, and the scales are not exact
};
// In nodes of opsets before 11, whose own operators know less.
std::string emitOlderResize(OnnxWriter& writer, const OnnxResize& resize, OnnxNames out = {});

// Means or maxima of `size` regions along each of height and width, as adaptive pooling takes them, at the present size.
std::string emitRegionMeans(OnnxWriter& writer, const std::array<std::int64_t, 2>& size, OnnxNames out = {});
std::string emitRegionMaxima(OnnxWriter& writer, const std::array<std::int64_t, 2>& size, OnnxNames out = {});

}  // namespace fovea
