// Tensors by name beside a graph, and what happens to each when a graph is changed.
#pragma once

#include "core/graph/graph.h"
#include "core/graph/tensor.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace fovea {

// Tensors by name. A value: copies share the bytes. Never changed by editing a network: what a layer needs
// is derived from the tensor of its name when it is written (see fit()), so undo costs nothing.
class Weights {
public:
    const Tensor* find(const std::string& name) const;
    void set(const std::string& name, Tensor tensor);
    bool empty() const { return m_tensors.empty(); }
    const std::map<std::string, Tensor>& tensors() const { return m_tensors; }

private:
    std::map<std::string, Tensor> m_tensors;
};

// The same but for the tensors of these names.
Weights without(const Weights& weights, const std::vector<std::string>& names);

// What becomes of a tensor when it goes into a layer:
// copied: as it is; sliced: a centred part of the kernel, or the first channels; padded: the old values with what
// leaves the function as it was around them (see fit()), or a new layer that starts as the identity or at zero;
// fresh: nothing to start from (initialised as PyTorch does); dropped: no layer asks for it.
enum class Transfer { Copied, Sliced, Padded, Fresh, Dropped };
inline constexpr int kTransferCount = 5;
const char* toString(Transfer transfer);  // "copied", "sliced", "padded", "new", "dropped"

struct TransferRow {
    std::string tensor;
    std::string layer;
    Transfer action = Transfer::Copied;
    Ints from, to;  // dims; empty where there is none
    std::int64_t parameters = 0;  // that it had
};

struct TransferPlan {
    struct Total {
        std::int64_t tensors = 0, parameters = 0;
        bool operator==(const Total&) const = default;
    };
    std::vector<TransferRow> rows;  // of tensors that are not copied as they are; most are
    Total totals[kTransferCount];
    std::int64_t before = 0;  // parameters of the network before
    const Total& total(Transfer transfer) const { return totals[static_cast<int>(transfer)]; }
    // The part of them that goes on as it was, 0 to 1: copied, or padded around.
    double kept() const;
};

// What the tensors of `before` become in `after`. Shapes come from the two graphs, so no weights are needed;
// a name is enough.
TransferPlan planTransfer(const Graph& before, const Graph& after);

// The same from one network to many others, with what concerns the first worked out once.
class TransferFrom {
public:
    // `stored`: its tensors, where they may have other shapes than `before` asks for, because it was edited since they
    // were made, or be of layers that it has lost; as materialise() will find them.
    explicit TransferFrom(const Graph& before, const Weights* stored = nullptr);
    ~TransferFrom();
    TransferPlan to(const Graph& after) const;

private:
    struct Owned;
    std::unique_ptr<const Owned> m_owned;
};

// What a network starts from when `stored` goes into it: as materialise() does it. Without any tensors all are new.
TransferPlan planStart(const Graph& graph, const Weights& stored);

// "copied 60 (11.69 M), padded 1 (9.41 k)": what becomes of the tensors; actions with none are left out.
std::string transferLine(const TransferPlan& plan);
// The same with a line for each tensor that is not copied, "    fc.weight: new, 10x512"; at most `most` of them.
std::string transferText(const TransferPlan& plan, std::size_t most = 20);

// The tensor of `dims` made from `source`: itself, a slice or a padded copy. Both of the same rank. A larger kernel
// and more input channels get zeros. More output channels get those of `start`, a tensor of `dims`, where there is
// one: what reads them starts at zero, so the function stays and yet they learn, which at zero on both sides they
// could not.
Tensor fit(const Tensor& source, const Ints& dims, const Tensor* start = nullptr);

// A tensor filled as PyTorch fills it, from `seed` and the tensor's name, so that order does not matter.
struct ParamSpec;
struct Node;
Tensor initialise(const ParamSpec& spec, const std::string& name, std::uint64_t seed);

// The values of one tensor of a layer, of spec.dims, which have to be known: those of `stored`, seen in other
// dimensions of the same content or fitted, else new ones. `fresh` receives the name where they are as random as
// PyTorch's.
Tensor valuesFor(const ParamSpec& spec, const std::string& name, const Node& layer, const Tensor* stored,
                 std::uint64_t seed, std::vector<std::string>* fresh);

// Every tensor that the graph's layers own, fitted or, where `weights` has none, initialised; `fresh`
// receives the names of the initialised ones.
Weights materialise(const Graph& graph, const Weights& weights, std::uint64_t seed,
                    std::vector<std::string>* fresh = nullptr);

}  // namespace fovea
