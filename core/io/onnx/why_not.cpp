#include "core/io/onnx/why_not.h"

#include "core/ops/clothes.h"
#include "core/ops/registry.h"

#include <map>
#include <vector>

namespace fovea {

namespace {

// Operators whose reach no file can tell.
const char* whyByNature(const std::string& type)
{
    static const std::map<std::string, const char*, std::less<>> clauses{
        {"If", "which of its branches runs depends on data"},
        {"Loop", "how often its body runs depends on data"},
        {"Scan", "its body runs over a sequence"},
        {"SequenceMap", "its body runs over a sequence"},
        {"GridSample", "it samples positions that depend on data"},
        {"DeformConv", "it samples positions that depend on data"},
        {"RoiAlign", "it samples regions that depend on data"},
        {"MaxRoiPool", "it pools regions that depend on data"},
        {"NonMaxSuppression", "which boxes it keeps depends on data"},
        {"NonZero", "which positions it gives depends on data"},
        {"Unique", "which values it gives depends on data"},
        {"Compress", "which positions it keeps depends on data"},
        {"GatherND", "it gathers positions that depend on data"},
        {"GatherElements", "it gathers positions that depend on data"},
        {"ScatterND", "it writes to positions that depend on data"},
        {"ScatterElements", "it writes to positions that depend on data"},
        {"Scatter", "it writes to positions that depend on data"},
        {"ReverseSequence", "how much it turns round depends on data"},
    };
    const auto it = clauses.find(type);
    return it == clauses.end() ? nullptr : it->second;
}

std::string argumentWord(const std::string& type, std::size_t arg)
{
    const bool product = type.ends_with("MatMul") || type.ends_with("Gemm");
    const bool kernel = type.ends_with("Conv") || type == "ConvTranspose" || type == "ConvInteger";
    if ((kernel || product) && arg == 1) return "weight";
    if ((type == "Conv" || type == "ConvTranspose" || type == "Gemm") && arg == 2) return "bias";
    static const std::map<std::string, std::vector<const char*>, std::less<>> words{
        {"Reshape", {"target shape"}},
        {"Expand", {"target shape"}},
        {"Slice", {"starts", "ends", "axes", "steps"}},
        {"Clip", {"lower bound", "upper bound"}},
        {"Pad", {"padding", "value", "axes"}},
        {"Tile", {"number of repeats"}},
        {"Upsample", {"scales"}},
        {"Resize", {"region", "scales", "sizes"}},
        {"Gather", {"list of positions"}},
        {"BatchNormalization", {"scale", "bias", "mean", "variance"}},
        {"PRelu", {"slope"}},
        {"Squeeze", {"axes"}},
        {"Unsqueeze", {"axes"}}};
    const auto it = words.find(type);
    if (it != words.end() && arg <= it->second.size()) return it->second[arg - 1];
    return "input " + std::to_string(arg + 1);
}

std::string originOf(const OnnxArg& arg)
{
    if (!arg.maker.empty()) return "is computed by " + arg.maker + ", which is not followed";
    return arg.value.shape.hasRank() ? "is an input of the network" : "is of a type that is not read";
}

}  // namespace

std::string whyNot(const OnnxCall& call)
{
    if (const std::size_t colons = call.type.find("::"); colons != std::string::npos)
        return "operators of the domain '" + call.type.substr(0, colons) + "' such as '" +
               call.type.substr(colons + 2) + "' are not known";
    if (const char* clause = whyByNature(call.type)) return clause;
    if (opsForOnnx(call.type).empty() && clothesFor(call.type).empty())
        return "what an operator '" + call.type + "' reads is not known";
    for (std::size_t i = 1; i < call.args.size(); ++i)
        if (call.has(i) && !call.isConstant(i))
            return "its " + argumentWord(call.type, i) + " " + originOf(call.args[i]);
    if (call.has(0) && !call.args[0].value.shape.isComplete()) return "the shape of what it reads is not known";
    return "this form of '" + call.type + "' is not read";
}

}  // namespace fovea
