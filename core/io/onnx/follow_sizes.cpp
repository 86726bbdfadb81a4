#include "core/io/onnx/follow_sizes.h"

#include "core/graph/dimensions.h"
#include "core/ops/common.h"
#include "core/ops/registry.h"
#include "core/ops/reshape.h"
#include "core/ops/size_expr.h"

#include <algorithm>
#include <map>
#include <optional>

namespace fovea {

namespace {

bool isImageAxis(Axis axis) { return axis == Axis::Height || axis == Axis::Width; }

class Follower {
public:
    Follower(Draft& draft, const FixedSides& fixed) : m_draft(draft), m_fixed(fixed), m_readers(draft.layers.size() + 1)
    {
        for (const DraftLayer& layer : draft.layers)
            for (const Port& port : layer.node.inputs)
                if (port.node != kNoNode) m_readers[static_cast<std::size_t>(port.node)].push_back(layer.node.id);
    }

    void run()
    {
        for (DraftLayer& layer : m_draft.layers) {
            const TorchOp op = opFor(layer.node.kind).torch.op;
            if (isReshape(layer)) follow(layer);
            else if (op == TorchOp::Interpolate) followResize(layer);
            else if (op == TorchOp::Slice) followSlice(layer);
            else if (op == TorchOp::Expand) followExpand(layer);
        }
        if (m_followed.empty()) return;
        const std::size_t more = m_followed.size() - 1;
        m_draft.layer(m_followed.front()).notes.push_back({"size-followed", Severity::Info, "", "shape",
                         "The file states sizes of maps as numbers; at other input sizes they follow the map here" +
                             (more == 0 ? std::string(".") : " and in " + std::to_string(more) + (more == 1 ? " more layer." : " more layers.")),
                         "Export with dynamic height and width to have no doubt about them."});
        for (const auto& [layer, text] : m_cuts)
            m_draft.layer(layer).notes.push_back({"size-followed", Severity::Info, "", "shape", text, "Export with dynamic height and width to have no doubt about it."});
    }

private:
    static bool isReshape(const DraftLayer& layer) { return opFor(layer.node.kind).torch.op == TorchOp::Reshape && layer.node.attrs.has("sizes"); }
    bool isFixed(Axis axis) const { return axis == Axis::Height ? m_fixed.height : axis == Axis::Width ? m_fixed.width : true; }

    void follow(DraftLayer& layer)
    {
        if (layer.in.empty() || layer.out.empty() || !layer.in[0].shape.isComplete() || !layer.out[0].shape.isComplete()) return;
        const Value& in = layer.in[0];
        const std::span<const std::int64_t> made = layer.out[0].shape.dims();
        const auto dimensions = reshaped(dimensionsOf(in), made);
        std::vector<SizeExpr> sizes = parseSizes(layer.node.attrs.getText("sizes"));
        if (!dimensions || sizes.size() != made.size()) return;
        const bool allNumbers = std::all_of(sizes.begin(), sizes.end(), [](const SizeExpr& size) { return size.constant().has_value(); });
        if (allNumbers && asProducts(layer, *dimensions)) return;
        bool changed = false;
        for (std::size_t i = 0; i < sizes.size(); ++i) {
            const auto number = sizes[i].constant();
            if (!number || *number < 2 || isFeature(layer, i)) continue;
            if (const SizeExpr found = expression(layer, (*dimensions)[i]); found.known() && !found.constant()) {
                sizes[i] = found;
                changed = true;
            }
        }
        if (!changed) return;
        setSizes(layer, sizes);
        m_followed.push_back(layer.node.id);
    }

