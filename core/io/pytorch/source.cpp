#include "core/io/pytorch/source.h"

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/io/json/preprocessing_json.h"
#include "core/io/pytorch/calls.h"
#include "core/io/pytorch/keys.h"
#include "core/io/pytorch/python_text.h"
#include "core/io/safetensors/safetensors.h"

#include <algorithm>
#include <array>
#include <limits>
#include <set>
#include <unordered_set>

namespace fovea {

namespace {

constexpr const char* kGroup = R"PY(class Group(nn.Module):
    """Modules and tensors under the names that the weights have; number 0 is read as group[0]."""

    def __init__(self, members):
        super().__init__()
        for name, member in members.items():
            if isinstance(member, nn.Module):
                self.add_module(name, member)
            elif isinstance(member, nn.Parameter):
                self.register_parameter(name, member)
            else:
                self.register_buffer(name, member)

    def __getitem__(self, name):
        return getattr(self, str(name))
)PY";

constexpr const char* kLoader = R"PY(def read_safetensors(path):
    """{name: tensor} of a safetensors file: length, JSON header, bytes (https://github.com/huggingface/safetensors)."""
    types = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
             "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8,
             "BOOL": torch.bool}
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = bytearray(file.read())
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        values = torch.frombuffer(data[begin:end], dtype=types[entry["dtype"]]) if end > begin else torch.empty(0)
        tensors[name] = values.reshape(entry["shape"])
    return tensors


def load(path):
    """The network with the weights of a safetensors file; every name has to fit."""
    network = Network()
    network.load_state_dict(read_safetensors(path), strict=True)
    return network
)PY";

constexpr const char* kMain = R"PY(if __name__ == "__main__":
    weights = sys.argv[1] if len(sys.argv) > 1 else os.path.splitext(os.path.abspath(__file__))[0] + ".safetensors"
    network = load(weights).eval()
    with torch.no_grad():
        outputs = network(*(torch.zeros(shape) for shape in INPUTS.values()))
    for output in outputs if isinstance(outputs, tuple) else (outputs,):
        print(tuple(output.shape))
)PY";

// Names of variables while they hold something that is still read; a name is free again behind its last reader.
class Variables {
public:
    // Names that a file has anyway.
    void keepClear(const std::string& name) { m_taken.insert(name); }

    std::string fresh()
    {
        if (!m_free.empty()) {
            const std::string name = m_free.begin()->second;
            m_free.erase(m_free.begin());
            return name;
        }
        static constexpr std::array kFirst{"x", "y", "z", "u", "v", "w"};
        for (;;) {
            const std::size_t at = m_made++;
            const std::string name = at < kFirst.size() ? kFirst[at] : "v" + std::to_string(at - kFirst.size() + 1);
            if (m_taken.insert(name).second) {
                m_order[name] = m_order.size();
                return name;
            }
        }
    }
    std::string named(const std::string& wanted)
    {
        std::string name = wanted;
        for (int i = 2; !m_taken.insert(name).second; ++i) name = wanted + "_" + std::to_string(i);
        m_order[name] = m_order.size();
        return name;
    }
    void free(const std::string& name) { m_free.emplace(m_order.at(name), name); }
    void claim(const std::string& name) { m_free.erase({m_order.at(name), name}); }

private:
    std::set<std::pair<std::size_t, std::string>> m_free;
    std::map<std::string, std::size_t> m_order;
    std::unordered_set<std::string> m_taken;
    std::size_t m_made = 0;
};

class ForwardWriter {
public:
    ForwardWriter(const Graph& graph, const TorchLayout& layout)
        : m_graph(graph), m_layout(layout), m_lastUse(layout.values.size(), kNever), m_names(layout.values.size())
    {
        for (const char* name : {"self",
                                 "torch",
                                 "nn",
                                 "F",
                                 "math",
                                 "json",
                                 "os",
                                 "struct",
                                 "sys",
                                 "Group",
                                 "Network",
                                 "INPUTS",
                                 "PREPROCESSING",
                                 "NAMES",
                                 "load",
                                 "read_safetensors",
                                 "fit_to_windows",
                                 "average_pool",
                                 "resize",
                                 "depth_to_space",
                                 "space_to_depth",
                                 "channel_shuffle"})
            m_variables.keepClear(name);
        findUses();
        nameInputs();
        for (std::size_t i = 0; i < layout.layers.size(); ++i)
            if (m_needed[i] && layout.layers[i].call.op != TorchOp::Input) writeLayer(i);
        m_text += "        return " + pythonArguments(outputNames()) + "\n";
    }

    std::string method(const std::string& name) const
    {
        return "    def " + name + "(self" + m_arguments + "):\n" + m_text;
    }
    const std::set<TorchHelper>& helpers() const { return m_helpers; }
    // As INPUTS of the file: what it is called and an example of its shape.
    const std::vector<std::pair<std::string, Ints>>& inputs() const { return m_inputs; }

private:
    static constexpr std::size_t kNever = 0, kReturned = std::numeric_limits<std::size_t>::max();

