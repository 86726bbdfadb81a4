#include "core/zoo/builder.h"

#include "core/ops/registry.h"

namespace fovea::zoo {

namespace {

Ints fourSides(Pair padding) { return {padding.h, padding.w, padding.h, padding.w}; }

Ints fourSides(const Pool& p)
{
    const Pair end = p.paddingEnd == kSame ? p.padding : p.paddingEnd;
    return {p.padding.h, p.padding.w, end.h, end.w};
}

std::string parentPath(const std::string& name)
{
    const std::size_t dot = name.rfind('.');
    return dot == std::string::npos ? std::string() : name.substr(0, dot);
}

void bind(Node& node, std::initializer_list<const char*> roles)
{
    for (const char* role : roles) node.tensors.push_back({role, node.name + "." + role});
}

void bindTensors(Node& node)
{
    if (node.kind == "Conv2d" || node.kind == "ConvTranspose2d" || node.kind == "Linear") {
        bind(node, {"weight"});
        if (node.attrs.getBool("bias", true)) bind(node, {"bias"});
    } else if (node.kind == "BatchNorm2d") {
        bind(node, {"weight", "bias", "running_mean", "running_var"});
    } else if (node.kind == "LayerNorm" || node.kind == "GroupNorm") {
        bind(node, {"weight", "bias"});
    }
}

}  // namespace

Builder::Builder(std::string networkName) { m_graph.setName(std::move(networkName)); }

Builder::Scope::Scope(Builder& builder, std::string_view path) : m_builder(builder), m_length(builder.m_prefix.size())
{
    builder.m_prefix += path;
    builder.m_prefix += '.';
}

Builder::Scope::~Scope() { m_builder.m_prefix.resize(m_length); }

std::string Builder::fullName(std::string_view name)
{
    std::string full = m_prefix + std::string(name);
    int& used = m_used[full];
    if (used++ == 0) return full;
    for (;; ++used) {
        std::string numbered = full + "_" + std::to_string(used - 1);
        if (m_used.emplace(numbered, 1).second) return numbered;
    }
}

Port Builder::insert(Node node, Attrs attrs)
{
    node.id = m_next++;
    node.group = parentPath(node.name);
    for (const auto& [key, value] : attrs) node.attrs.set(key, value);
    bindTensors(node);
    const NodeId id = node.id;
    m_graph.insert(std::move(node));
    return {id, 0};
}

Port Builder::add(std::string_view kind, std::string_view name, std::vector<Port> inputs, Attrs attrs)
{
    return insert(makeNode(kind, fullName(name), std::move(inputs)), attrs);
}

Port Builder::inItsModule(Port layer)
{
    m_graph.update(layer.node, [](Node& node) { node.group = node.name; });
    return layer;
}

Port Builder::input(std::int64_t channels, Pair size, std::string_view name)
{
    return add("Input", name, {}, {{"shape", Ints{1, channels, size.h, size.w}}});
}

Port Builder::conv(Port in, std::string_view name, const Conv& c)
{
    const Pair padding =
        c.padding == kSame ? Pair((c.kernel.h - 1) * c.dilation.h / 2, (c.kernel.w - 1) * c.dilation.w / 2) : c.padding;
    return add("Conv2d", name, {in},
               {{"out_channels", c.out},
                {"kernel_size", c.kernel.ints()},
                {"stride", c.stride.ints()},
                {"padding", fourSides(padding)},
                {"dilation", c.dilation.ints()},
                {"groups", c.groups},
                {"bias", c.bias}});
}

Port Builder::convTranspose(Port in, std::string_view name, const Conv& c)
{
    return add("ConvTranspose2d", name, {in},
               {{"out_channels", c.out},
                {"kernel_size", c.kernel.ints()},
                {"stride", c.stride.ints()},
                {"padding", fourSides(c.padding)},
                {"dilation", c.dilation.ints()},
                {"groups", c.groups},
                {"bias", c.bias}});
}

Port Builder::batchNorm(Port in, std::string_view name)
{
    return add("BatchNorm2d", name, {in}, {{"eps", m_eps}, {"momentum", m_momentum}});
}

void Builder::setNorm(double eps, double momentum)
{
    m_eps = eps;
    m_momentum = momentum;
}

Port Builder::relu(Port in, std::string_view name) { return add("ReLU", name, {in}); }

Port Builder::maxPool(Port in, std::string_view name, const Pool& p)
{
    return add("MaxPool2d", name, {in},
               {{"kernel_size", p.kernel.ints()},
                {"stride", p.stride.ints()},
                {"padding", fourSides(p)},
                {"ceil_mode", p.ceilMode}});
}

Port Builder::avgPool(Port in, std::string_view name, const Pool& p)
{
    return add("AvgPool2d", name, {in},
               {{"kernel_size", p.kernel.ints()},
                {"stride", p.stride.ints()},
                {"padding", fourSides(p)},
                {"ceil_mode", p.ceilMode},
                {"count_include_pad", p.countIncludePad}});
}

Port Builder::adaptiveAvgPool(Port in, std::string_view name, Pair outputSize)
{
    return add("AdaptiveAvgPool2d", name, {in}, {{"output_size", outputSize.ints()}});
}

Port Builder::linear(Port in, std::string_view name, std::int64_t outFeatures, bool bias)
{
    return add("Linear", name, {in}, {{"out_features", outFeatures}, {"bias", bias}});
}

Port Builder::dropout(Port in, std::string_view name, double p) { return add("Dropout", name, {in}, {{"p", p}}); }

Port Builder::flatten(Port in, std::string_view name)
{
    return add("Flatten", name, {in}, {{"start_dim", std::int64_t{1}}, {"end_dim", std::int64_t{-1}}});
}

Port Builder::sum(Port a, Port b, std::string_view name) { return add("Add", name, {a, b}); }

Port Builder::product(Port a, Port b, std::string_view name) { return add("Mul", name, {a, b}); }

Port Builder::scale(Port in, std::string_view name, std::string_view tensor, Ints dims, double initial)
{
    Node node = makeNode("Mul", fullName(name), {in});
    node.tensors.push_back({"other", m_prefix + std::string(tensor)});
    return insert(std::move(node), {{"other_shape", std::move(dims)}, {"learned", true}, {"initial", initial}});
}

Port Builder::mean(Port in, std::string_view name)
{
    return add("AdaptiveAvgPool2d", name, {in}, {{"keepdim", false}});
}

Port Builder::resizeLike(Port in, Port like, const char* mode, std::string_view name)
{
    const bool nearest = std::string_view(mode) == "nearest";
    return add("Upsample", name, {in, like},
               {{"mode", std::string(mode)}, {"coordinates", std::string(nearest ? "asymmetric" : "half_pixel")}});
}

Port Builder::concat(std::vector<Port> parts, std::string_view name, std::int64_t dim)
{
    return add("Concat", name, std::move(parts), {{"dim", dim}});
}

Port Builder::classifier(Port in, std::string_view pool, std::string_view linearName, std::int64_t classes)
{
    return linear(flatten(adaptiveAvgPool(in, pool, 1)), linearName, classes);
}

void Builder::output(Port port, std::string name) { m_outputs.push_back({std::move(name), port}); }

Graph Builder::finish()
{
    m_graph.setOutputs(std::move(m_outputs));
    return std::move(m_graph);
}

}  // namespace fovea::zoo