    // The form that says only which dimensions of the input each new one holds, where that is all there is to say.
    bool asProducts(DraftLayer& layer, const Dimensions& dimensions)
    {
        const std::span<const std::int64_t> made = layer.out[0].shape.dims();
        const Ints aligned = alignReshape(layer.in[0], made);
        for (std::size_t i = 0; i < made.size(); ++i)
            for (const Factor& factor : dimensions[i].factors)
                if (isImageAxis(factor.axis) && factor.size > 1 && (!isFixed(factor.axis) || isFeature(layer, i) || i >= aligned.size() || aligned[i] >= 0)) return false;
        if (cutsImage(layer.in[0], dimensions) || holdsTokens(layer.in[0])) return false;
        const Ints& items = aligned;
        layer.node.attrs.erase("sizes");
        const auto isProduct = [](std::int64_t item) { return item <= -10; };
        if (items.size() == 2 && isProduct(items[0]) && items[0] == -10 && isProduct(items[1]) && (-items[1] - 10) % 10 == layer.in[0].shape.rank() - 1 && layer.in[0].shape.rank() > 2) {
            const Node old = layer.node;
            layer.node = makeNode("Flatten", old.name, old.inputs);
            layer.node.id = old.id;
            layer.node.attrs.set("start_dim", std::int64_t{1});
        } else {
            layer.node.attrs.set("shape", items);
        }
        layer.node.inputs.resize(1);
        layer.inputNames.resize(1);
        layer.in.resize(1);
        std::vector<Issue> ignored;
        layer.out = inferNode(layer.node, layer.in, ignored);
        return true;
    }

    // Rule 2 for a resize to stated sizes.
    void followResize(DraftLayer& layer)
    {
        const bool stated = layer.node.attrs.at("size", 0, 0) > 0 || layer.sizesBaked;
        if (layer.node.inputs.size() != 1 || !stated || layer.node.attrs.has("sizes") || layer.out.empty()) return;
        const Value& made = layer.out[0];
        const auto rows = siblingOf(layer, Axis::Height), columns = siblingOf(layer, Axis::Width);
        if (!rows || !columns || rows->port != columns->port || !m_fixed.height || !m_fixed.width) return;
        const Value& sibling = m_draft.layer(rows->port.node).out[static_cast<std::size_t>(rows->port.output)];
        if (sibling.height() != made.height() || sibling.width() != made.width()) return;
        addInput(layer, rows->port);
        layer.sizesBaked = true;
        m_followed.push_back(layer.node.id);
    }

    // Rule 2 for a map that is expanded to the size of another.
    void followExpand(DraftLayer& layer)
    {
        const Ints* target = layer.node.attrs.getInts("size");
        if (!target || layer.node.attrs.has("sizes") || layer.out.empty() || layer.out[0].folded) return;
        const Value& made = layer.out[0];
        const int shift = made.shape.rank() - static_cast<int>(target->size());
        std::vector<SizeExpr> sizes;
        bool changed = false;
        for (std::size_t i = 0; i < target->size(); ++i) {
            const int dim = static_cast<int>(i) + shift;
            sizes.emplace_back(std::max<std::int64_t>((*target)[i], 1));
            if ((*target)[i] < 2) continue;
            const auto sibling = siblingAt(layer, dim);
            if (!sibling) continue;
            sizes.back() = SizeExpr::dimension(sibling->port, sibling->dim);
            changed = true;
        }
        if (!changed) return;
        setSizes(layer, sizes);
        m_followed.push_back(layer.node.id);
    }

    // The dimension of the map that this one meets in an element-wise operation, counted from the back, where that is one of
    // its image's axes and of the same size.
    std::optional<MapDim> siblingAt(const DraftLayer& layer, int dim) const
    {
        const Value& made = layer.out[0];
        for (const NodeId reader : m_readers[static_cast<std::size_t>(layer.node.id)]) {
            const DraftLayer& meeting = m_draft.layer(reader);
            const OpDef& op = opFor(meeting.node.kind);
            if (op.opClass != OpClass::Merge || op.torch.op == TorchOp::Concat) continue;
            for (std::size_t k = 0; k < meeting.node.inputs.size() && k < meeting.in.size(); ++k) {
                const Port port = meeting.node.inputs[k];
                const Value& value = meeting.in[k];
                const int at = dim + value.shape.rank() - made.shape.rank();
                if (port.node == kNoNode || port.node == layer.node.id || at < 0 || value.folded || value.shape[at] != made.shape[dim]) continue;
                const Axis axis = at == value.layout.h ? Axis::Height : at == value.layout.w ? Axis::Width : Axis::Other;
                if (axis == Axis::Other || !isFixed(axis) || reaches(layer.node.id, port.node)) continue;
                return MapDim{port, at};
            }
        }
        return std::nullopt;
    }

