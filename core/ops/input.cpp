#include "core/graph/first_image.h"
#include "core/ops/common.h"

namespace fovea {

// The image that enters the network. Its shape is the document's input size.
const OpDef& inputOp()
{
    static const OpDef def{
        .kind = "Input",
        .opClass = OpClass::Input,
        .doc = "An input of the network; its height and width are the side in use.",
        .attrs = {{.name = "shape", .type = AttrType::IntList, .fallback = Ints{1, 3, 224, 224}, .doc = "Batch, channels, height, width, in the order that 'layout' names", .min = 1, .unit = "px"},
                  {.name = "layout", .type = AttrType::Text, .fallback = std::string(), .doc = "A letter for each dimension: N, C, H, W or ? (empty: NCHW)", .shown = false},
                  {.name = "symbols", .type = AttrType::Text, .fallback = std::string(), .doc = "What the file calls sizes that it leaves open; between commas, nothing for a number", .shown = false}},
        .minInputs = 0,
        .maxInputs = 0,
        .infer =
            [](InferContext& context) {
                const Ints* dims = context.node().attrs.getInts("shape");
                Value& out = context.out();
                if (!dims) return;
                out.shape = Shape(std::span(*dims));
                out.layout = inputLayout(context.node());
            },
        .torch = {TorchOp::Input},
    };
    return def;
}

}  // namespace fovea
