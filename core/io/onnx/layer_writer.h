// Writes one layer from Fovea's own record.
#pragma once

#include "core/io/onnx/model_writer.h"
#include "core/ops/onnx_form.h"
#include "core/ops/op_def.h"
#include "core/weights/weights.h"

#include <set>
#include <string>
#include <vector>

namespace fovea {

class LayerWriter : public OnnxWriter {
public:
    LayerWriter(const NodeView& view, std::int64_t opset, std::vector<std::string> inputs,
                std::vector<std::string> outputs, ModelWriter& writer, std::set<std::string>& taken,
                const Weights& weights, std::uint64_t seed, std::vector<std::string>& fresh);

    const Node& node() const override { return m_view.node; }
    std::int64_t opset() const override { return m_opset; }
    std::string input(std::size_t index) override { return index < m_inputs.size() ? m_inputs[index] : std::string(); }
    std::string output(std::size_t index) override { return m_outputs.at(index); }
    const Value& inputValue(std::size_t index) const override;
    const Value& outputValue(std::size_t index) const override;
    bool hasTensor(std::string_view role) const override;
    std::string tensor(std::string_view role, const Ints& dims) override;
    std::string constant(const Tensor& tensor) override;
    std::string emit(std::string_view type, std::vector<std::string> inputs, OnnxAttrs attrs,
                     std::vector<std::string> outputs) override;

private:
    std::string freshName(const std::string& suffix);
    Tensor valuesOf(const ParamSpec& spec, const std::string& name);

    NodeView m_view;
    std::int64_t m_opset;
    std::vector<std::string> m_inputs, m_outputs;
    ModelWriter& m_writer;
    std::set<std::string>& m_taken;
    const Weights& m_weights;
    std::uint64_t m_seed;
    std::vector<std::string>& m_fresh;
};

}  // namespace fovea