    // Whether `to` is made from `from`.
    bool reaches(NodeId from, NodeId to) const
    {
        std::vector<NodeId> open{from};
        std::vector<bool> seen(m_draft.layers.size() + 1, false);
        for (std::size_t next = 0; next < open.size(); ++next)
            for (const NodeId reader : m_readers[static_cast<std::size_t>(open[next])]) {
                if (reader == to) return true;
                if (!seen[static_cast<std::size_t>(reader)]) open.push_back(reader);
                seen[static_cast<std::size_t>(reader)] = true;
            }
        return false;
    }

    // Bounds on the seam of a Concat follow its parts; where the length is that of a map which it meets later, it follows
    // that map; an end at the network input's own length is the end of that.
    void followSlice(DraftLayer& layer)
    {
        const Ints *starts = layer.node.attrs.getInts("start"), *ends = layer.node.attrs.getInts("end"), *dims = layer.node.attrs.getInts("dim"),
                   *steps = layer.node.attrs.getInts("step");
        if (layer.node.attrs.has("sizes") || layer.node.inputs.size() != 1 || !starts || !ends || !dims || !steps || layer.in.empty() || layer.in[0].folded) return;
        const Value& in = layer.in[0];
        std::vector<SizeExpr> from(starts->begin(), starts->end()), to(ends->begin(), ends->end());
        bool changed = false;
        for (std::size_t i = 0; i < dims->size() && i < from.size() && i < to.size(); ++i) {
            const int at = normalAxis((*dims)[i], in.shape.rank());
            const Axis axis = at == in.layout.h ? Axis::Height : at == in.layout.w ? Axis::Width : Axis::Other;
            if (axis == Axis::Other || !isFixed(axis) || (i < steps->size() && (*steps)[i] != 1)) continue;
            changed = followBounds(layer, axis, at, from[i], to[i]) || changed;
        }
        if (!changed) return;
        from.insert(from.end(), to.begin(), to.end());
        setSizes(layer, from);
        m_followed.push_back(layer.node.id);
    }

    bool followBounds(const DraftLayer& layer, Axis axis, int dim, SizeExpr& from, SizeExpr& to)
    {
        const std::int64_t size = layer.in[0].shape[dim], first = *from.constant(), last = *to.constant();
        if (size < 1) return false;
        const std::int64_t begin = placed(first, size), end = placed(last, size);
        bool changed = false;
        for (SizeExpr* bound : {&from, &to}) {
            const std::int64_t number = *bound->constant();
            if (number <= 0 || number >= size) continue;
            if (const SizeExpr seam = seamAt(layer, dim, number); seam.known()) {
                *bound = seam;
                changed = true;
            }
        }
        if (changed || end <= begin || end - begin == size) return changed;
        if (const std::int64_t parts = equalPartsOf(layer, dim, size, end - begin); parts > 1) {
            const SizeExpr own = SizeExpr::dimension(layer.node.inputs[0], dim);
            const auto cut = [&](std::int64_t part) { return SizeExpr::apply(SizeOp::Div, {SizeExpr::apply(SizeOp::Mul, {own, SizeExpr(part)}), SizeExpr(parts)}); };
            if (begin > 0) from = cut(begin * parts / size);
            to = end == size ? own : cut(end * parts / size);
            return true;
        }
        // Negative ends and those beyond the map count from its end; one that is its length is its end.
        if (last < 0 || last > size) return false;
        if (const auto sibling = siblingOf(layer, axis)) {
            const SizeExpr length = SizeExpr::dimension(sibling->port, sibling->dim), own = SizeExpr::dimension(layer.node.inputs[0], dim);
            const bool centred = begin == (size - (end - begin)) / 2 && begin > 0;
            if (centred) from = SizeExpr::apply(SizeOp::Div, {SizeExpr::apply(SizeOp::Sub, {own, length}), SizeExpr(2)});
            else from = SizeExpr(begin);
            to = SizeExpr::apply(SizeOp::Add, {from, length});
            return true;
        }
        const auto image = imageDimension(axis);
        if (!image || last <= 0 || last >= size || last != imageSize(*image)) return false;
        to = SizeExpr::dimension(image->port, image->dim);
        return true;
    }