    std::size_t sourceOf(const Prepared::Entry& entry, std::uint32_t input) const
    {
        return static_cast<std::size_t>(m_layout.prepared.sources[entry.firstInput + input]);
    }
    bool isConnected(const Prepared::Entry& entry, std::uint32_t input) const
    {
        return m_layout.prepared.sources[entry.firstInput + input] >= 0;
    }

    std::vector<std::size_t> outputValues() const
    {
        std::vector<std::size_t> out;
        for (const GraphOutput& output : m_graph.outputs()) {
            const std::int32_t at = m_layout.prepared.entryOf(output.port.node);
            if (at < 0)
                throw Error(ErrorCode::Usage,
                            "Output '" + output.name +
                                "' is not connected, so the network cannot be written as PyTorch source.");
            out.push_back(m_layout.prepared.entries[static_cast<std::size_t>(at)].firstOutput +
                          static_cast<std::size_t>(output.port.output));
        }
        if (out.empty())
            throw Error(ErrorCode::Usage, "The network has no output, so it cannot be written as PyTorch source.");
        return out;
    }

    void findUses()
    {
        const auto& entries = m_layout.prepared.entries;
        m_needed.assign(entries.size(), false);
        for (const std::size_t value : outputValues()) m_lastUse[value] = kReturned;
        for (const GraphOutput& output : m_graph.outputs())
            m_needed[static_cast<std::size_t>(m_layout.prepared.entryOf(output.port.node))] = true;
        for (std::size_t i = entries.size(); i-- > 0;) {
            if (!m_needed[i]) continue;
            for (std::uint32_t k = 0; k < entries[i].inputCount; ++k) {
                if (!isConnected(entries[i], k)) continue;
                std::size_t& last = m_lastUse[sourceOf(entries[i], k)];
                last = std::max(last, i + 1);
                m_needed[static_cast<std::size_t>(m_layout.prepared.sourceEntries[entries[i].firstInput + k])] = true;
            }
        }
    }

    void nameInputs()
    {
        std::vector<const TorchLayer*> found;
        for (const TorchLayer& layer : m_layout.layers)
            if (layer.call.op == TorchOp::Input) found.push_back(&layer);
        for (const TorchLayer* layer : found) {
            const std::string name =
                found.size() == 1 ? m_variables.fresh() : m_variables.named(identifierFrom(layer->entry->node->name));
            m_arguments += ", " + name;
            hold(layer->entry->firstOutput, name);
            constexpr std::int64_t kSide = 224;
            Ints shape;
            for (const std::int64_t dim : layer->out[0].shape.dims())
                shape.push_back(dim >= 0 ? dim : shape.empty() ? 1 : kSide);
            m_inputs.emplace_back(layer->entry->node->name, shape);
        }
    }

    void hold(std::size_t value, const std::string& name)
    {
        m_names[value] = name;
        ++m_held[name];
    }

    void release(std::size_t value)
    {
        if (--m_held[m_names[value]] == 0) m_variables.free(m_names[value]);
    }

    void writeLayer(std::size_t index)
    {
        const TorchLayer& layer = m_layout.layers[index];
        const Prepared::Entry& entry = *layer.entry;
        std::vector<std::string> inputs;
        std::vector<std::size_t> ending;
        for (std::uint32_t k = 0; k < entry.inputCount; ++k) {
            if (!isConnected(entry, k)) continue;
            const std::size_t value = sourceOf(entry, k);
            inputs.push_back(m_names[value]);
            if (m_lastUse[value] == index + 1 && std::find(ending.begin(), ending.end(), value) == ending.end())
                ending.push_back(value);
        }
        PythonCall call;
        try {
            call = callOf(layer, inputs);
        } catch (Error& error) {
            throw error.within("layer '" + entry.node->name + "'");
        }
        m_helpers.insert(call.helpers.begin(), call.helpers.end());
        const bool split = layer.call.op == TorchOp::Split;
        if (!split && !inputs.empty() && call.text == inputs[0]) {  // nothing happens
            hold(entry.firstOutput, inputs[0]);
            for (const std::size_t value : ending) release(value);
            return;
        }
        // The first input that ends here gives its name to the first output.
        for (auto it = ending.rbegin(); it != ending.rend(); ++it) release(*it);
        std::vector<std::string> targets;
        for (std::uint32_t k = 0; k < entry.outputCount; ++k) {
            const std::size_t value = entry.firstOutput + k;
            if (m_lastUse[value] == kNever) {
                targets.emplace_back("_");
                continue;
            }
            const std::string name =
                k == 0 && !ending.empty() && m_held[m_names[ending[0]]] == 0 ? m_names[ending[0]] : m_variables.fresh();
            m_variables.claim(name);
            hold(value, name);
            targets.push_back(name);
        }
        std::string left = pythonArguments(targets);
        if (split && targets.size() == 1) left += ",";
        m_text += "        " + left + " = " + call.text + "\n";
    }

    std::vector<std::string> outputNames() const
    {
        std::vector<std::string> out;
        for (const std::size_t value : outputValues()) out.push_back(m_names[value]);
        return out;
    }

