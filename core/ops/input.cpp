#include "core/ops/common.h"

namespace fovea {

// The image that enters the network. Its shape is the document's input size.
const OpDef& inputOp()
{
    static const OpDef def{
        .kind = "Input",
        .opClass = OpClass::Input,
        .doc = "An input of the network; its height and width are the side in use.",
        .attrs = {{.name = "shape", .type = AttrType::IntList, .fallback = Ints{1, 3, 224, 224}, .doc = "Batch, channels, height, width", .min = 1, .unit = "px"},
                  {.name = "symbols", .type = AttrType::Text, .fallback = std::string(), .doc = "What the file calls sizes that it leaves open; between commas, nothing for a number", .shown = false}},
        .minInputs = 0,
        .maxInputs = 0,
        .infer =
            [](InferContext& context) {
                const Ints* dims = context.node().attrs.getInts("shape");
                Value& out = context.out();
                if (!dims) return;
                out.shape = Shape(std::span(*dims));
                if (out.shape.rank() == 4) out.layout = kNchw;
                else if (out.shape.rank() == 3) out.layout = {1, -1, -1};
                else if (out.shape.rank() >= 2) out.layout = {1, -1, -1};
            },
        .torch = {TorchOp::Input},
    };
    return def;
}

}  // namespace fovea
