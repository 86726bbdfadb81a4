#include "core/train/scores.h"

#include "core/base/random.h"
#include "core/train/purposes.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <chrono>
#include <numeric>

namespace fovea {

namespace {

constexpr double kTellEvery = 0.2;  // seconds
constexpr std::size_t kNamedBroken = 20;
constexpr std::int64_t kMostInTable = 2000;  // classes: four million numbers in a message

}  // namespace

double secondsNow()
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

ProgressTeller::ProgressTeller(const JobWatch& watch, Progress start, std::string device)
    : m_watch(watch), m_progress(std::move(start)), m_device(std::move(device)), m_began(secondsNow()),
      m_doneAtStart(m_progress.done)
{}

double ProgressTeller::imagesPerSecond() const
{
    return static_cast<double>(m_images) / std::max(secondsNow() - m_began, 1e-9);
}

void ProgressTeller::advance(std::int64_t images)
{
    m_images += images;
    ++m_progress.done;
    const double now = secondsNow();
    if (now - m_told < kTellEvery && m_progress.done != m_progress.total) return;
    m_told = now;
    m_progress.imagesPerSecond = imagesPerSecond();
    const double perStep =
        (now - m_began) / static_cast<double>(std::max<std::int64_t>(m_progress.done - m_doneAtStart, 1));
    m_progress.secondsLeft =
        m_progress.total > 0 ? perStep * static_cast<double>(m_progress.total - m_progress.done) : -1;
    m_progress.memory = memoryInUse(m_device);
    m_watch.progress(m_progress);
}

Scores scoreOf(ClassifyingNetwork& classifier, Loader& loader, const std::string& phase, const JobWatch& watch)
{
    const c10::NoGradGuard noGradients;
    classifier.setTraining(false);
    const std::int64_t classes = classifier.classes();
    Scores out;
    const bool isTold = classes <= kMostInTable;
    if (isTold) out.confusion.assign(static_cast<std::size_t>(classes * classes), 0);
    Progress start;
    start.phase = phase;
    start.total = loader.batchesPerEpoch();
    ProgressTeller teller(watch, start, classifier.network().options.device);
    loader.start(0);
    while (const auto batch = loader.next()) {
        if (watch.stop()) {
            out.stopped = true;
            break;
        }
        translated("scoring", [&] {
            const at::Tensor logits = classifier.logits(classifier.images(*batch)), labels = classifier.labels(*batch);
            const at::Tensor losses = at::cross_entropy_loss(logits, labels, {}, at::Reduction::Sum);
            const at::Tensor best = std::get<1>(logits.topk(std::min<std::int64_t>(5, classes), 1));
            const at::Tensor hits = best.eq(labels.unsqueeze(1)).to(at::kCPU).contiguous();
            out.loss += losses.to(at::kDouble).item<double>();
            out.top5 += static_cast<double>(hits.any(1).sum().item<std::int64_t>());
            const at::Tensor first = best.select(1, 0).to(at::kCPU).contiguous();
            for (std::size_t i = 0; i < batch->labels.size(); ++i) {
                const std::int64_t predicted = first.data_ptr<std::int64_t>()[i], wanted = batch->labels[i];
                out.top1 += predicted == wanted ? 1 : 0;
                if (isTold) ++out.confusion[static_cast<std::size_t>(wanted * classes + predicted)];
            }
        });
        out.images += static_cast<std::int64_t>(batch->labels.size());
        teller.advance(static_cast<std::int64_t>(batch->labels.size()));
    }
    if (out.images == 0 && !out.stopped)
        throw Error(ErrorCode::Usage,
                    loader.broken().empty()
                        ? "The data has no images to evaluate on: give a larger 'val-split', or more images."
                        : "None of the images to evaluate on can be read; the first is '" +
                              loader.broken().front().name + "': " + loader.broken().front().why);
    const double count = std::max<double>(static_cast<double>(out.images), 1);
    out.loss /= count;
    out.top1 /= count;
    out.top5 /= count;
    return out;
}

void addBroken(BrokenImages& to, const Loader& loader)
{
    for (const BrokenImage& broken : loader.broken()) {
        ++to.count;
        if (to.named.size() < kNamedBroken) to.named.push_back({broken.name, broken.why});
    }
}

std::string preprocessingText(const Preprocessing& how, bool isOwn)
{
    const auto numbers = [](const std::vector<double>& values) {
        std::string out;
        char text[32];
        for (const double value : values) {
            std::snprintf(text, sizeof text, "%s%.3f", out.empty() ? "" : ", ", value);
            out += text;
        }
        return out;
    };
    return (how.resize > 0 ? "shorter side to " + std::to_string(how.resize) + " px, the middle cut out"
                           : std::string("resized to the network's input")) +
           (how.order == ChannelOrder::Bgr ? ", BGR" : "") + ", mean " + numbers(how.mean) + ", deviation " +
           numbers(how.deviation) +
           (isOwn ? ", as the model says." : ", of the training images: the model says nothing.");
}

Graph withPreprocessing(const Graph& graph, const DataParts& parts, const JobWatch& watch)
{
    Graph out = withPreprocessing(graph, *parts.train, watch.stop);
    watch.log(parts.description);
    watch.log("Images: " + preprocessingText(*out.preprocessing(), graph.preprocessing().has_value()));
    return out;
}

DatasetPtr partOf(const DataParts& parts, const std::string& part, std::int64_t images, std::uint64_t seed)
{
    if (part != "train" && part != "validation")
        throw Error(ErrorCode::Usage,
                    "The data has the parts 'train' and 'validation', but '" + part + "' was asked for.");
    const DatasetPtr& whole = part == "train" ? parts.train : parts.validation;
    if (images <= 0 || images >= whole->size()) return whole;
    std::vector<std::int64_t> order(static_cast<std::size_t>(whole->size()));
    std::iota(order.begin(), order.end(), std::int64_t{0});
    RandomStream stream(seed, {kPartPurpose});
    stream.shuffle(order);
    order.resize(static_cast<std::size_t>(images));
    std::sort(order.begin(), order.end());
    return partOfDataset(whole, std::move(order));
}

DataParts openFor(const DataUse& use)
{
    if (use.source.empty()) throw Error(ErrorCode::Usage, "No data was given.");
    return openData(use.source, {.validation = use.validation, .seed = static_cast<std::uint64_t>(use.splitSeed)});
}

int workersOf(const DataUse& use) { return static_cast<int>(std::clamp<std::int64_t>(use.workers, 0, 256)); }

LoadOptions loadOptionsFor(const ClassifyingNetwork& classifier, const DataUse& use)
{
    LoadOptions out = classifier.loadOptions();
    if (use.batch < 1 || use.batch > 65536)
        throw Error(ErrorCode::Usage, "A batch has from 1 to 65536 images, not " + std::to_string(use.batch) + ".");
    out.batch = use.batch;
    out.workers = workersOf(use);
    return out;
}

void checkClasses(const ClassifyingNetwork& classifier, const Dataset& data)
{
    if (const auto count = static_cast<std::int64_t>(data.classes().size()); count != classifier.classes())
        throw Error(ErrorCode::Usage, "The network tells " + std::to_string(classifier.classes()) +
                                          " classes apart, but the data has " + std::to_string(count) +
                                          "; training gives it a new head.");
}

}  // namespace fovea
