#include "core/io/onnx/draft.h"
#include "core/io/onnx/metadata.h"
#include "core/io/onnx/names.h"
#include "core/io/onnx/wire.h"
#include "core/ops/registry.h"

#include <algorithm>
#include <optional>
#include <set>
#include <unordered_map>

namespace fovea {

namespace {

void noteFoldedNorms(const Draft& draft, std::vector<Issue>& notes)
{
    int folded = 0;
    for (const DraftLayer& layer : draft.layers) {
        if (layer.absorbed || opFor(layer.node.kind).opClass != OpClass::Convolution) continue;
        const TensorBinding *weight = layer.node.tensor("weight"), *bias = layer.node.tensor("bias");
        folded += weight && bias && isMadeUpName(weight->tensor) && isMadeUpName(bias->tensor);
    }
    if (folded == 0) return;
    notes.push_back({"norms-folded", Severity::Info, "", "",
                       "The exporter folded a normalisation into " + std::to_string(folded) + (folded == 1 ? " convolution" : " convolutions") + ".",
                       "To keep them, export with torch.onnx.export(..., training=torch.onnx.TrainingMode.PRESERVE)."});
}

// Whether a pooling of a fixed window, as a file has it, is what an adaptive one is at this size.
bool isAdaptiveAtThisSize(const DraftLayer& layer)
{
    if (layer.in.empty() || layer.out.empty()) return false;
    const std::int64_t in[2] = {layer.in[0].height(), layer.in[0].width()}, out[2] = {layer.out[0].height(), layer.out[0].width()};
    for (std::size_t axis = 0; axis < 2; ++axis) {
        const std::int64_t kernel = layer.node.attrs.at("kernel_size", axis, 0);
        const bool padded = layer.node.attrs.at("padding", axis, 0) != 0 || layer.node.attrs.at("padding", axis + 2, 0) != 0;
        if (padded || out[axis] < 1 || kernel * out[axis] != in[axis] || layer.node.attrs.at("stride", axis, 1) != kernel) return false;
    }
    return true;
}

// An adaptive pooling is written as the fixed one that it is at the present size.
void readAdaptive(DraftLayer& layer, const LayerTag& tag)
{
    const bool average = layer.node.kind == "AvgPool2d" && tag.kind == "AdaptiveAvgPool2d";
    const bool largest = layer.node.kind == "MaxPool2d" && tag.kind == "AdaptiveMaxPool2d";
    if ((!average && !largest) || !isAdaptiveAtThisSize(layer)) return;
    Node adaptive = makeNode(tag.kind, layer.node.name, layer.node.inputs);
    adaptive.id = layer.node.id;
    adaptive.group = layer.node.group;
    adaptive.attrs.set("output_size", Ints{layer.out[0].height(), layer.out[0].width()});
    layer.node = std::move(adaptive);
    layer.sizesBaked = true;
}

// What Fovea wrote keeps its names.
void readTags(const Draft& draft, std::vector<DraftLayer*>& layers)
{
    for (DraftLayer* layer : layers)
        if (const auto tag = tagOf(draft, *layer)) {
            layer->node.name = tag->name;
            readAdaptive(*layer, *tag);
        }
}

// With what the reader left in the file.
std::string bytesOf(const onnx::NodeProto& node, const MappedFile& file)
{
    const bool isWhole = std::none_of(node.attribute().begin(), node.attribute().end(), [](const onnx::AttributeProto& attribute) {
        return attribute.has_t() || attribute.tensors_size() > 0 || attribute.has_g() || attribute.graphs_size() > 0;
    });
    if (isWhole) return node.SerializeAsString();
    onnx::NodeProto copy = node;
    restorePayloads(copy, file);
    return copy.SerializeAsString();
}

// `bytes` of the file's nodes, `owners` the layers that they have become; both in the order of the file.
std::shared_ptr<const OnnxOrigin> originOf(onnx::ModelProto& proto, const std::vector<std::string>& initializers, std::vector<std::string> bytes,
                                           const std::vector<NodeId>& owners)
{
    auto origin = std::make_shared<OnnxOrigin>();
    origin->initializers = initializers;
    for (std::size_t i = 0; i < bytes.size(); ++i) origin->nodes.push_back({std::move(bytes[i]), owners[i]});
    google::protobuf::RepeatedPtrField<onnx::NodeProto> nodes;  // aside: copying them costs more than all the rest
    proto.mutable_graph()->mutable_node()->Swap(&nodes);
    onnx::ModelProto skeleton = proto;
    proto.mutable_graph()->mutable_node()->Swap(&nodes);
    google::protobuf::RepeatedPtrField<onnx::TensorProto> kept;
    const std::set<std::string> read(initializers.begin(), initializers.end());
    for (const auto& tensor : proto.graph().initializer())
        if (!read.contains(tensor.name())) *kept.Add() = tensor;
    skeleton.mutable_graph()->mutable_initializer()->Swap(&kept);
    origin->skeleton = skeleton.SerializeAsString();
    return origin;
}

}  // namespace

Model finishImport(Draft& draft, onnx::ModelProto& proto, const MappedFile& file, const std::vector<std::string>& initializers, std::vector<Issue> notes)
{
    noteFoldedNorms(draft, notes);
    std::vector<DraftLayer*> layers;
    for (DraftLayer& layer : draft.layers)
        if (!layer.absorbed) layers.push_back(&layer);
    setGroups(draft, layers);
    readTags(draft, layers);

    std::map<NodeId, NodeId> ids;
    std::set<std::string> names;
    std::unordered_map<const onnx::NodeProto*, std::size_t> places;  // in the file
    std::vector<std::string> bytes;
    for (const auto& node : proto.graph().node()) {
        places.emplace(&node, bytes.size());
        bytes.push_back(bytesOf(node, file));
    }
    std::vector<NodeId> owners(bytes.size(), kNoNode);
    Model model;
    NodeId next = 1;
    for (DraftLayer* layer : layers) {
        Node& node = layer->node;
        ids[node.id] = next;
        node.id = next++;
        if (node.name.empty())
            if (const TensorBinding* weight = node.tensor("weight"); weight && !isMadeUpName(weight->tensor)) node.name = parentPath(weight->tensor);
        if (node.name.empty()) node.name = node.kind + "_" + std::to_string(node.id);
        const std::string wanted = node.name;
        for (int i = 1; !names.insert(node.name).second; ++i) node.name = wanted + "_" + std::to_string(i);
        for (Port& port : node.inputs)
            if (port.node != kNoNode) port.node = ids[port.node];
        for (const std::size_t index : layer->fileNodes) owners[places.at(draft.fileNodes[index])] = node.id;
        for (Issue& note : layer->notes) {
            note.layer = node.name;
            notes.push_back(std::move(note));
        }
        if (!layer->fileNodes.empty()) {
            auto origin = std::make_shared<Origin>();
            for (const std::size_t index : layer->fileNodes) origin->nodes.push_back(bytes[places.at(draft.fileNodes[index])]);
            origin->inputNames = layer->inputNames;
            origin->outputNames = layer->outputNames;
            origin->inputs = layer->in;
            origin->outputs = layer->out;
            origin->sizesBaked = layer->sizesBaked;
            node.origin = std::move(origin);
        }
        model.graph.insert(std::move(node));
    }
    for (GraphOutput& output : draft.outputs) output.port.node = ids[output.port.node];
    model.graph.setOutputs(draft.outputs);
    model.graph.setName(proto.graph().name());
    model.graph.setPreprocessing(readPreprocessing(proto, &notes));
    model.graph.setNotes(notes);
    for (auto& [name, tensor] : draft.tensors) model.weights.set(name, std::move(tensor));
    model.onnx = originOf(proto, initializers, std::move(bytes), owners);
    return model;
}

}  // namespace fovea