    // In how many parts of this length slices cut a map that is so long; 1 where they do not cover it all.
    std::int64_t equalPartsOf(const DraftLayer& layer, int dim, std::int64_t size, std::int64_t length) const
    {
        const Port cut = layer.node.inputs[0];
        const std::vector<NodeId>& readers = m_readers[static_cast<std::size_t>(cut.node)];
        // Fewer slices than parts cannot cover it, however long a file says that the map is.
        if (length < 1 || size % length != 0 || size / length > static_cast<std::int64_t>(readers.size())) return 1;
        std::vector<bool> found(static_cast<std::size_t>(size / length), false);
        for (const NodeId reader : readers) {
            const DraftLayer& other = m_draft.layer(reader);
            if (opFor(other.node.kind).torch.op != TorchOp::Slice || other.node.inputs.empty() || !(other.node.inputs[0] == cut)) continue;
            const auto bounds = statedBounds(other, dim, size);
            if (bounds && bounds->second - bounds->first == length && bounds->first % length == 0) found[static_cast<std::size_t>(bounds->first / length)] = true;
        }
        return std::count(found.begin(), found.end(), false) == 0 ? size / length : 1;
    }

    // First unit and the one behind the last, of a slice along this dimension alone.
    static std::optional<std::pair<std::int64_t, std::int64_t>> statedBounds(const DraftLayer& layer, int dim, std::int64_t size)
    {
        const Attributes& attrs = layer.node.attrs;
        const Ints *starts = attrs.getInts("start"), *ends = attrs.getInts("end"), *dims = attrs.getInts("dim");
        if (!starts || !ends || !dims || dims->size() != 1 || starts->size() != 1 || ends->size() != 1 || attrs.at("step", 0, 1) != 1) return std::nullopt;
        if (normalAxis((*dims)[0], layer.in[0].shape.rank()) != dim) return std::nullopt;
        return std::pair(placed((*starts)[0], size), placed((*ends)[0], size));
    }

    // A bound of a slice, which may count from the end, in a map of this size.
    static std::int64_t placed(std::int64_t bound, std::int64_t size) { return std::clamp<std::int64_t>(bound < 0 ? bound + size : bound, 0, size); }

    // The sum of the parts of a Concat in front of this position, where a seam lies there.
    SizeExpr seamAt(const DraftLayer& layer, int dim, std::int64_t position) const
    {
        const DraftLayer* from = &m_draft.layer(layer.node.inputs[0].node);
        while (keepsSizes(*from)) from = &m_draft.layer(from->node.inputs[0].node);
        if (opFor(from->node.kind).torch.op != TorchOp::Concat || from->node.attrs.getInt("dim", 1) != dim) return {};
        SizeExpr sum(0);
        std::int64_t before = 0;
        for (std::size_t k = 0; k < from->in.size(); ++k) {
            sum = SizeExpr::apply(SizeOp::Add, {sum, SizeExpr::dimension(from->node.inputs[k], dim)});
            before += from->in[k].shape.rank() > dim ? from->in[k].shape[dim] : 0;
            if (before == position) return sum;
        }
        return {};
    }

