#include "core/io/onnx/order.h"

#include "core/base/error.h"

#include <algorithm>
#include <queue>
#include <set>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace fovea {

namespace {

void collect(const onnx::GraphProto& graph, std::set<std::string> defined, std::set<std::string>& reads)
{
    for (const auto& input : graph.input()) defined.insert(input.name());
    for (const auto& tensor : graph.initializer()) defined.insert(tensor.name());
    for (const auto& node : graph.node()) {
        for (const std::string& name : node.input())
            if (!name.empty() && !defined.contains(name)) reads.insert(name);
        for (const auto& attribute : node.attribute()) {
            if (attribute.has_g()) collect(attribute.g(), defined, reads);
            for (const auto& inner : attribute.graphs()) collect(inner, defined, reads);
        }
        for (const std::string& name : node.output()) defined.insert(name);
    }
    for (const auto& output : graph.output())
        if (!defined.contains(output.name())) reads.insert(output.name());
}

std::string describe(const onnx::NodeProto& node) { return node.name().empty() ? "a " + node.op_type() + " node" : "node '" + node.name() + "'"; }

}  // namespace

std::vector<std::string> outerReads(const onnx::NodeProto& node)
{
    std::set<std::string> reads;
    for (const auto& attribute : node.attribute()) {
        if (attribute.has_g()) collect(attribute.g(), {}, reads);
        for (const auto& inner : attribute.graphs()) collect(inner, {}, reads);
    }
    return {reads.begin(), reads.end()};
}

std::vector<const onnx::NodeProto*> executionOrder(const onnx::GraphProto& graph)
{
    std::unordered_set<std::string_view> given, tensors;
    for (const auto& input : graph.input())
        if (!given.insert(input.name()).second) throw Error(ErrorCode::Format, "Two inputs are called '" + input.name() + "'.");
    for (const auto& tensor : graph.initializer())
        if (!tensors.insert(tensor.name()).second) throw Error(ErrorCode::Format, "Two weights are called '" + tensor.name() + "'.");
    given.insert(tensors.begin(), tensors.end());
    for (const auto& tensor : graph.sparse_initializer()) given.insert(tensor.values().name());
    std::unordered_map<std::string_view, int> makers;
    for (int i = 0; i < graph.node_size(); ++i)
        for (const std::string& name : graph.node(i).output()) {
            if (name.empty()) continue;
            if (given.contains(name) || !makers.emplace(name, i).second)
                throw Error(ErrorCode::Format, "The value '" + name + "' is made twice, the second time by " + describe(graph.node(i)) + ".");
        }

    const auto count = static_cast<std::size_t>(graph.node_size());
    std::vector<std::vector<int>> readers(count);
    std::vector<int> waiting(count, 0);
    for (int i = 0; i < graph.node_size(); ++i) {
        const auto read = [&](const std::string& name) {
            if (name.empty() || given.contains(name)) return;
            const auto maker = makers.find(name);
            if (maker == makers.end()) throw Error(ErrorCode::Format, "Nothing makes the value '" + name + "', which " + describe(graph.node(i)) + " reads.");
            readers[static_cast<std::size_t>(maker->second)].push_back(i);
            ++waiting[static_cast<std::size_t>(i)];
        };
        for (const std::string& name : graph.node(i).input()) read(name);
        for (const std::string& name : outerReads(graph.node(i))) read(name);
    }
    std::priority_queue<int, std::vector<int>, std::greater<>> ready;
    for (int i = 0; i < graph.node_size(); ++i)
        if (waiting[static_cast<std::size_t>(i)] == 0) ready.push(i);
    std::vector<const onnx::NodeProto*> order;
    while (!ready.empty()) {
        const int index = ready.top();
        ready.pop();
        order.push_back(&graph.node(index));
        for (const int reader : readers[static_cast<std::size_t>(index)])
            if (--waiting[static_cast<std::size_t>(reader)] == 0) ready.push(reader);
    }
    if (order.size() < count) {
        for (int i = 0; i < graph.node_size(); ++i)
            if (waiting[static_cast<std::size_t>(i)] > 0)
                throw Error(ErrorCode::Format, "The network feeds itself: " + describe(graph.node(i)) + " is part of a cycle.");
    }
    return order;
}

}  // namespace fovea
