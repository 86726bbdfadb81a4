// Writes one layer from Fovea's own record.
#pragma once

#include "core/io/onnx/helper_nodes.h"
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
    // What the file is that the layer goes into.
    struct File {
        std::int64_t opset = kUsualOpset;
        OpenSizes open;
        ModelWriter& writer;
        std::set<std::string>& taken;  // names of values
        const Weights& weights;
        std::uint64_t seed;
        std::vector<std::string>& fresh;  // receives the names of tensors that had no values
        HelperNodes* helpers;             // of the file that the layer goes back into; null: no node of a file is written
    };
    LayerWriter(const NodeView& view, DType element, std::vector<std::string> inputs, std::vector<std::string> outputs,
                const File& file);

    const Node& node() const override { return m_view.node; }
    std::int64_t opset() const override { return m_file.opset; }
    OpenSizes open() const override { return m_file.open; }
    DType element() const override { return m_element; }
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
    DType m_element;
    std::vector<std::string> m_inputs, m_outputs;
    File m_file;
};

}  // namespace fovea