    static bool keepsSizes(const DraftLayer& layer)
    {
        const OpClass opClass = opFor(layer.node.kind).opClass;
        const bool pointwise = opClass == OpClass::Activation || opClass == OpClass::Normalization || opClass == OpClass::Regularization || opClass == OpClass::Merge || opClass == OpClass::Convolution;
        return pointwise && layer.node.inputs.size() == 1 && !layer.in.empty() && !layer.out.empty() && layer.in[0].height() == layer.out[0].height() && layer.in[0].width() == layer.out[0].width();
    }

    // A Slice that leaves this axis as it is.
    static bool isCutAlongOther(const DraftLayer& layer, Axis axis)
    {
        if (opFor(layer.node.kind).torch.op != TorchOp::Slice || layer.in.size() != 1 || layer.out.empty() || layer.in[0].folded) return false;
        const int dim = layer.in[0].layout.of(axis);
        const Ints* dims = layer.node.attrs.getInts("dim");
        return dim >= 0 && dims && std::none_of(dims->begin(), dims->end(), [&](std::int64_t cut) { return normalAxis(cut, layer.in[0].shape.rank()) == dim; });
    }

    // Rule 2: the map made before this layer that its own meets, directly or through layers that keep the size, with the
    // dimension that carries the axis.
    std::optional<MapDim> siblingOf(const DraftLayer& layer, Axis axis) const
    {
        if (layer.out.empty()) return std::nullopt;
        const auto unitsOf = [axis](const Value& value) { return axis == Axis::Height ? value.height() : value.width(); };
        std::vector<NodeId> open{layer.node.id};
        for (std::size_t next = 0; next < open.size() && next < 64; ++next)
            for (const NodeId reader : m_readers[static_cast<std::size_t>(open[next])]) {
                const DraftLayer& meeting = m_draft.layer(reader);
                if (keepsSizes(meeting) || isCutAlongOther(meeting, axis)) open.push_back(reader);
                const OpDef& op = opFor(meeting.node.kind);
                if (op.opClass != OpClass::Merge || meeting.node.inputs.size() < 2) continue;
                for (std::size_t k = 0; k < meeting.node.inputs.size(); ++k) {
                    const Port port = meeting.node.inputs[k];
                    const Value& value = meeting.in[k];
                    const int dim = value.layout.of(axis);
                    if (port.node == kNoNode || port.node >= layer.node.id || dim < 0 || value.folded || unitsOf(value) != unitsOf(layer.out[0])) continue;
                    if (op.torch.op == TorchOp::Concat && meeting.node.attrs.getInt("dim", 1) == dim) continue;
                    return MapDim{port, dim};
                }
            }
        return std::nullopt;
    }

    std::optional<MapDim> imageDimension(Axis axis) const
    {
        for (const DraftLayer& layer : m_draft.layers)
            if (opFor(layer.node.kind).opClass == OpClass::Input && !layer.out.empty() && layer.out[0].layout.h >= 0)
                return MapDim{{layer.node.id, 0}, layer.out[0].layout.of(axis)};
        return std::nullopt;
    }

    std::int64_t imageSize(const MapDim& dim) const { return m_draft.layer(dim.port.node).out[0].shape[dim.dim]; }

    std::size_t addInput(DraftLayer& layer, Port port)
    {
        const auto at = std::find(layer.node.inputs.begin(), layer.node.inputs.end(), port);
        if (at != layer.node.inputs.end()) return static_cast<std::size_t>(at - layer.node.inputs.begin());
        const DraftLayer& source = m_draft.layer(port.node);
        layer.node.inputs.push_back(port);
        layer.inputNames.push_back(source.outputNames[static_cast<std::size_t>(port.output)]);
        layer.in.push_back(source.out[static_cast<std::size_t>(port.output)]);
        m_readers[static_cast<std::size_t>(port.node)].push_back(layer.node.id);
        return layer.node.inputs.size() - 1;
    }

    static bool holdsTokens(const Value& in)
    {
        for (const Dimension& dimension : dimensionsOf(in)) {
            int axes = 0;
            for (const Factor& factor : dimension.factors) axes += isImageAxis(factor.axis) && factor.size > 1;
            if (axes > 1 || dimension.before || dimension.after) return true;
        }
        return false;
    }

