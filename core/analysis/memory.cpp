#include "core/analysis/memory.h"

#include <algorithm>

namespace fovea {

const char* toString(ElementType type)
{
    switch (type) {
    case ElementType::Float64: return "float64";
    case ElementType::Float32: return "float32";
    case ElementType::Float16: return "float16";
    case ElementType::BFloat16: return "bfloat16";
    case ElementType::Int8: return "int8";
    }
    return "float32";
}

int bytesOf(ElementType type)
{
    switch (type) {
    case ElementType::Float64: return 8;
    case ElementType::Float32: return 4;
    case ElementType::Float16:
    case ElementType::BFloat16: return 2;
    case ElementType::Int8: return 1;
    }
    return 4;
}

std::optional<ElementType> elementType(std::string_view name)
{
    for (const ElementType type : kElementTypes)
        if (name == toString(type)) return type;
    return std::nullopt;
}

namespace {

// Walks the rows in execution order. Views share the storage of what they look at.
class Walk {
public:
    Walk(const Report& report, const MemoryOptions& options) : m_report(report), m_values(report.tensors->values)
    {
        m_out.options = options;
        m_out.parameters = saturatingMul(report.summary.parameters, bytesOf(options.element));
        m_out.layers.resize(report.layers.size());
        m_storage.resize(m_values.size());
        for (std::size_t i = 0; i < m_storage.size(); ++i) m_storage[i] = i;
        m_elements.assign(m_values.size(), 0);
        m_lastUse.assign(m_values.size(), kNever);
        m_kept.assign(m_values.size(), false);
    }

    MemoryReport run()
    {
        findStorages();
        findLastUses();
        for (std::size_t row = 0; row < m_report.layers.size(); ++row) {
            keep(row);
            pass(row);
        }
        return std::move(m_out);
    }

private:
    static constexpr std::size_t kNever = static_cast<std::size_t>(-1), kForEver = static_cast<std::size_t>(-2);

    // At the batch asked for; a constant is a parameter, not a map.
    std::int64_t elements(const Value& value)
    {
        const std::int64_t count = value.shape.elements();
        if (count < 0) {
            m_out.complete = false;
            return 0;
        }
        const std::int64_t batch = m_report.inputShape.rank() > 0 ? std::max<std::int64_t>(1, m_report.inputShape[0]) : 1;
        return saturatingMul(count / batch, m_out.options.batch);
    }

    Memory memoryOf(const LayerReport& layer)
    {
        m_in.clear();
        for (std::size_t i = 0; i < layer.in.size(); ++i) m_in.push_back(layer.in[i]);
        return layer.op->memory ? layer.op->memory({*layer.node, m_in, layer.out}) : Memory{};
    }

    void findStorages()
    {
        std::vector<bool> made(m_values.size(), false);
        for (const LayerReport& layer : m_report.layers) {
            const bool view = memoryOf(layer).view && !layer.in.empty() && layer.in.position(0) >= 0;
            for (const Value& value : layer.out) {
                const std::size_t at = m_report.tensors->positionOf(value);
                made[at] = true;
                if (view) m_storage[at] = m_storage[static_cast<std::size_t>(layer.in.position(0))];
                else if (layer.kind() != "Constant") m_elements[at] = elements(value);
            }
        }
        for (std::size_t at = 0; at < m_values.size(); ++at)
            if (!made[at] && !m_report.tensors->constant[at]) m_live = saturatingAdd(m_live, bytes(m_elements[at] = elements(m_values[at])));
    }

    void findLastUses()
    {
        for (std::size_t row = 0; row < m_report.layers.size(); ++row)
            for (std::size_t i = 0; i < m_report.layers[row].in.size(); ++i)
                if (const std::int32_t at = m_report.layers[row].in.position(i); at >= 0)
                    m_lastUse[m_storage[static_cast<std::size_t>(at)]] = row;
        for (const GraphOutput& output : m_report.graph.outputs()) {
            const LayerReport* layer = m_report.find(output.port.node);
            if (!layer || output.port.output < 0 || static_cast<std::size_t>(output.port.output) >= layer->out.size()) continue;
            m_lastUse[m_storage[m_report.tensors->positionOf(layer->out[static_cast<std::size_t>(output.port.output)])]] = kForEver;
        }
    }

    std::int64_t bytes(std::int64_t elements) const { return saturatingMul(elements, bytesOf(m_out.options.element)); }

    std::int64_t keepOnce(std::size_t at)
    {
        const std::size_t storage = m_storage[at];
        if (m_kept[storage]) return 0;
        m_kept[storage] = true;
        return bytes(m_elements[storage]);
    }

    void keep(std::size_t row)
    {
        const LayerReport& layer = m_report.layers[row];
        const Memory memory = memoryOf(layer);
        std::int64_t& kept = m_out.layers[row].kept;
        if (layer.op->opClass == OpClass::Opaque && layer.kind() != "Constant") m_out.complete = false;
        if (memory.inputs)
            for (std::size_t i = 0; i < layer.in.size(); ++i)
                if (layer.in.position(i) >= 0) kept = saturatingAdd(kept, keepOnce(static_cast<std::size_t>(layer.in.position(i))));
        for (const Value& value : layer.out) {
            const std::size_t at = m_report.tensors->positionOf(value);
            if (memory.output) kept = saturatingAdd(kept, keepOnce(at));
            kept = saturatingAdd(kept, saturatingMul(bytes(m_elements[at]), memory.copies));
            kept = saturatingAdd(kept, saturatingMul(m_elements[at], memory.bytes));
        }
        m_out.training = saturatingAdd(m_out.training, kept);
    }

    void pass(std::size_t row)
    {
        const LayerReport& layer = m_report.layers[row];
        for (const Value& value : layer.out)
            if (const std::size_t at = m_report.tensors->positionOf(value); m_storage[at] == at) m_live = saturatingAdd(m_live, bytes(m_elements[at]));
        m_out.layers[row].live = m_live;
        if (!m_out.peak || m_live > m_out.inference) {
            m_out.inference = m_live;
            m_out.peak = layer.id;
        }
        const auto release = [&](std::size_t at) {
            const std::size_t storage = m_storage[at];
            if (m_lastUse[storage] != row && !(m_lastUse[storage] == kNever && storage == at)) return;
            m_live -= bytes(m_elements[storage]);
            m_elements[storage] = 0;
        };
        for (std::size_t i = 0; i < layer.in.size(); ++i)
            if (layer.in.position(i) >= 0) release(static_cast<std::size_t>(layer.in.position(i)));
        for (const Value& value : layer.out) release(m_report.tensors->positionOf(value));
    }

    const Report& m_report;
    const std::vector<Value>& m_values;
    MemoryReport m_out;
    std::vector<std::size_t> m_storage;    // per tensor: the one whose memory it is
    std::vector<std::int64_t> m_elements;  // per storage; 0 once it is freed
    std::vector<std::size_t> m_lastUse;    // per storage: a row
    std::vector<bool> m_kept;              // per storage
    std::vector<Value> m_in;
    std::int64_t m_live = 0;  // bytes
};

}  // namespace

MemoryReport memoryOf(const Report& report, const MemoryOptions& options) {
    if (!report.tensors) return {.options = options};  // of no network
    return Walk(report, options).run();
}

}  // namespace fovea
