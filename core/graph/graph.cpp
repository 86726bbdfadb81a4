#include "core/graph/graph.h"

#include <algorithm>
#include <atomic>
#include <queue>
#include <unordered_map>
#include <unordered_set>

namespace fovea {

const TensorBinding* Node::tensor(std::string_view role) const
{
    for (const TensorBinding& binding : tensors)
        if (binding.role == role) return &binding;
    return nullptr;
}

std::string Node::tensorName(std::string_view role) const
{
    const TensorBinding* binding = tensor(role);
    return binding ? binding->tensor : name + "." + std::string(role);
}

bool Node::sameAs(const Node& other) const
{
    return id == other.id && name == other.name && kind == other.kind && attrs == other.attrs &&
           inputs == other.inputs && group == other.group && tensors == other.tensors;
}

const std::vector<Graph::NodePtr>& Graph::nodes() const
{
    static const std::vector<NodePtr> none;
    return m_nodes ? *m_nodes : none;
}

std::vector<Graph::NodePtr>& Graph::ownNodes()
{
    if (!m_nodes) m_nodes = std::make_shared<std::vector<NodePtr>>();
    else if (m_nodes.use_count() > 1) m_nodes = std::make_shared<std::vector<NodePtr>>(*m_nodes);
    // Whoever shared the list a moment ago, on another thread, has read it before this writes it.
    else std::atomic_thread_fence(std::memory_order_acquire);
    return *m_nodes;
}

std::size_t Graph::slot(NodeId id) const
{
    const auto it = std::lower_bound(nodes().begin(), nodes().end(), id,
                                     [](const NodePtr& node, NodeId key) { return node->id < key; });
    return it != nodes().end() && (*it)->id == id ? static_cast<std::size_t>(it - nodes().begin()) : nodes().size();
}

const Node* Graph::find(NodeId id) const
{
    const std::size_t index = slot(id);
    return index < nodes().size() ? nodes()[index].get() : nullptr;
}

const Node* Graph::findByName(std::string_view name) const
{
    for (const NodePtr& node : nodes())
        if (node->name == name) return node.get();
    return nullptr;
}

const Node& Graph::at(NodeId id) const
{
    if (const Node* node = find(id)) return *node;
    throw Error(ErrorCode::Internal, "There is no layer with id " + std::to_string(id) + ".");
}

std::string Graph::uniqueName(std::string_view wanted) const
{
    std::unordered_set<std::string_view> taken;
    for (const NodePtr& node : nodes()) taken.insert(node->name);
    std::string name(wanted);
    for (int i = 1; taken.contains(name); ++i) name = std::string(wanted) + "_" + std::to_string(i);
    return name;
}

NodeId Graph::add(Node node)
{
    node.id = m_nextId++;
    if (node.name.empty()) node.name = uniqueName(node.kind);
    else if (findByName(node.name)) node.name = uniqueName(node.name);
    ownNodes().push_back(std::make_shared<const Node>(std::move(node)));
    return nodes().back()->id;
}

void Graph::insert(Node node)
{
    if (node.id <= kNoNode)
        throw Error(ErrorCode::Format, "A layer has the id " + std::to_string(node.id) + "; ids start at 1.");
    std::vector<NodePtr>& own = ownNodes();
    const auto it = std::lower_bound(own.begin(), own.end(), node.id,
                                     [](const NodePtr& other, NodeId key) { return other->id < key; });
    if (it != own.end() && (*it)->id == node.id)
        throw Error(ErrorCode::Format, "Two layers have the id " + std::to_string(node.id) + ".");
    m_nextId = std::max(m_nextId, node.id + 1);
    own.insert(it, std::make_shared<const Node>(std::move(node)));
}

void Graph::edit(NodeId id, bool keepOrigin, const std::function<void(Node&)>& change)
{
    const std::size_t index = slot(id);
    if (index == nodes().size())
        throw Error(ErrorCode::Internal, "There is no layer with id " + std::to_string(id) + ".");
    auto copy = std::make_shared<Node>(*nodes()[index]);
    change(*copy);
    copy->id = id;
    const Node& before = *nodes()[index];
    // An opaque layer has nothing but its origin to be written from.
    if (!keepOrigin && before.kind != "opaque" &&
        (copy->attrs != before.attrs || copy->kind != before.kind || copy->tensors != before.tensors ||
         copy->inputs.size() != before.inputs.size()))
        copy->origin = nullptr;
    ownNodes()[index] = std::move(copy);
}

void Graph::update(NodeId id, const std::function<void(Node&)>& change) { edit(id, false, change); }

void Graph::rename(NodeId id, std::string name)
{
    if (name.empty()) throw Error(ErrorCode::Usage, "A layer needs a name.");
    if (const Node* other = findByName(name); other && other->id != id)
        throw Error(ErrorCode::Usage, "Another layer is already called '" + name + "'.");
    edit(id, true, [&](Node& node) { node.name = std::move(name); });
}

void Graph::remove(NodeId id)
{
    const std::size_t index = slot(id);
    if (index == nodes().size()) return;
    std::vector<NodePtr>& own = ownNodes();
    own.erase(own.begin() + static_cast<std::ptrdiff_t>(index));
    for (NodePtr& node : own) {
        const auto reads = [id](const Port& port) { return port.node == id; };
        if (std::none_of(node->inputs.begin(), node->inputs.end(), reads)) continue;
        auto copy = std::make_shared<Node>(*node);
        std::replace_if(copy->inputs.begin(), copy->inputs.end(), reads, Port{});
        node = std::move(copy);
    }
    std::erase_if(m_outputs, [id](const GraphOutput& output) { return output.port.node == id; });
}

void Graph::rewire(Port from, Port to)
{
    for (NodePtr& node : ownNodes()) {
        if (std::find(node->inputs.begin(), node->inputs.end(), from) == node->inputs.end()) continue;
        auto copy = std::make_shared<Node>(*node);
        std::replace(copy->inputs.begin(), copy->inputs.end(), from, to);
        node = std::move(copy);
    }
    for (GraphOutput& output : m_outputs)
        if (output.port == from) output.port = to;
}

void Graph::setInput(NodeId id, std::size_t index, Port source)
{
    edit(id, false, [&](Node& node) {
        if (node.inputs.size() <= index) node.inputs.resize(index + 1);
        node.inputs[index] = source;
    });
}

std::vector<std::vector<NodeId>> consumers(const Graph& graph)
{
    const auto& nodes = graph.nodes();
    std::vector<std::vector<NodeId>> out(nodes.size());
    const auto slotOf = [&](NodeId id) {
        const auto it = std::lower_bound(nodes.begin(), nodes.end(), id,
                                         [](const Graph::NodePtr& node, NodeId key) { return node->id < key; });
        return it != nodes.end() && (*it)->id == id ? static_cast<std::size_t>(it - nodes.begin()) : nodes.size();
    };
    for (const auto& node : nodes)
        for (const Port& port : node->inputs) {
            const std::size_t slot = slotOf(port.node);
            if (slot < out.size() && (out[slot].empty() || out[slot].back() != node->id)) out[slot].push_back(node->id);
        }
    return out;
}

namespace {

bool isOrdered(const std::vector<Graph::NodePtr>& nodes)
{
    for (const auto& node : nodes)
        for (const Port& port : node->inputs)
            if (port.node >= node->id) return false;
    return true;
}

}  // namespace

std::vector<NodeId> executionOrder(const Graph& graph, std::vector<NodeId>* cyclic)
{
    const auto& nodes = graph.nodes();
    std::vector<NodeId> order;
    order.reserve(nodes.size());
    if (isOrdered(nodes)) {
        for (const auto& node : nodes) order.push_back(node->id);
        return order;
    }
    std::unordered_map<NodeId, std::size_t> slots;
    for (std::size_t i = 0; i < nodes.size(); ++i) slots[nodes[i]->id] = i;
    std::vector<int> waiting(nodes.size(), 0);
    for (std::size_t i = 0; i < nodes.size(); ++i)
        for (const Port& port : nodes[i]->inputs) waiting[i] += slots.contains(port.node) ? 1 : 0;
    const auto readers = consumers(graph);
    std::priority_queue<NodeId, std::vector<NodeId>, std::greater<>> ready;
    for (std::size_t i = 0; i < nodes.size(); ++i)
        if (waiting[i] == 0) ready.push(nodes[i]->id);
    std::vector<bool> done(nodes.size(), false);
    while (!ready.empty()) {
        const NodeId id = ready.top();
        ready.pop();
        const std::size_t from = slots[id];
        done[from] = true;
        order.push_back(id);
        for (const NodeId reader : readers[from]) {
            const std::size_t to = slots[reader];
            for (const Port& port : nodes[to]->inputs)
                if (port.node == id && --waiting[to] == 0) ready.push(reader);
        }
    }
    for (std::size_t i = 0; i < nodes.size(); ++i)
        if (!done[i]) {
            order.push_back(nodes[i]->id);
            if (cyclic) cyclic->push_back(nodes[i]->id);
        }
    return order;
}

GraphDiff diff(const Graph& before, const Graph& after)
{
    GraphDiff out;
    auto a = before.nodes().begin(), aEnd = before.nodes().end();
    auto b = after.nodes().begin(), bEnd = after.nodes().end();
    while (a != aEnd || b != bEnd) {
        if (b == bEnd || (a != aEnd && (*a)->id < (*b)->id)) out.removed.push_back((*a++)->id);
        else if (a == aEnd || (*b)->id < (*a)->id) out.added.push_back((*b++)->id);
        else {
            if (*a != *b && !(*a)->sameAs(**b)) {
                Node moved = **a;
                moved.inputs = (*b)->inputs;
                (moved.sameAs(**b) ? out.rewired : out.changed).push_back((*a)->id);
            }
            ++a, ++b;
        }
    }
    out.outputsChanged = before.outputs() != after.outputs();
    out.preprocessingChanged = before.preprocessing() != after.preprocessing();
    return out;
}

}  // namespace fovea