    // Some dimension holds only a part of what the image has along an axis.
    static bool cutsImage(const Value& in, const Dimensions& made)
    {
        for (const Dimension& dimension : made)
            for (const Factor& factor : dimension.factors)
                if (isImageAxis(factor.axis) && factor.size != 1 && factor.size != gridSize(in, factor.axis)) return true;
        return false;
    }

    // Rule 1: what a weight reads of the last dimension, or of the channels.
    bool isFeature(const DraftLayer& layer, std::size_t dimension) const
    {
        const int rank = layer.out[0].shape.rank(), at = static_cast<int>(dimension);
        for (const NodeId reader : m_readers[static_cast<std::size_t>(layer.node.id)]) {
            const DraftLayer& next = m_draft.layer(reader);
            const OpClass opClass = opFor(next.node.kind).opClass;
            if (next.node.inputs[0].node != layer.node.id) continue;
            if (opClass == OpClass::Linear && at == rank - 1) return true;
            if ((opClass == OpClass::Convolution || opClass == OpClass::Transposed) && at == 1) return true;
        }
        return false;
    }

    // What a dimension of these factors has at every size; unknown where no map tells.
    SizeExpr expression(const DraftLayer& layer, const Dimension& dimension)
    {
        SizeExpr product(1);
        if (dimension.before || dimension.after) return {};
        for (const Factor& factor : dimension.factors) {
            SizeExpr size(factor.size);
            if (factor.axis == Axis::Batch) size = sourceOf(layer, factor.axis, factor.size, SizeExpr(factor.size));
            if (isImageAxis(factor.axis) && factor.size > 1 && isFixed(factor.axis)) size = part(layer, factor);
            if (!size.known()) return {};
            product = SizeExpr::apply(SizeOp::Mul, {product, size});
        }
        return product;
    }

    SizeExpr part(const DraftLayer& layer, const Factor& factor)
    {
        const std::int64_t whole = gridSize(layer.in[0], factor.axis);
        const SizeExpr side = sourceOf(layer, factor.axis, whole, {});
        if (!side.known()) return {};
        if (factor.size == whole) return side;
        if (whole % factor.size != 0) return {};
        const bool outer = factor.size * factor.step == whole;
        const std::int64_t other = whole / factor.size;
        if (factor.step != 1 && !outer) return SizeExpr(factor.size);  // in the middle of three
        const bool outerConstant = isOuterConstant(layer, factor.axis, outer ? factor.size : other, outer ? other : factor.size);
        if (outer == outerConstant) return SizeExpr(factor.size);
        return SizeExpr::apply(SizeOp::Div, {side, SizeExpr(other)});
    }

    // Of an axis cut in two: which part stays.
    bool isOuterConstant(const DraftLayer& layer, Axis axis, std::int64_t outer, std::int64_t inner)
    {
        const auto key = std::tuple(axis, outer, inner);
        if (const auto known = m_outer.find(key); known != m_outer.end()) return known->second;
        const bool constant = besideRest(layer.node.id, axis, outer, inner);
        m_cuts.emplace_back(layer.node.id, "The " + std::string(axis == Axis::Height ? "height" : "width") + " is cut into " + std::to_string(outer) + " times " + std::to_string(inner) +
                                                 " units here; at other input sizes " + std::to_string(constant ? outer : inner) + " stays. It may also be meant as " +
                                                 std::to_string(constant ? inner : outer) + " that stay.");
        return m_outer[key] = constant;
    }

