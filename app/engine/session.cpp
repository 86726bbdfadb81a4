#include "app/engine/session.h"

#include "core/base/files.h"
#include "core/graph/first_image.h"
#include "core/io/engine/rpc.h"
#include "core/io/safetensors/safetensors.h"
#include "core/ops/registry.h"
#include "core/train/cost.h"
#include "core/train/device.h"
#include "core/train/effective_field.h"
#include "core/train/evaluate.h"
#include "core/train/norms.h"
#include "core/train/probe.h"

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

Graph atSize(Graph graph, const std::array<std::int64_t, 2>& size)
{
    const Node* image = firstImage(graph);
    if (!image) throw Error(ErrorCode::Usage, "The network has no image input (NxCxHxW), so it has no side to set.");
    Ints shape = *image->attrs.getInts("shape");
    const ImageDims dims = *imageDims(*image);
    shape[dims.h] = size[0];
    shape[dims.w] = size[1];
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

UnfoldReply unfold(const TrainStart& start, const UnfoldRequest& request, const JobWatch& watch)
{
    return unfoldNorms(start, request, watch).reply;
}

template <typename Request, auto kWork>
std::function<Json(const JobWatch&)> jobOf(TrainStart start, const Json& params)
{
    return [start = std::move(start), request = messageFrom<Request>(params)](const JobWatch& watch) {
        return toJson(kWork(start, request, watch));
    };
}

}  // namespace

Session::~Session() { stopJob(); }

void Session::stopJob()
{
    m_stop = true;
    if (m_job.joinable()) m_job.join();
}

std::string Session::replyTo(const Json& id, const std::function<Json()>& work) const
{
    try {
        const Json result = work();
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

std::string Session::answer(std::string_view line)
{
    RpcRequest request;
    try {
        request = requestFrom(line);
    } catch (const Error& error) {
        const bool json = Json::accept(line.begin(), line.end());
        return errorLine(nullptr, json ? RpcCode::InvalidRequest : RpcCode::ParseError, error.what());
    }
    bool later = false;
    const std::string reply = replyTo(request.id, [&] {
        auto job = jobFor(request.method, request.params);
        if (!job) return dispatch(request.method, request.params);
        startJob(request.id, std::move(*job));
        later = true;
        return Json();
    });
    return later ? std::string() : reply;
}

JobWatch Session::watch() const
{
    const auto tell = [this](const char* method, const Json& params) { m_send(requestLine(nullptr, method, params)); };
    JobWatch out;
    out.progress = [tell](const Progress& progress) { tell(kProgressMethod, toJson(progress)); };
    out.metrics = [tell](const MetricsLine& line) { tell(kMetricsMethod, toJson(line)); };
    out.log = [tell](const std::string& text) { tell(kLogMethod, toJson(Log{text})); };
    out.stop = [this] { return m_stop.load(); };
    return out;
}

void Session::startJob(const Json& id, Job job)
{
    if (m_job.joinable()) m_job.join();  // it has ended
    m_module.reset();                    // two networks at once may not fit
    m_stop = false;
    m_busy = true;
    m_job = std::thread([this, id, job = std::move(job)] {
        const std::string reply = replyTo(id, [&] { return job(watch()); });
        m_busy = false;
        if (!reply.empty()) m_send(reply);
    });
}

std::optional<Session::Job> Session::jobFor(const std::string& method, const Json& params)
{
    using Make = Job (*)(TrainStart, const Json&);
    static const std::map<std::string, Make> kJobs = {
        {TrainRequest::kMethod, jobOf<TrainRequest, train>},
        {EvaluateRequest::kMethod, jobOf<EvaluateRequest, evaluate>},
        {ProbeRequest::kMethod, jobOf<ProbeRequest, probe>},
        {RateRequest::kMethod, jobOf<RateRequest, findLearningRate>},
        {RecalibrateRequest::kMethod, jobOf<RecalibrateRequest, recalibrate>},
        {UnfoldRequest::kMethod, jobOf<UnfoldRequest, unfold>},
        {EffectiveRequest::kMethod, jobOf<EffectiveRequest, effectiveField>},
        {CostRequest::kMethod, jobOf<CostRequest, measureCost>}};
    const auto made = kJobs.find(method);
    if (made == kJobs.end()) return std::nullopt;
    refuseWhileBusy();
    if (method == TrainRequest::kMethod)
        if (auto request = messageFrom<TrainRequest>(params); request.resume) {
            request.device = deviceFor(request.device);
            return [request](const JobWatch& watch) { return toJson(resumeTraining(request, watch)); };
        }
    return made->second(start(), params);
}

void Session::refuseWhileBusy() const
{
    if (m_busy)
        throw Error(ErrorCode::Usage, "The engine is busy with another job: stop it first, or wait for its end.");
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
    if (method != kShutdownMethod && method != kStopMethod) throw UnknownMethod{method};
    m_stop = true;
    m_over = m_over || method == kShutdownMethod;
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
    refuseWhileBusy();
    m_module.reset();  // two networks at once may not fit
    m_isLoaded = false;
    m_graph = request.size ? atSize(request.graph, *request.size) : request.graph;
    m_loaded = request;
    m_loaded.device = deviceFor(request.device);
    m_loaded.graph = {};
    std::vector<std::string> fresh;
    m_given = request.support ? Weights() : weightsOf(request);
    m_weights = request.support ? Weights() : materialise(m_graph, m_given, request.seed, &fresh);
    m_isLoaded = true;
    module();  // what does not fit is said now
    LoadReply reply;
    for (const auto& node : m_graph.nodes())
        if (const Ints* shape = node->kind == "Input" ? node->attrs.getInts("shape") : nullptr)
            reply.inputs.push_back({node->name, *shape});
    for (const GraphOutput& output : m_graph.outputs()) reply.outputs.push_back(output.name);
    reply.given = static_cast<std::int64_t>(m_weights.tensors().size() - fresh.size());
    reply.initialised = static_cast<std::int64_t>(fresh.size());
    return toJson(reply);
}

const Module& Session::module()
{
    refuseWhileBusy();  // LibTorch's random numbers are the job's
    if (!m_isLoaded) throw Error(ErrorCode::Usage, "No network is loaded: send 'load' first.");
    if (!m_module)
        m_module.emplace(m_graph, m_weights,
                         ModuleOptions{.mode = m_loaded.support ? RunMode::Support : RunMode::Plain,
                                       .doublePrecision = m_loaded.doublePrecision,
                                       .device = m_loaded.device,
                                       .seed = m_loaded.seed});
    return *m_module;
}

TrainStart Session::start() const
{
    if (!m_isLoaded) throw Error(ErrorCode::Usage, "No network is loaded: send 'load' first.");
    if (m_loaded.support)
        throw Error(ErrorCode::Usage, "The loaded network has no weights of its own: send 'load' without 'support'.");
    return {m_graph, m_weights, m_loaded.device, m_given};
}

Json Session::forward(const ForwardRequest& request)
{
    const Module& module = this->module();
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

Json Session::gradient(const GradientRequest& request)
{
    const Module& module = this->module();
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
