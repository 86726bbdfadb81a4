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
                out.layout = inputLayout(context.node());
                Ints known = *dims;
                // Of an image there is a usual size. Of anything else one that the file leaves open is unknown; only
                // the first is a batch.
                if (!isImage(context.node())) {
                    const std::vector<std::string> symbols = symbolsOf(context.node());
                    for (std::size_t i = 1; i < symbols.size(); ++i)
                        if (!symbols[i].empty()) known[i] = kUnknown;
                }
                out.shape = Shape(std::span<const std::int64_t>(known));
            },
        .torch = {TorchOp::Input},
    };
    return def;
}

}  // namespace fovea