    // A later Reshape holds the outer part as a number and leaves the rest open.
    bool besideRest(NodeId from, Axis axis, std::int64_t outer, std::int64_t inner) const
    {
        std::vector<NodeId> open{from};
        for (std::size_t next = 0; next < open.size() && next < 16; ++next)
            for (const NodeId reader : m_readers[static_cast<std::size_t>(open[next])]) {
                const DraftLayer& layer = m_draft.layer(reader);
                if (opFor(layer.node.kind).opClass != OpClass::Shape || layer.in.empty() || layer.out.empty()) continue;
                open.push_back(reader);
                if (!isReshape(layer) || !layer.out[0].shape.isComplete()) continue;
                const std::vector<SizeExpr> sizes = parseSizes(layer.node.attrs.getText("sizes"));
                const auto made = reshaped(dimensionsOf(layer.in[0]), layer.out[0].shape.dims());
                const bool rest = std::any_of(sizes.begin(), sizes.end(), [](const SizeExpr& size) { return size.constant() == -1; });
                // The rest holds the other part.
                const auto holds = [&](std::size_t i, std::int64_t size, std::int64_t step) {
                    return std::any_of((*made)[i].factors.begin(), (*made)[i].factors.end(), [&](const Factor& factor) { return factor == Factor{axis, size, step}; });
                };
                bool other = false;
                for (std::size_t i = 0; rest && made && i < made->size() && i < sizes.size(); ++i) other = other || (sizes[i].constant() == -1 && holds(i, inner, 1));
                for (std::size_t i = 0; other && i < made->size() && i < sizes.size(); ++i)
                    for (const Factor& factor : (*made)[i].factors)
                        if (factor.axis == axis && sizes[i].constant().value_or(0) > 1 && factor.size == outer && factor.step == inner) return true;
            }
        return false;
    }

    // The nearest map, this one's input or one before it, that has the axis whole in a dimension of its own.
    SizeExpr sourceOf(const DraftLayer& layer, Axis axis, std::int64_t size, SizeExpr otherwise) const
    {
        Port port = layer.node.inputs[0];
        for (int steps = 0; port.node != kNoNode && steps < 64; ++steps) {
            const DraftLayer& from = m_draft.layer(port.node);
            if (static_cast<std::size_t>(port.output) >= from.out.size()) break;
            const Value& value = from.out[static_cast<std::size_t>(port.output)];
            const Dimensions dimensions = dimensionsOf(value);
            for (std::size_t i = 0; i < dimensions.size(); ++i)
                if (dimensions[i].factors.size() == 1 && dimensions[i].factors[0] == Factor{axis, size, dimensions[i].factors[0].step} && dimensions[i].before + dimensions[i].after == 0 &&
                    (!isImageAxis(axis) || dimensions[i].factors[0].step == 1))
                    return SizeExpr::dimension(port, static_cast<int>(i));
            std::size_t next = 0;  // of several inputs, one that has the axis
            while (next < from.in.size() && next < from.node.inputs.size() && (from.node.inputs[next].node == kNoNode || gridSize(from.in[next], axis) != size)) ++next;
            if (next >= from.in.size() || next >= from.node.inputs.size()) break;
            port = from.node.inputs[next];
        }
        return otherwise;
    }

    void setSizes(DraftLayer& layer, const std::vector<SizeExpr>& sizes)
    {
        std::string text;
        const auto indexOf = [&](const MapDim& from) -> std::size_t {
            if (from.port.node == kNoNode) return static_cast<std::size_t>(from.port.output);  // of the text that was there
            return addInput(layer, from.port);
        };
        for (const SizeExpr& size : sizes) {
            if (!text.empty()) text += ';';
            text += size.text([&](const MapDim& from) { return "in" + std::to_string(indexOf(from)) + "." + std::to_string(from.dim); });
        }
        layer.node.attrs.set("sizes", text);
        layer.sizesBaked = true;
    }

    Draft& m_draft;
    FixedSides m_fixed;
    std::vector<std::vector<NodeId>> m_readers;
    std::vector<NodeId> m_followed;
    std::vector<std::pair<NodeId, std::string>> m_cuts;  // layer, what else may be meant
    std::map<std::tuple<Axis, std::int64_t, std::int64_t>, bool> m_outer;
};

}  // namespace

void followSizes(Draft& draft, const FixedSides& fixed) { Follower(draft, fixed).run(); }

}  // namespace fovea
