// What the engine is asked and answers, as values. A request's parameters and its reply each have a toJson and a
// reader that throws Error(Format) with the place; unknown members are ignored, so that older ends understand
// newer ones within one protocol.
#pragma once

#include "core/base/pixel_box.h"
#include "core/graph/graph.h"
#include "core/graph/tensor.h"
#include "core/io/json/json_reader.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fovea {

inline constexpr int kEngineProtocol = 1;

// "hello": who speaks. Refused where the protocols differ.
struct HelloRequest {
    static constexpr const char* kMethod = "hello";
    int protocol = kEngineProtocol;
};

struct HelloReply {
    struct Device {
        std::string name;         // "cpu", "cuda:0"
        std::int64_t memory = 0;  // bytes; 0: unknown
    };
    int protocol = kEngineProtocol;
    std::string fovea, libtorch;  // versions
    std::vector<Device> devices;
    std::string whyNoGpu;  // empty: there is one
};

// "load": replaces the network that the engine holds.
struct LoadRequest {
    static constexpr const char* kMethod = "load";
    // A tensor's bytes inside a file, little-endian and contiguous.
    struct Place {
        std::string name, file;
        std::int64_t offset = 0;
        DType dtype = DType::Float32;
        Ints dims;
    };
    Graph graph;
    std::optional<std::array<std::int64_t, 2>> size;  // [h, w] of the first image input
    std::vector<std::string> weights;                 // safetensors files; a later one wins
    std::vector<Place> tensors;                       // win over `weights`
    std::uint64_t seed = 0;                           // of tensors that are nowhere: initialised as PyTorch does
    bool support = false;  // positive weights and layers that pass on all they read (core/train/module.h)
    bool doublePrecision = false;
    std::string device = "cpu";
};

struct LoadReply {
    struct Input {
        std::string name;
        Ints shape;  // -1: unknown
    };
    std::vector<Input> inputs;
    std::vector<std::string> outputs;
    std::int64_t given = 0, initialised = 0;  // tensors
};

// "forward": runs the network once.
struct ForwardRequest {
    static constexpr const char* kMethod = "forward";
    std::string inputs;  // a safetensors file with a tensor for each input; empty: seeded noise in (0.5, 1.5)
    std::uint64_t seed = 0;
    std::string outputs;  // a safetensors file to write; empty: none
};

struct ForwardReply {
    struct Output {
        std::string name;
        Ints shape;
        double low = 0, high = 0, mean = 0;
    };
    std::vector<Output> outputs;
};

// "inputGradient": of one unit, summed over its channels, with respect to the image.
struct GradientRequest {
    static constexpr const char* kMethod = "inputGradient";
    std::string layer;
    std::optional<std::array<std::int64_t, 2>> unit;  // [y, x]; without it the middle of the map
    std::string inputs;                               // as in "forward"
    std::uint64_t seed = 0;
    std::string image;  // a safetensors file for the absolute gradient, "gradient" [h, w] F64; empty: none
};

struct GradientReply {
    std::array<std::int64_t, 2> unit{};
    std::optional<PixelBox> box;  // around every pixel whose gradient is not 0
};

// "shutdown": the reply is an empty object, and the engine ends.
inline constexpr const char* kShutdownMethod = "shutdown";

Json toJson(const HelloRequest&);
Json toJson(const HelloReply&);
Json toJson(const LoadRequest&);
Json toJson(const LoadReply&);
Json toJson(const ForwardRequest&);
Json toJson(const ForwardReply&);
Json toJson(const GradientRequest&);
Json toJson(const GradientReply&);

void read(const JsonAt& at, HelloRequest& out);
void read(const JsonAt& at, HelloReply& out);
void read(const JsonAt& at, LoadRequest& out);
void read(const JsonAt& at, LoadReply& out);
void read(const JsonAt& at, ForwardRequest& out);
void read(const JsonAt& at, ForwardReply& out);
void read(const JsonAt& at, GradientRequest& out);
void read(const JsonAt& at, GradientReply& out);

template <typename T>
T messageFrom(const Json& json)
{
    T out;
    read(JsonAt(json), out);
    return out;
}

}  // namespace fovea
