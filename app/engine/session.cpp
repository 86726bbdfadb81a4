#include "app/engine/session.h"

#include "core/base/files.h"
#include "core/io/engine/rpc.h"
#include "core/io/safetensors/safetensors.h"
#include "core/ops/registry.h"
#include "core/train/device.h"

#include <algorithm>
#include <limits>
#include <map>
#include <new>

namespace fovea::engine {

namespace {

struct UnknownMethod {
    std::string name;
};

// The bytes of a tensor inside a file that somebody else describes.
Tensor tensorAt(const LoadRequest::Place& place, std::map<std::string, std::shared_ptr<const MappedFile>>& files)
{
    auto& file = files[place.file];
    if (!file) file = MappedFile::open(place.file);
    std::int64_t size = static_cast<std::int64_t>(byteSize(place.dtype));
    for (const std::int64_t dim : place.dims) {
        const auto next = checkedMul(size, dim);
        if (!next)
            throw Error(ErrorCode::Format, "Tensor '" + place.name + "' describes more bytes than can be counted.");
        size = *next;
    }
    const auto end = checkedAdd(place.offset, size);
    if (!end || static_cast<std::uint64_t>(*end) > file->bytes().size())
        throw Error(ErrorCode::Format, "Tensor '" + place.name + "' needs " + std::to_string(size) +
                                           " bytes from byte " + std::to_string(place.offset) + " on, but '" +
                                           place.file + "' has " + std::to_string(file->bytes().size()) + ".");
    return {place.dtype, place.dims,
            file->bytes().subspan(static_cast<std::size_t>(place.offset), static_cast<std::size_t>(size)), file};
}

Weights weightsOf(const LoadRequest& request)
{
    Weights out;
    for (const std::string& file : request.weights) {
        const Weights read = readSafetensors(file);
        for (const auto& [name, tensor] : read.tensors()) out.set(name, tensor);
    }
    std::map<std::string, std::shared_ptr<const MappedFile>> files;
    for (const auto& place : request.tensors) out.set(place.name, tensorAt(place, files));
    return out;
}

const Node* firstImage(const Graph& graph)
{
    for (const auto& node : graph.nodes())
        if (const Ints* shape = node->kind == "Input" ? node->attrs.getInts("shape") : nullptr;
            shape && shape->size() == 4)
            return node.get();
    return nullptr;
}

Graph atSize(Graph graph, const std::array<std::int64_t, 2>& size)
{
    const Node* image = firstImage(graph);
    if (!image) throw Error(ErrorCode::Usage, "The network has no image input (NxCxHxW), so it has no side to set.");
    Ints shape = *image->attrs.getInts("shape");
    shape[2] = size[0];
    shape[3] = size[1];
    graph.update(image->id, [&](Node& node) { node.attrs.set("shape", shape); });
    return graph;
}

NamedTensors inputsFor(const Module& module, const std::string& file, std::uint64_t seed)
{
    if (file.empty()) return module.randomInputs(seed);
    return readSafetensors(file).tensors();
}

ForwardReply::Output summaryOf(const std::string& name, const Tensor& tensor)
{
    ForwardReply::Output out{name, tensor.dims, std::numeric_limits<double>::infinity(),
                             -std::numeric_limits<double>::infinity(), 0};
    const std::int64_t count = tensor.elements();
    for (std::int64_t i = 0; i < count; ++i) {
        const double value = tensor.real(i);
        out.low = std::min(out.low, value);
        out.high = std::max(out.high, value);
        out.mean += value / static_cast<double>(count);
    }
    return out;
}

// Middle of the layer's map at the loaded size.
std::array<std::int64_t, 2> centreOf(const Graph& graph, const std::string& layer)
{
    const Prepared prepared = prepare(graph);
    std::vector<Issue> issues;
    const std::vector<Value> values = inferShapes(prepared, issues);
    for (const auto& entry : prepared.entries)
        if (entry.node->name == layer && entry.outputCount > 0)
            return {std::max<std::int64_t>(values[entry.firstOutput].height(), 0) / 2,
                    std::max<std::int64_t>(values[entry.firstOutput].width(), 0) / 2};
    throw Error(ErrorCode::Usage, "The network has no layer called '" + layer + "'.");
}

}  // namespace

std::string Session::answer(std::string_view line)
{
    Json id;
    try {
        RpcRequest request;
        try {
            request = requestFrom(line);
        } catch (const Error& error) {
            const bool json = Json::accept(line.begin(), line.end());
            return errorLine(nullptr, json ? RpcCode::InvalidRequest : RpcCode::ParseError, error.what());
        }
        id = request.id;
        const Json result = dispatch(request.method, request.params);
        return id.is_null() ? std::string() : resultLine(id, result);
    } catch (const UnknownMethod& unknown) {
        return errorLine(id, RpcCode::UnknownMethod, "The engine knows no request '" + unknown.name + "'.");
    } catch (const Error& error) {
        return errorLine(id, RpcCode::Refused, error.what(), toString(error.code()));
    } catch (const std::bad_alloc&) {
        return errorLine(id, RpcCode::Refused, "There is not enough memory for this.", toString(ErrorCode::Limit));
    } catch (const std::exception& error) {
        return errorLine(id, RpcCode::Internal, std::string("Internal error: ") + error.what() + ".");
    }
}

std::string Session::refuseLongLine() const
{
    return errorLine(nullptr, RpcCode::InvalidRequest,
                     "The message is longer than " + std::to_string(kMaxMessage) + " bytes.");
}

Json Session::dispatch(const std::string& method, const Json& params)
{
    if (method == HelloRequest::kMethod) return hello(messageFrom<HelloRequest>(params));
    if (method == LoadRequest::kMethod) return load(messageFrom<LoadRequest>(params));
    if (method == ForwardRequest::kMethod) return forward(messageFrom<ForwardRequest>(params));
    if (method == GradientRequest::kMethod) return gradient(messageFrom<GradientRequest>(params));
    if (method != kShutdownMethod) throw UnknownMethod{method};
    m_over = true;
    return Json::object();
}

Json Session::hello(const HelloRequest& request) const
{
    if (request.protocol != kEngineProtocol)
        throw Error(ErrorCode::Usage, "This engine speaks protocol " + std::to_string(kEngineProtocol) +
                                          ", but was asked for " + std::to_string(request.protocol) +
                                          ": use the engine and the program of one version of Fovea.");
    HelloReply reply{kEngineProtocol, FOVEA_VERSION, torchVersion(), {}, whyNoGpu()};
    for (const DeviceInfo& device : torchDevices()) reply.devices.push_back({device.name, device.memory});
    return toJson(reply);
}

Json Session::load(const LoadRequest& request)
{
    m_module.reset();  // two networks at once may not fit
    m_graph = request.size ? atSize(request.graph, *request.size) : request.graph;
    Weights weights;
    std::vector<std::string> fresh;
    if (!request.support) weights = materialise(m_graph, weightsOf(request), request.seed, &fresh);
    m_module.emplace(m_graph, weights,
                     ModuleOptions{.mode = request.support ? RunMode::Support : RunMode::Plain,
                                   .doublePrecision = request.doublePrecision,
                                   .device = request.device,
                                   .seed = request.seed});
    LoadReply reply;
    for (const auto& node : m_graph.nodes())
        if (const Ints* shape = node->kind == "Input" ? node->attrs.getInts("shape") : nullptr)
            reply.inputs.push_back({node->name, *shape});
    for (const GraphOutput& output : m_graph.outputs()) reply.outputs.push_back(output.name);
    reply.given = static_cast<std::int64_t>(weights.tensors().size() - fresh.size());
    reply.initialised = static_cast<std::int64_t>(fresh.size());
    return toJson(reply);
}

const Module& Session::loaded() const
{
    if (!m_module) throw Error(ErrorCode::Usage, "No network is loaded: send 'load' first.");
    return *m_module;
}

Json Session::forward(const ForwardRequest& request) const
{
    const Module& module = loaded();
    const NamedTensors outputs = module.forward(inputsFor(module, request.inputs, request.seed));
    ForwardReply reply;
    Weights written;
    for (const auto& [name, tensor] : outputs) {
        reply.outputs.push_back(summaryOf(name, tensor));
        written.set(name, tensor);
    }
    if (!request.outputs.empty()) writeSafetensors(written, request.outputs);
    return toJson(reply);
}

Json Session::gradient(const GradientRequest& request) const
{
    const Module& module = loaded();
    GradientReply reply;
    reply.unit = request.unit ? *request.unit : centreOf(m_graph, request.layer);
    const UnitOf unit{request.layer, reply.unit[0], reply.unit[1], 0};
    const Tensor image =
        module.inputGradients(std::span(&unit, 1), inputsFor(module, request.inputs, request.seed)).front();
    reply.box = supportOf(image);
    if (!request.image.empty()) {
        Weights written;
        written.set("gradient", image);
        writeSafetensors(written, request.image);
    }
    return toJson(reply);
}

}  // namespace fovea::engine
