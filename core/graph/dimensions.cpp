#include "core/graph/dimensions.h"

#include "core/base/checked.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace fovea {

namespace {

constexpr std::array kImageAxes{Axis::Height, Axis::Width};

bool isImage(Axis axis) { return axis == Axis::Height || axis == Axis::Width; }

Axis axisAt(const Layout& layout, int dimension)
{
    if (layout.h == dimension && layout.w == dimension) return Axis::Other;  // positions of several maps
    for (const Axis axis : {Axis::Channel, Axis::Height, Axis::Width, Axis::Batch})
        if (layout.of(axis) == dimension) return axis;
    return Axis::Other;
}

bool holds(const Dimension& dimension, Axis axis) { return dimension.find(axis) != nullptr; }

bool holdsMany(const Dimension& dimension, Axis axis)
{
    return std::any_of(dimension.factors.begin(), dimension.factors.end(), [axis](const Factor& f) { return f.axis == axis && f.size != 1; });
}

// Factors that continue one another are one; those of one position say nothing beside others.
void join(Dimension& dimension)
{
    std::vector<Factor> out;
    for (const Factor& factor : dimension.factors) {
        if (!out.empty() && out.back().axis == factor.axis && out.back().size >= 0 && factor.size >= 0) {
            Factor& last = out.back();
            const bool continues = !isImage(factor.axis) || last.step == saturatingMul(factor.step, factor.size) || last.size == 1 || factor.size == 1;
            if (continues) {
                last.step = factor.size == 1 ? last.step : factor.step;
                last.size = saturatingMul(last.size, factor.size);
                continue;
            }
        }
        out.push_back(factor);
    }
    const bool many = std::any_of(out.begin(), out.end(), [](const Factor& f) { return f.size != 1; });
    // Of several single positions the first that is of the image or its channels names the dimension.
    if (many) std::erase_if(out, [](const Factor& f) { return f.size == 1 && (f.axis == Axis::Other || f.axis == Axis::Channel); });
    dimension.factors = std::move(out);
}

// How well a dimension carries an image axis: rather alone than beside the batch, and not among channels.
int fitness(const Dimension& dimension)
{
    if (holdsMany(dimension, Axis::Channel)) return 0;
    return holds(dimension, Axis::Batch) ? 1 : 2;
}

std::int8_t carrierOf(const Dimensions& dimensions, Axis axis)
{
    std::int8_t best = -1;
    std::pair<int, std::int64_t> most{0, 0};
    for (std::size_t i = 0; i < dimensions.size(); ++i) {
        const Factor* factor = dimensions[i].find(axis);
        if (!factor) continue;
        const std::pair<int, std::int64_t> now{isImage(axis) ? fitness(dimensions[i]) : 1, factor->size == 1 ? 0 : factor->step};
        if (now.first == 0 || (best >= 0 && now <= most)) continue;
        best = static_cast<std::int8_t>(i);
        most = now;
    }
    return best;
}

// A channel dimension is one that holds more than one channel, or nothing of the image.
std::int8_t channelsOf(const Dimensions& dimensions)
{
    for (std::size_t i = 0; i < dimensions.size(); ++i)
        if (holdsMany(dimensions[i], Axis::Channel)) return static_cast<std::int8_t>(i);
    for (std::size_t i = 0; i < dimensions.size(); ++i)
        if (holds(dimensions[i], Axis::Channel) && !holdsMany(dimensions[i], Axis::Height) && !holdsMany(dimensions[i], Axis::Width))
            return static_cast<std::int8_t>(i);
    return -1;
}

bool isPlain(const Dimensions& dimensions)
{
    std::array<int, 5> seen{};
    for (const Dimension& dimension : dimensions) {
        if (dimension.before || dimension.after || dimension.factors.size() > 1) return false;
        for (const Factor& factor : dimension.factors) {
            if (isImage(factor.axis) && factor.step != 1) return false;
            if (factor.axis != Axis::Other && ++seen[static_cast<std::size_t>(factor.axis)] > 1) return false;
        }
    }
    return true;
}

}  // namespace

bool Value::operator==(const Value& other) const
{
    if (shape != other.shape || layout != other.layout) return false;
    if (folded == other.folded) return true;
    return folded && other.folded && *folded == *other.folded;
}

std::int64_t Value::unitsAlong(Axis axis) const
{
    const std::int8_t at = layout.of(axis);
    if (at < 0 || at >= static_cast<int>(folded->size())) return kUnknown;
    const Factor* factor = (*folded)[static_cast<std::size_t>(at)].find(axis);
    return factor ? factor->size : kUnknown;
}

