#include "core/ops/onnx_form.h"

#include "core/ops/clothes.h"
#include "core/ops/common.h"
#include "core/ops/registry.h"

namespace fovea {

namespace {

// Takes what a layer writes and keeps nothing of it.
class Trial final : public OnnxWriter {
public:
    Trial(const NodeView& view, std::int64_t opset, OpenSizes open) : m_view(view), m_opset(opset), m_open(open) {}

    const Node& node() const override { return m_view.node; }
    std::int64_t opset() const override { return m_opset; }
    OpenSizes open() const override { return m_open; }
    std::string input(std::size_t index) override { return index < m_view.in.size() ? "in" : ""; }
    std::string output(std::size_t) override { return "out"; }
    const Value& inputValue(std::size_t index) const override { return at(m_view.in, index); }
    const Value& outputValue(std::size_t index) const override { return at(m_view.out, index); }
    bool hasTensor(std::string_view role) const override { return m_view.node.tensor(role) != nullptr; }
    std::string tensor(std::string_view, const Ints&) override { return "tensor"; }
    std::string constant(const Tensor&) override { return "constant"; }
    std::string emit(std::string_view, std::vector<std::string>, OnnxAttrs, std::vector<std::string>) override
    {
        return "value";
    }

private:
    static const Value& at(std::span<const Value> values, std::size_t index)
    {
        static const Value unknown;
        return index < values.size() ? values[index] : unknown;
    }

    NodeView m_view;
    std::int64_t m_opset;
    OpenSizes m_open;
};

// Whether a window is as long as its map along an axis whose length the file leaves open.
bool hasOpenGlobalAxis(const OnnxWriter& writer)
{
    const Ints* global = writer.node().attrs.getInts("global_axes");
    if (!global) return false;
    const Layout layout = windowLayout(writer.inputValue(), static_cast<int>(global->size()));
    const OpenSizes open = writer.open();
    for (std::size_t i = 0; i < global->size(); ++i) {
        const int dim = static_cast<int>(i) + 2;
        if ((*global)[i] && !(dim == layout.h && !open.height) && !(dim == layout.w && !open.width)) return true;
    }
    return false;
}

}  // namespace

std::optional<std::string> whyNotAtOpset(const NodeView& view, std::int64_t opset, OpenSizes open)
{
    try {
        const Node node = settled(view);
        Trial trial({node, view.in, view.out}, opset, open);
        writeLayer(trial);
    } catch (const Error& error) {
        if (error.code() == ErrorCode::Internal) throw;
        return error.message();
    }
    return std::nullopt;
}

void writeLayer(OnnxWriter& writer)
{
    if (hasOpenGlobalAxis(writer)) writer.needFixedSides("A window as long as its map can be written");
    const OpDef& op = opFor(writer.node().kind);
    if (!op.onnx.write && !wearsClothes(writer.node()))
        throw Error(ErrorCode::Usage,
                    "Fovea cannot write '" + writer.node().kind + "' ('" + writer.node().name + "') as ONNX.");
    if (writer.opset() < kOldestOpset)
        writer.refuse("Fovea writes layers from opset " + std::to_string(kOldestOpset) +
                      " on. Bring the file to a later one first (onnx.version_converter), or write it from Fovea's own "
                      "records (convert --no-origin).");
    wearsClothes(writer.node()) ? writeInClothes(writer) : op.onnx.write(writer);
}

}  // namespace fovea
