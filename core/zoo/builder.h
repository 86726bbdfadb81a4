// Writes networks as their papers' tables: one call a layer, names as PyTorch's module paths.
#pragma once

#include "core/graph/graph.h"

#include <initializer_list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace fovea::zoo {

// One number for both axes, or [h, w].
struct Pair {
    std::int64_t h = 1, w = 1;
    Pair(std::int64_t both) : h(both), w(both) {}
    Pair(std::int64_t height, std::int64_t width) : h(height), w(width) {}
    bool operator==(const Pair&) const = default;
    Ints ints() const { return {h, w}; }
};

inline const Pair kSame{-1};

struct Conv {
    std::int64_t out = 1;
    Pair kernel = 3;
    Pair stride = 1;
    Pair padding = kSame;  // kSame: (kernel - 1) * dilation / 2 on every side
    Pair dilation = 1;
    std::int64_t groups = 1;
    bool bias = false;
};

struct Pool {
    Pair kernel = 2;
    Pair stride = 2;
    Pair padding = 0;
    bool ceilMode = false;
    bool countIncludePad = true;  // averages only
    Pair paddingEnd = kSame;      // kSame: as at the beginning
};

// Builds a graph layer by layer in execution order, in time linear in the number of layers. Names are
// relative to the open scopes; a name that is taken becomes "relu_1", "relu_2", as torch.fx has it.
// Tensors are bound to "MODULE.PATH.role", the keys of PyTorch's state_dict.
class Builder {
public:
    explicit Builder(std::string networkName);

    // Prefixes every name with "path." while it lives.
    class Scope {
    public:
        Scope(Builder& builder, std::string_view path);
        ~Scope();
        Scope(const Scope&) = delete;
        Scope& operator=(const Scope&) = delete;

    private:
        Builder& m_builder;
        std::size_t m_length;
    };
    Scope scope(std::string_view path) { return Scope(*this, path); }
    Scope scope(std::size_t index) { return Scope(*this, std::to_string(index)); }

    using Attrs = std::initializer_list<std::pair<const char*, AttrValue>>;
    // Any layer kind, with its defaults and `attrs` over them.
    Port add(std::string_view kind, std::string_view name, std::vector<Port> inputs, Attrs attrs = {});

    // Puts a layer that has the name of its module, such as a norm between the permutations around it, into that module's
    // group.
    Port inItsModule(Port layer);

    Port input(std::int64_t channels, Pair size, std::string_view name = "input");
    Port conv(Port in, std::string_view name, const Conv& conv);
    Port convTranspose(Port in, std::string_view name, const Conv& conv);  // `padding` as given, not kSame
    Port batchNorm(Port in, std::string_view name);
    // What batch normalisations from here on have; 1e-5 and 0.1 unless set.
    void setNorm(double eps, double momentum = 0.1);
    // A layer without settings, such as "SiLU".
    Port activation(Port in, std::string_view name, std::string_view kind) { return add(kind, name, {in}); }
    Port relu(Port in, std::string_view name = "relu");
    Port maxPool(Port in, std::string_view name, const Pool& pool);
    Port avgPool(Port in, std::string_view name, const Pool& pool);
    Port adaptiveAvgPool(Port in, std::string_view name, Pair outputSize);
    Port linear(Port in, std::string_view name, std::int64_t outFeatures, bool bias = true);
    Port dropout(Port in, std::string_view name, double p = 0.5);
    Port flatten(Port in, std::string_view name = "flatten");
    Port sum(Port a, Port b, std::string_view name = "add");
    Port product(Port a, Port b, std::string_view name = "mul");
    // Product with a learned tensor of `dims`, "PATH.tensor", whose elements start as `initial`.
    Port scale(Port in, std::string_view name, std::string_view tensor, Ints dims, double initial);
    Port concat(std::vector<Port> parts, std::string_view name = "cat", std::int64_t dim = 1);
    // Mean over height and width, which go.
    Port mean(Port in, std::string_view name = "mean");
    // Bilinear or nearest, as PyTorch's interpolate, to the height and width of `like`.
    Port resizeLike(Port in, Port like, const char* mode, std::string_view name = "interpolate");

    // Average over the whole map, flatten, and a linear layer: the head of most classifiers.
    Port classifier(Port in, std::string_view pool, std::string_view linearName, std::int64_t classes);

    void output(Port port, std::string name = "output");
    bool hasOutputs() const { return !m_outputs.empty(); }
    Graph finish();

private:
    std::string fullName(std::string_view name);
    Port insert(Node node, Attrs attrs);

    Graph m_graph;
    std::vector<GraphOutput> m_outputs;
    std::string m_prefix;  // open scopes, with the closing dot
    std::unordered_map<std::string, int> m_used;
    NodeId m_next = 1;
    double m_eps = 1e-5, m_momentum = 0.1;
};

}  // namespace fovea::zoo