std::int64_t Dimension::size() const
{
    std::int64_t product = 1;
    for (const Factor& factor : factors) {
        if (factor.size < 0) return kUnknown;
        product = saturatingMul(product, factor.size);
    }
    return saturatingAdd(product, saturatingAdd(before, after));
}

const Factor* Dimension::find(Axis axis) const
{
    const auto it = std::find_if(factors.begin(), factors.end(), [axis](const Factor& f) { return f.axis == axis; });
    return it == factors.end() ? nullptr : &*it;
}

Dimensions dimensionsOf(const Value& value)
{
    Dimensions out;
    for (int i = 0; i < value.shape.rank(); ++i) {
        const std::int64_t size = value.shape[i];
        if (value.folded && i < static_cast<int>(value.folded->size())) {
            const Dimension& dimension = (*value.folded)[static_cast<std::size_t>(i)];
            if (dimension.size() == size) {
                out.push_back(dimension);
                continue;
            }
            if (dimension.factors.size() == 1) {
                out.push_back({{{dimension.factors[0].axis, size, dimension.factors[0].step}}});
                continue;
            }
        }
        out.push_back({{{axisAt(value.layout, i), size, 1}}});
    }
    return out;
}

Value valueOf(Dimensions dimensions)
{
    Value out{Shape::ofRank(0), {}};
    for (Dimension& dimension : dimensions) {
        join(dimension);
        out.shape.append(dimension.size());
    }
    out.layout.n = carrierOf(dimensions, Axis::Batch);
    out.layout.c = channelsOf(dimensions);
    out.layout.h = carrierOf(dimensions, Axis::Height);
    out.layout.w = carrierOf(dimensions, Axis::Width);
    if (out.shape.hasRank() && !isPlain(dimensions)) out.folded = std::make_shared<const Dimensions>(std::move(dimensions));
    return out;
}

namespace {

// Hands out factors in row-major order.
class Factors {
public:
    explicit Factors(const Dimensions& from)
    {
        for (const Dimension& dimension : from) m_all.insert(m_all.end(), dimension.factors.begin(), dimension.factors.end());
    }
    bool ended() const { return m_next == m_all.size(); }
    bool nextIsSingle() const { return !ended() && m_all[m_next].size == 1; }

    // Factors of `size` positions in all; false where they do not come to that.
    bool take(std::int64_t size, std::vector<Factor>& out)
    {
        while (size > 1) {
            if (ended() || m_all[m_next].size < 1) return false;
            Factor& next = m_all[m_next];
            if (size % next.size == 0) {
                size /= next.size;
                out.push_back(next);
                ++m_next;
            } else if (next.size % size == 0) {
                const std::int64_t inner = next.size / size;
                out.push_back({next.axis, size, saturatingMul(next.step, inner)});
                next.size = inner;
                size = 1;
            } else {
                return false;
            }
        }
        return true;
    }
    void takeSingle(std::vector<Factor>& out) { out.push_back(m_all[m_next++]); }

private:
    std::vector<Factor> m_all;
    std::size_t m_next = 0;
};

}  // namespace

std::optional<Dimensions> reshaped(const Dimensions& from, std::span<const std::int64_t> sizes)
{
    if (std::any_of(from.begin(), from.end(), [](const Dimension& d) { return d.before || d.after; })) {
        // Dimensions with positions of no map can only stay as they are.
        Dimensions same;
        for (const Dimension& dimension : from)
            if (dimension.size() != 1 || dimension.before || dimension.after) same.push_back(dimension);
        Dimensions out;
        std::size_t next = 0;
        for (const std::int64_t size : sizes) {
            if (size == 1) out.push_back({});
            else if (next < same.size() && same[next].size() == size) out.push_back(same[next++]);
            else return std::nullopt;
        }
        return next == same.size() ? std::optional(out) : std::nullopt;
    }
    Factors factors(from);
    Dimensions out;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        Dimension& dimension = out.emplace_back();
        if (sizes[i] < 1) return std::nullopt;
        if (sizes[i] == 1) {
            if (factors.nextIsSingle()) factors.takeSingle(dimension.factors);
            continue;
        }
        if (!factors.take(sizes[i], dimension.factors)) return std::nullopt;
        // Single positions behind belong here where nothing else of the new shape takes them.
        while (factors.nextIsSingle() && (i + 1 == sizes.size() || sizes[i + 1] != 1)) factors.takeSingle(dimension.factors);
    }
    while (factors.nextIsSingle() && !out.empty()) factors.takeSingle(out.back().factors);
    return factors.ended() ? std::optional(std::move(out)) : std::nullopt;
}

