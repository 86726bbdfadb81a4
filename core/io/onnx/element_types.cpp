#include "core/io/onnx/element_types.h"

#include "core/ops/onnx_form.h"

#include <optional>
#include <string>
#include <unordered_map>

namespace fovea {

namespace {

std::optional<DType> typeOf(std::int64_t number)
{
    for (const DType type :
         {DType::Float32, DType::Float64, DType::Float16, DType::BFloat16, DType::Int8, DType::UInt8, DType::Int16,
          DType::UInt16, DType::Int32, DType::UInt32, DType::Int64, DType::UInt64, DType::Bool})
        if (onnxType(type) == number) return type;
    return std::nullopt;
}

using Stated = std::unordered_map<std::string, DType>;

Stated statedIn(const onnx::GraphProto& graph)
{
    Stated out;
    for (const auto* list : {&graph.input(), &graph.output(), &graph.value_info()})
        for (const auto& info : *list)
            if (const auto type = typeOf(info.type().tensor_type().elem_type())) out[info.name()] = *type;
    return out;
}

bool isReal(DType type)
{
    return type == DType::Float32 || type == DType::Float64 || type == DType::Float16 || type == DType::BFloat16;
}

std::optional<DType> ofTensor(const Model& model, const Node& node)
{
    const Tensor* tensor = node.tensors.empty() ? nullptr : model.weights.find(node.tensors.front().tensor);
    return tensor ? std::optional(tensor->dtype) : std::nullopt;
}

// Of outputs behind the first: positions are whole numbers, and what a dropout kept is true or false from opset 10 on.
DType typeOfFurther(const OpDef& op, DType first, std::int64_t opset)
{
    if (op.torch.op == TorchOp::MaxPool2d || op.torch.op == TorchOp::TopK) return DType::Int64;
    return op.torch.op == TorchOp::Dropout && opset >= 10 ? DType::Bool : first;
}

}  // namespace

std::vector<DType> elementTypes(const Model& model, const Prepared& graph, const onnx::ModelProto& skeleton, std::int64_t opset)
{
    const Stated stated = statedIn(skeleton.graph());
    std::vector<DType> out(graph.entries.empty() ? 0 : graph.entries.back().firstOutput + graph.entries.back().outputCount,
                           DType::Float32);
    for (const auto& entry : graph.entries) {
        const Node& node = *entry.node;
        const std::int32_t first = entry.inputCount > 0 ? graph.sources[entry.firstInput] : -1;
        DType type = first < 0 ? DType::Float32 : out[static_cast<std::size_t>(first)];
        const auto tensor = ofTensor(model, node);
        if (node.kind == "Cast") type = typeOf(attrInt(node, "to", 1)).value_or(type);
        else if (tensor && (entry.inputCount == 0 || isReal(*tensor))) type = *tensor;
        for (std::uint32_t i = 0; i < entry.outputCount; ++i) {
            const std::string name = entry.op->opClass == OpClass::Input ? node.name
                                     : node.origin && i < node.origin->outputNames.size() ? node.origin->outputNames[i]
                                                                                         : std::string();
            const auto known = stated.find(name);
            out[entry.firstOutput + i] = known != stated.end() ? known->second : i == 0 ? type : typeOfFurther(*entry.op, type, opset);
        }
    }
    return out;
}

}  // namespace fovea
