// Speaks the engine's protocol and writes run folders as it does, without LibTorch: what the studio shows of an engine
// can be tried anywhere. It learns by a script: loss 2 / (1 + epoch), top-1 (epoch + 1) / (epoch + 2).
// FOVEA_FAKE_ENGINE holds words apart by spaces:
//   die=N      is killed after N steps          refuse=load|train|evaluate  refuses that request
//   code=N     ends with code N when trained    step=MS                     takes that long for a step
//   gpu        says that there is a GPU         flat       no learning rate makes the loss fall
//   macs       a step takes a picosecond for each multiply-accumulate
//   epochs     measures at the ends of epochs alone              broken     images that cannot be read
#include "core/analysis/report.h"
#include "core/base/files.h"
#include "core/io/engine/jobs.h"
#include "core/io/engine/messages.h"
#include "core/io/engine/rpc.h"
#include "core/io/json/graph_json.h"
#include "core/io/safetensors/safetensors.h"
#include "core/recipe/run_folder.h"
#include "core/recipe/schedule.h"

#include <cmath>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <poll.h>
#include <sstream>
#include <unistd.h>

namespace fovea::test {

namespace {

constexpr std::int64_t kStepsPerEpoch = 5;

class FakeEngine {
public:
    FakeEngine()
    {
        const char* told = std::getenv("FOVEA_FAKE_ENGINE");
        std::istringstream words(told ? told : "");
        for (std::string word; words >> word;) {
            const std::size_t equals = word.find('=');
            m_told[word.substr(0, equals)] = equals == std::string::npos ? "" : word.substr(equals + 1);
        }
    }

    int run()
    {
        while (!m_over) {
            const auto line = nextLine(-1);
            if (!line) break;
            answer(*line);
        }
        return 0;
    }

private:
    std::int64_t number(const char* name, std::int64_t otherwise) const
    {
        const auto found = m_told.find(name);
        return found == m_told.end() ? otherwise : std::stoll(found->second);
    }

    // Waits so long at most; -1: for ever. nullopt: nothing came, or nobody is there any more.
    std::optional<std::string> nextLine(int milliseconds)
    {
        for (;;) {
            if (const std::size_t end = m_pending.find('\n'); end != std::string::npos) {
                std::string line = m_pending.substr(0, end);
                m_pending.erase(0, end + 1);
                return line;
            }
            pollfd in{STDIN_FILENO, POLLIN, 0};
            if (::poll(&in, 1, milliseconds) <= 0) return std::nullopt;
            char buffer[65536];
            const ssize_t count = ::read(STDIN_FILENO, buffer, sizeof buffer);
            if (count <= 0) std::_Exit(0);  // the studio is gone
            m_pending.append(buffer, static_cast<std::size_t>(count));
        }
    }

    void say(const std::string& line) { std::cout << line << "\n" << std::flush; }

    template <typename Message>
    void notify(const char* method, const Message& message)
    {
        say(requestLine(nullptr, method, toJson(message)));
    }

    void answer(const std::string& line)
    {
        const RpcRequest request = requestFrom(line);
        if (request.id.is_null()) return;
        try {
            say(resultLine(request.id, resultOf(request)));
        } catch (const Error& error) {
            say(errorLine(request.id, RpcCode::Refused, error.what(), toString(error.code())));
        }
    }

    Json resultOf(const RpcRequest& request)
    {
        if (const auto refused = m_told.find("refuse"); refused != m_told.end() && refused->second == request.method)
            throw Error(ErrorCode::File, "The fake engine will not " + request.method + ".");
        if (request.method == "hello") return hello();
        if (request.method == "load") return load(messageFrom<LoadRequest>(request.params));
        if (request.method == "train") return train(messageFrom<TrainRequest>(request.params));
        if (request.method == "evaluate") return evaluate(messageFrom<EvaluateRequest>(request.params));
        if (request.method == "recalibrate") return recalibrate(messageFrom<RecalibrateRequest>(request.params));
        if (request.method == "effectiveField") return field(messageFrom<EffectiveRequest>(request.params));
        if (request.method == "findLearningRate") return findRate(messageFrom<RateRequest>(request.params));
        if (request.method == "cost") return cost(messageFrom<CostRequest>(request.params));
        if (request.method == "probe") return probe(messageFrom<ProbeRequest>(request.params));
        m_over = request.method == kShutdownMethod;
        return Json::object();
    }

    Json hello()
    {
        HelloReply out;
        out.fovea = FOVEA_VERSION;
        out.libtorch = "0.0 (fake)";
        out.devices = {{"cpu", 0}};
        if (m_told.contains("gpu")) out.devices.push_back({"cuda:0", std::int64_t(24) << 30});
        else out.whyNoGpu = "The fake engine has none.";
        return toJson(out);
    }

    Json load(const LoadRequest& request)
    {
        m_load = request;
        m_weights = Weights();
        for (const std::string& file : request.weights) m_weights = readSafetensors(file);
        LoadReply out;
        out.given = static_cast<std::int64_t>(m_weights.tensors().size());
        m_weights = materialise(request.graph, m_weights, request.seed);
        return toJson(out);
    }

