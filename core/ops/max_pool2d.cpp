#include "core/ops/common.h"
#include "core/ops/older_forms.h"
#include "core/ops/pooling.h"

#include <algorithm>

namespace fovea {

namespace {

bool hasIndices(const Node& node) { return node.attrs.getBool("return_indices", false); }

bool read(OnnxCall& call)
{
    const auto kernel = call.getInts("kernel_shape");
    const bool columnMajor = call.outputCount > 1 && call.getInt("storage_order", 0) != 0;
    if (!kernel || columnMajor || !readWindow(call, *kernel)) return false;
    call.node.attrs.set("ceil_mode", call.getInt("ceil_mode", 0) != 0);
    if (call.outputCount > 1) call.node.attrs.set("return_indices", true);
    else readAsGlobalWhereItCoversItsMap(call, "AdaptiveMaxPool2d");
    return true;
}

bool read1d(OnnxCall& call)
{
    const auto kernel = call.getInts("kernel_shape");
    if (!kernel || !readWindow(call, *kernel, 1) || call.outputCount > 1) return false;
    call.node.attrs.set("ceil_mode", call.getInt("ceil_mode", 0) != 0);
    return true;
}

// ONNX Runtime's optimiser makes a zero Pad the pooling's own, and in ceil mode that decides whether a last window is there.
bool fusePad(Rewriter& rewriter, const Node& last)
{
    if (last.kind != "MaxPool2d" || !last.attrs.getBool("ceil_mode", false) || hasIndices(last)) return false;
    const Node* pad = padBefore(rewriter, last);
    if (!pad) return false;
    Ints padding;
    for (std::size_t side = 0; side < 4; ++side) padding.push_back(attrAt(last, "padding", side, 0) + attrAt(*pad, "padding", side, 0));
    Node node = last;
    node.attrs.set("padding", padding);
    node.inputs = {pad->inputs[0]};
    rewriter.replace(last, node, {pad->id, last.id});
    return true;
}

void infer(InferContext& context)
{
    const Value& in = context.in(0);
    const Value made = slide(context, dimWindows({context.node(), context.in(), {}}), in.shape.rank() < 2 ? kUnknown : in.shape[1]);
    for (std::size_t i = 0; i < context.outCount(); ++i) context.out(i) = made;
}

void write(OnnxWriter& writer)
{
    OnnxAttrs attrs = windowAttrs(writer.node());
    if (writer.node().attrs.getBool("ceil_mode", false)) attrs.emplace("ceil_mode", std::int64_t{1});
    std::vector<std::string> outputs{writer.output(0)};
    if (hasIndices(writer.node())) {
        writer.needOpset(8, "the indices of a MaxPool");
        outputs.push_back(writer.output(1));
    }
    emitPool(writer, "MaxPool", attrs, outputs);
}

// Where the map that a MaxUnpool restores gets its size: the third input, the setting, or the windows.
std::int64_t unpooledSize(const NodeView& view, const DimWindows& windows, int dim)
{
    if (view.in.size() > 2) return view.in[2].shape.rank() > dim ? view.in[2].shape[dim] : kUnknown;
    const std::int64_t stated = attrAt(view.node, "output_size", static_cast<std::size_t>(dim - 2), 0);
    if (stated > 0) return stated;
    return view.in[0].shape.rank() > dim ? outputSize(windows.dims[static_cast<std::size_t>(dim - 2)], view.in[0].shape[dim]) : kUnknown;
}

void inferUnpool(InferContext& context)
{
    const NodeView view{context.node(), context.in(), {}};
    const DimWindows windows = dimWindows(view, ReachKind::Transposed);
    Value out = slide(context, windows, imageChannels(context.in(0)));
    for (int dim = 2; dim < 4; ++dim) {
        if (out.shape[dim] < 0) continue;
        const std::int64_t made = unpooledSize(view, windows, dim), natural = out.shape[dim];
        const AxisReach& r = windows.dims[static_cast<std::size_t>(dim - 2)];
        out.shape[dim] = made;
        // The pooling's last window lacked less than a stride, or it dropped less than one.
        const std::int64_t stride = std::max(r.stride, std::int64_t{1});
        if (made < 0 || (made > natural - stride && made < natural + stride)) continue;
        context.issue("size-frozen", Severity::Error, "output_size",
                      "It restores a map of " + std::to_string(made) + " units, but the pooling's windows over a map of " + std::to_string(context.in(0).shape[dim]) +
                          " units give " + std::to_string(natural) + ".",
                      "Use the input size that the file was made for.");
        out.shape[dim] = kUnknown;
    }
    context.out() = out;
}

bool readUnpool(OnnxCall& call)
{
    const auto kernel = call.getInts("kernel_shape");
    if (!kernel || !readWindow(call, *kernel) || !call.has(1) || call.isConstant(1)) return false;
    call.node.attrs.erase("dilation");
    call.dataInputs = {0, 1};
    if (!call.has(2)) return true;
    const Tensor* size = call.constant(2);
    if (!size || size->elements() != 4) return false;
    call.node.attrs.set("output_size", Ints{size->integer(2), size->integer(3)});
    call.sizesBaked = true;
    return true;
}

// A stated size that is the pooling's own input's follows it.
bool fuseSize(Rewriter& rewriter, const Node& last)
{
    const Ints* stated = last.kind == "MaxUnpool2d" ? last.attrs.getInts("output_size") : nullptr;
    if (!stated || last.inputs.size() != 2 || (*stated)[0] < 1) return false;
    const Node* pool = rewriter.producer(last, 1, false);
    if (!pool || pool->kind != "MaxPool2d" || last.inputs[1].output != 1) return false;
    const Shape& pooled = rewriter.value(pool->inputs[0]).shape;
    if (pooled.rank() != 4 || pooled[2] != (*stated)[0] || pooled[3] != (*stated)[1]) return false;
    Node node = last;
    node.attrs.erase("output_size");
    node.inputs.push_back(pool->inputs[0]);
    rewriter.replace(last, node, {last.id});
    return true;
}

void writeUnpool(OnnxWriter& writer)
{
    writer.needOpset(9, "MaxUnpool");
    OnnxAttrs attrs = windowAttrs(writer.node(), false);
    std::vector<std::string> inputs{writer.input(0), writer.input(1)};
    if (!writer.input(2).empty()) {
        inputs.push_back(writer.emit("Shape", {writer.input(2)}));
    } else if (attrAt(writer.node(), "output_size", 0, 0) > 0) {
        const Shape& made = writer.outputValue().shape;
        inputs.push_back(writer.ints(Ints(made.dims().begin(), made.dims().end())));
    }
    writer.finish("MaxUnpool", inputs, attrs);
}

// The size of the map that is restored.
void restoredSize(const NodeView& view, Attributes& args)
{
    const Shape made = view.out.empty() ? Shape{} : view.out[0].shape;
    if (made.rank() == 4) args.set("output_size", Ints{made[2], made[3]});
}

}  // namespace

const OpDef& maxPool2dOp()
{
    static const OpDef def{
        .kind = "MaxPool2d",
        .opClass = OpClass::Pooling,
        .memory = [](const NodeView&) { return Memory{.inputs = true, .bytes = 8}; },
        .doc = "Largest value under a sliding window.",
        .attrs = {kernelAttr(), strideAttr(), paddingAttr(), dilationAttr(), ceilModeAttr(), autoPadAttr(), globalAxesAttr(),
                  {.name = "return_indices", .type = AttrType::Bool, .fallback = false, .doc = "Says where each value stood, for MaxUnpool2d", .shown = false}},
        .outputs = [](const Node& node) { return hasIndices(node) ? 2 : 1; },
        .reach = windowReach,
        .infer = infer,
        .torch = {TorchOp::MaxPool2d, {"kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices"}},
        .onnx = {.types = {"MaxPool"}, .read = read, .write = write, .fuse = fusePad},
    };
    return def;
}

const OpDef& maxPool1dOp()
{
    static const OpDef def{
        .kind = "MaxPool1d",
        .opClass = OpClass::Pooling,
        .memory = [](const NodeView&) { return Memory{.inputs = true, .bytes = 8}; },
        .doc = "Largest value under a window that slides along one axis.",
        .attrs = {{.name = "kernel_size", .type = AttrType::IntList, .fallback = Ints{1}, .doc = "Size of the window", .min = 1},
                  {.name = "stride", .type = AttrType::IntList, .fallback = Ints{1}, .doc = "Step of the window", .min = 1},
                  {.name = "padding", .type = AttrType::IntList, .fallback = Ints{0, 0}, .doc = "Added at the begin and at the end"},
                  {.name = "dilation", .type = AttrType::IntList, .fallback = Ints{1}, .doc = "Distance between the window's units", .min = 1},
                  ceilModeAttr(), autoPadAttr()},
        .reach = windowReach,
        .infer = infer,
        .torch = {TorchOp::MaxPool1d, {"kernel_size", "stride", "padding", "dilation", "ceil_mode"}},
        .onnx = {.types = {"MaxPool"}, .read = read1d, .write = write},
    };
    return def;
}

const OpDef& maxUnpool2dOp()
{
    static const OpDef def{
        .kind = "MaxUnpool2d",
        .opClass = OpClass::Resample,
        .memory = [](const NodeView&) { return Memory{.inputs = true}; },
        .doc = "Puts each value back where a max pooling took it from; zeros elsewhere. Reads a map and that pooling's "
               "indices; a third input only tells the size.",
        .attrs = {kernelAttr("The pooling's window"), strideAttr(), paddingAttr(),
                  {.name = "output_size", .type = AttrType::Pair, .fallback = Ints{0, 0}, .doc = "Fixed size of the map it restores; 0 follows the windows", .unit = "units", .shown = false}},
        .minInputs = 2,
        .maxInputs = 3,
        .pathInputs = 2,
        .reach = [](const NodeView& view) { return alongImage(view, dimWindows(view, ReachKind::Transposed)); },
        .infer = inferUnpool,
        .torch = {TorchOp::MaxUnpool2d, {"kernel_size", "stride", "padding"}, {}, restoredSize},
        .onnx = {.types = {"MaxUnpool"}, .read = readUnpool, .write = writeUnpool, .fuse = fuseSize},
    };
    return def;
}

}  // namespace fovea