std::int64_t gridSize(const Value& value, Axis axis)
{
    if (!value.folded) {
        const std::int8_t at = value.layout.of(axis);
        return at < 0 || at >= value.shape.rank() ? 1 : value.shape[at];
    }
    std::int64_t size = 1;
    for (const Dimension& dimension : *value.folded)
        for (const Factor& factor : dimension.factors) {
            if (factor.axis != axis) continue;
            if (factor.size < 0) return kUnknown;
            size = saturatingMul(size, factor.size);
        }
    return size;
}

std::int64_t gridStep(const Value& value, Axis axis)
{
    const std::int8_t at = value.layout.of(axis);
    if (!value.folded || at < 0 || at >= static_cast<int>(value.folded->size())) return 1;
    const Factor* factor = (*value.folded)[static_cast<std::size_t>(at)].find(axis);
    return factor && factor->size != 1 ? factor->step : 1;
}

std::int64_t gridExtent(const Value& value, Axis axis)
{
    if (!value.folded) return 0;
    std::int64_t extent = 0;
    for (std::size_t i = 0; i < value.folded->size(); ++i) {
        const Dimension& dimension = (*value.folded)[i];
        if (static_cast<int>(i) == value.layout.of(axis) || holds(dimension, Axis::Batch)) continue;
        for (const Factor& factor : dimension.factors)
            if (factor.axis == axis && factor.size > 1) extent = saturatingAdd(extent, saturatingMul(factor.size - 1, factor.step));
    }
    return extent;
}

std::int64_t batchOf(const Value& value)
{
    if (!value.folded) {
        const Layout& at = value.layout;
        const bool carried = at.n >= 0 && at.n < value.shape.rank() && at.n != at.c && at.n != at.h && at.n != at.w;
        return carried ? std::max<std::int64_t>(value.shape[at.n], 1) : 1;
    }
    std::int64_t batch = 1;
    for (const Dimension& dimension : *value.folded)
        for (const Factor& factor : dimension.factors)
            if (factor.axis == Axis::Batch && factor.size > 0) batch = saturatingMul(batch, factor.size);
    return batch;
}

AxisRead axisRead(const Value& value, Axis axis, std::span<const int> dimensions)
{
    const auto isRead = [&](int at) { return std::find(dimensions.begin(), dimensions.end(), at) != dimensions.end(); };
    AxisRead out;
    if (!value.folded) {
        const std::int8_t at = value.layout.of(axis);
        out.read = out.whole = at >= 0 && at < value.shape.rank() && isRead(at);
        return out;
    }
    std::int64_t left = 0;  // greatest common divisor of the steps that are left
    for (std::size_t i = 0; i < value.folded->size(); ++i)
        for (const Factor& factor : (*value.folded)[i].factors) {
            if (factor.axis != axis) continue;
            if (isRead(static_cast<int>(i))) {
                out.read = true;
                if (factor.size != 1) out.extent = saturatingAdd(out.extent, saturatingMul(std::max<std::int64_t>(factor.size, 1) - 1, factor.step));
            } else if (factor.size != 1) {
                left = std::gcd(left, factor.step);
            }
        }
    out.whole = out.read && left == 0;
    out.stride = std::max<std::int64_t>(left, 1);
    return out;
}

Value readWhole(const Value& value, std::span<const int> dimensions, Axis into)
{
    Dimensions all = dimensionsOf(value);
    for (const Axis axis : kImageAxes) {
        const AxisRead read = axisRead(value, axis, dimensions);
        if (!read.read || read.whole || read.stride == 1) continue;
        for (Dimension& dimension : all)
            for (Factor& factor : dimension.factors)
                if (factor.axis == axis && factor.size != 1) factor.step = std::max<std::int64_t>(1, factor.step / read.stride);
    }
    for (const int at : dimensions)
        if (at >= 0 && at < static_cast<int>(all.size())) {
            Dimension& dimension = all[static_cast<std::size_t>(at)];
            dimension = {{{into, dimension.size(), 1}}};
        }
    return valueOf(std::move(all));
}

void resize(Value& value, int dimension, std::int64_t size)
{
    if (dimension < 0 || dimension >= value.shape.rank() || value.shape[dimension] == size) return;
    if (!value.folded) {
        value.shape[dimension] = size;
        return;
    }
    Dimensions all = dimensionsOf(value);
    Dimension& changed = all[static_cast<std::size_t>(dimension)];
    Axis axis = Axis::Other;
    std::int64_t step = 1;
    if (changed.factors.size() == 1) axis = changed.factors[0].axis, step = changed.factors[0].step;
    else if (holdsMany(changed, Axis::Channel)) axis = Axis::Channel;
    changed = {{{axis, size, step}}};
    value = valueOf(std::move(all));
}

}  // namespace fovea