    // All weights, each plus one: easy to tell from what they were.
    Weights learnt() const
    {
        Weights out;
        for (const auto& [name, tensor] : m_weights.tensors()) {
            if (tensor.dtype != DType::Float32) {
                out.set(name, tensor);
                continue;
            }
            std::vector<float> values;
            for (std::int64_t i = 0; i < tensor.elements(); ++i)
                values.push_back(static_cast<float>(tensor.real(i)) + 1);
            out.set(name, Tensor::fromFloats(tensor.dims, std::move(values)));
        }
        return out;
    }

    void record(const RunFolder& folder, const MetricsLine& line)
    {
        std::ofstream(folder.metrics(), std::ios::app) << jsonLine(toJson(line)) << "\n";
        notify(kMetricsMethod, line);
    }

    void checkpoint(const RunFolder& folder)
    {
        const Weights weights = learnt();
        writeSafetensors(weights, folder.last());
        writeSafetensors(weights, folder.best());
    }

    // True where the studio said so meanwhile.
    bool isStopped()
    {
        const auto line = nextLine(static_cast<int>(number("step", 5)));
        return line && requestFrom(*line).method == kStopMethod;
    }

    struct Stand {
        RunInfo info;
        Recipe recipe;
        std::int64_t step = 0;
    };

    Stand begin(const TrainRequest& request, const RunFolder& folder)
    {
        Stand out;
        if (request.resume) {
            out.info = readRunInfo(folder);
            out.recipe = readRecipe(folder.recipe());
            if (request.epochs >= 0) out.recipe.epochs = request.epochs;
            for (const MetricsLine& line : readMetrics(folder.metrics())) out.step = line.step;
            m_weights = readSafetensors(folder.last());
            return out;
        }
        out.recipe = request.recipe;
        out.info = {request.name, request.data, {32, 32}, {"a", "b"}, {60, 20}, m_load.device, "0.0 (fake)", request.from};
        std::filesystem::create_directories(folder.root);
        writeAtomically(folder.graph(), jsonLine(toJson(m_load.graph)));
        writeAtomically(folder.recipe(), jsonLine(toJson(out.recipe)));
        return out;
    }

    Json train(const TrainRequest& request)
    {
        const RunFolder folder{request.run};
        Stand stand = begin(request, folder);
        stand.info.state = "running";
        writeAtomically(folder.info(), jsonLine(toJson(stand.info)));
        notify(kLogMethod, Log{request.resume ? "Goes on." : "Begins."});
        if (m_told.contains("code")) std::_Exit(static_cast<int>(number("code", 1)));
        const std::int64_t all = totalSteps(stand.recipe, kStepsPerEpoch);
        std::int64_t done = 0;
        bool stopped = false;
        while (stand.step < all && !stopped) {
            step(folder, stand, all);
            if (++done == number("die", -1)) ::raise(SIGKILL);
            stopped = isStopped();
        }
        checkpoint(folder);
        return reply(folder, stand, stopped && stand.step < all);
    }

    void step(const RunFolder& folder, Stand& stand, std::int64_t all)
    {
        MetricsLine line;
        line.epoch = stand.step / kStepsPerEpoch;
        line.lr = learningRate(stand.recipe, stand.step, kStepsPerEpoch);
        line.step = ++stand.step;
        line.trainLoss = 2.0 / (1 + static_cast<double>(line.step) / kStepsPerEpoch) + (line.step % 2 ? 0.05 : -0.05);
        line.imagesPerSecond = 1'000 + static_cast<double>(line.step % 7);
        line.seconds = static_cast<double>(line.step) * 0.1;
        line.memory = std::int64_t(300) << 20;
        if (!m_told.contains("epochs")) record(folder, line);
        Progress progress{"training", line.step, all, line.epoch, stand.recipe.epochs};
        progress.imagesPerSecond = line.imagesPerSecond;
        progress.secondsLeft = static_cast<double>(all - line.step) * 0.1;
        progress.memory = line.memory;
        notify(kProgressMethod, progress);
        if (line.step % kStepsPerEpoch != 0) return;
        const auto epoch = static_cast<double>(line.epoch);
        line.kind = MetricsLine::Kind::Epoch;
        line.evalLoss = 2 / (1 + epoch);
        line.top1 = (epoch + 1) / (epoch + 2);
        line.top5 = (epoch + 4) / (epoch + 5);
        checkpoint(folder);
        record(folder, line);
        notify(kLogMethod, Log{"Epoch " + std::to_string(line.epoch + 1) + " is done."});
    }

    Json reply(const RunFolder& folder, Stand& stand, bool stopped)
    {
        TrainReply out;
        out.state = stopped ? "stopped" : "done";
        out.reason = stopped ? "It was asked to stop." : "All epochs are done.";
        out.steps = stand.step;
        stand.info.state = out.state;
        stand.info.reason = out.reason;
        writeAtomically(folder.info(), jsonLine(toJson(stand.info)));
        return toJson(out);
    }

    BrokenImages broken() const
    {
        if (!m_told.contains("broken")) return {};
        return {4, {{"photos/cat/a.jpg", "It is cut."}, {"photos/cat/b.jpg", "It is cut."}, {"photos/dog/c.jpg", "It is cut."}, {"photos/dog/d.jpg", "It is cut."}}};
    }