    const Graph& m_graph;
    const TorchLayout& m_layout;
    std::vector<std::size_t> m_lastUse;  // 1 + place of the last reader
    std::vector<bool> m_needed;
    std::vector<std::string> m_names;
    std::map<std::string, int> m_held;  // values that a variable stands for
    Variables m_variables;
    std::string m_arguments, m_text;
    std::vector<std::pair<std::string, Ints>> m_inputs;
    std::set<TorchHelper> m_helpers;
};

std::string indented(int depth) { return std::string(static_cast<std::size_t>(depth) * 4, ' '); }

std::string memberText(const TorchLayout& layout, std::size_t place, int depth)
{
    const TorchMember& member = layout.tree[place];
    if (!member.constructor.empty()) return member.constructor;
    std::string out = "Group({\n";
    for (const std::size_t inner : member.members)
        out += indented(depth + 1) + pythonString(layout.tree[inner].name) + ": " +
               memberText(layout, inner, depth + 1) + ",\n";
    return out + indented(depth) + "})";
}

std::string initText(const TorchLayout& layout)
{
    std::string out = "    def __init__(self):\n        super().__init__({})\n";
    for (const std::size_t place : layout.tree[0].members) {
        const TorchMember& member = layout.tree[place];
        const std::string made = memberText(layout, place, 2);
        if (member.isTensor && !member.trainable)
            out += "        self.register_buffer(" + pythonString(member.name) + ", " + made + ")\n";
        else if (isPythonIdentifier(member.name)) out += "        self." + member.name + " = " + made + "\n";
        else if (member.isTensor)
            out += "        self.register_parameter(" + pythonString(member.name) + ", " + made + ")\n";
        else out += "        self.add_module(" + pythonString(member.name) + ", " + made + ")\n";
    }
    return out;
}

std::string renamedText(const TorchLayout& layout)
{
    std::string rows;
    for (const OwnedParam& param : layout.owned)
        if (const std::string& key = layout.keys.at(param.tensor); key != param.tensor)
            rows += "    " + pythonString(key) + ": " + pythonString(param.tensor) + ",\n";
    return rows.empty() ? rows
                        : "# What tensors are called in the network that this was written from, where that is no name "
                          "here.\nNAMES = {\n" +
                              rows + "}\n";
}

}  // namespace

std::string pytorchSource(const Graph& graph, const LearningForm& learning)
{
    TorchLayout layout = layOutTorch(graph);
    for (TorchLayer& layer : layout.layers) layer.frozen = learning.frozen.contains(layer.entry->node->id);
    const ForwardWriter forward(graph, layout);
    std::set<TorchHelper> helpers = forward.helpers();
    std::string methods = forward.method("forward");
    if (learning.logits) {
        Graph learned = graph;
        learned.setOutputs({{"logits", *learning.logits}});
        const ForwardWriter logits(learned, layout);
        helpers.insert(logits.helpers().begin(), logits.helpers().end());
        methods += "\n" + logits.method("logits");
    }
    std::string out = "# Written by Fovea. The network " + pythonString(graph.name()) +
                      " as a PyTorch module; load(\"FILE.safetensors\") gives it its weights.\n\nimport json\n";
    if (helpers.contains(TorchHelper::Resize) || helpers.contains(TorchHelper::ResizeAntialiased)) out += "import math\n";
    out += "import os\nimport struct\nimport sys\n\nimport torch\nimport torch.nn.functional as F\nfrom torch import "
           "nn\n\n";
    out += "# An example of each input's shape.\nINPUTS = {";
    std::string inputs;
    for (const auto& [name, shape] : forward.inputs())
        inputs += (inputs.empty() ? "" : ", ") + pythonString(name) + ": " + pythonTuple(shape);
    out += inputs + "}\n";
    if (const auto& preprocessing = graph.preprocessing())
        out += "\n# How an image becomes the input: its shorter side is resized to `resize` and the middle cut out (0: "
               "resized to "
               "the\n# input's own side), channels stand in `order`, and of values in [0, 1] comes (value - mean) / "
               "deviation.\n"
               "PREPROCESSING = " +
               jsonLine(toJson(*preprocessing)) + "\n";
    if (const std::string renamed = renamedText(layout); !renamed.empty()) out += "\n" + renamed;
    out += "\n\n" + std::string(kGroup);
    for (const TorchHelper helper : helpers) out += "\n\n" + std::string(sourceOf(helper));
    out += "\n\nclass Network(Group):\n" + initText(layout) + "\n" + methods;
    return out + "\n\n" + kLoader + "\n\n" + kMain;
}

std::vector<std::string> writePytorch(const Graph& graph, const Weights& weights, const std::filesystem::path& path,
                                      const LearningForm& learning)
{
    const std::string source = pytorchSource(graph, learning);
    std::vector<std::string> fresh;
    std::filesystem::path beside = path;
    writeSafetensors(stateDict(graph, weights, &fresh), beside.replace_extension(".safetensors"), {{"format", "pt"}});
    writeAtomically(path, source);
    return fresh;
}

}  // namespace fovea