    // Networks with a layer more are better by a tenth, so that two columns differ.
    Json evaluate(const EvaluateRequest&)
    {
        for (std::int64_t i = 0; i < 3; ++i) {
            notify(kProgressMethod, Progress{"evaluating", i, 3});
            if (isStopped()) break;
        }
        EvaluateReply out;
        out.images = 100;
        out.loss = 0.5;
        out.top1 = 0.5 + static_cast<double>(m_load.graph.nodes().size() % 10) / 100;
        out.top5 = 0.9;
        out.classes = {"cat", "dog", "a class with a name that is far too long for any column"};
        out.confusion = {{40, 5, 0}, {2, 30, 3}, {0, 0, 20}};
        out.broken = broken();
        return toJson(out);
    }

    Json recalibrate(const RecalibrateRequest& request)
    {
        writeSafetensors(learnt(), request.out);
        RecalibrateReply out;
        out.norms = 2;
        out.images = 100;
        out.top1Before = 0.25;
        out.top1After = 0.75;
        out.broken = broken();
        return toJson(out);
    }

    Json field(const EffectiveRequest& request)
    {
        const std::int64_t side = m_load.size ? (*m_load.size)[0] : 32;
        std::vector<float> values;
        for (std::int64_t y = 0; y < side; ++y)
            for (std::int64_t x = 0; x < side; ++x) {
                const auto dy = static_cast<double>(y - side / 2), dx = static_cast<double>(x - side / 2);
                values.push_back(static_cast<float>(std::exp(-(dy * dy + dx * dx) / 18)));
            }
        Weights image;
        image.set("field", Tensor::fromFloats({side, side}, std::move(values)));
        if (!request.image.empty()) writeSafetensors(image, request.image);
        EffectiveReply out;
        out.unit = request.unit.value_or(std::array<std::int64_t, 2>{4, 4});
        out.size = {side, side};
        out.box = {side / 2 - 7, side / 2 - 7, side / 2 + 8, side / 2 + 8};
        out.area = 170;
        out.diameter = 14.7;
        out.sigma = 3;
        out.images = 32;
        out.broken = broken();
        return toJson(out);
    }

    // Falls from 2 to 1 around a rate of 0.0123 and rises after 0.2.
    Json findRate(const RateRequest& request)
    {
        RateReply out;
        for (std::int64_t i = 0; i < request.steps; ++i) {
            const double share = static_cast<double>(i) / static_cast<double>(request.steps - 1);
            const double rate = request.low * std::pow(request.high / request.low, share);
            out.rates.push_back(rate);
            const double fall = 1 / (1 + std::exp(4 * std::log10(rate / 0.0123)));
            out.losses.push_back(m_told.contains("flat") ? 2 + share : 1 + fall + std::pow(rate / 0.2, 3) / 20);
            notify(kProgressMethod, Progress{"finding the learning rate", i + 1, request.steps});
            if (isStopped()) break;
        }
        if (!m_told.contains("flat") && out.rates.back() > 0.1) out.suggested = 0.012345;
        out.broken = broken();
        return toJson(out);
    }

    // A millisecond an image in training and a quarter of it else, or as told a picosecond for each multiply-accumulate;
    // and as many MiB as the layers' names have letters.
    Json cost(const CostRequest& request)
    {
        CostReply out;
        for (std::int64_t i = 0; i <= request.repeats; ++i) {
            notify(kProgressMethod, Progress{"measuring the cost", i, request.repeats + 1});
            if (isStopped()) throw Error(ErrorCode::Usage, "The measurement was stopped.");
        }
        out.median = static_cast<double>(request.batch) * (request.training ? 1e-3 : 0.25e-3);
        if (m_told.contains("macs")) out.median = static_cast<double>(analyze(m_load.graph).summary.macs) * 1e-12;
        out.seconds.assign(static_cast<std::size_t>(request.repeats), out.median);
        for (const auto& node : m_load.graph.nodes())
            out.memory += static_cast<std::int64_t>(node->name.size()) << 20;
        out.device = m_load.device;
        return toJson(out);
    }

    Json probe(const ProbeRequest&)
    {
        ProbeReply out;
        double top1 = 0.3;
        for (const NodeId id : executionOrder(m_load.graph)) {
            const Node& node = m_load.graph.at(id);
            if (node.kind != "Conv2d") continue;
            out.rows.push_back({node.name, 64, top1, top1 + 0.05});
            top1 = std::min(0.9, top1 + 0.04);
        }
        out.images = 100;
        out.validationImages = 50;
        out.classes = 10;
        out.broken = broken();
        return toJson(out);
    }

    std::map<std::string, std::string> m_told;
    std::string m_pending;
    LoadRequest m_load;
    Weights m_weights;
    bool m_over = false;
};

}  // namespace

}  // namespace fovea::test

int main()
{
    try {
        return fovea::test::FakeEngine().run();
    } catch (const std::exception& error) {
        std::cerr << error.what() << "\n";
        return 3;
    }
}
