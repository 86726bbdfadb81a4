#include "core/train/checkpoint.h"

#include "core/base/files.h"
#include "core/io/pytorch/keys.h"
#include "core/io/safetensors/safetensors.h"
#include "core/train/tensors.h"

#include <c10/core/GradMode.h>

#include <charconv>

namespace fovea {

namespace {

constexpr const char* kCounts = "position/counts";
constexpr const char* kNumbers = "position/numbers";
constexpr std::size_t kCountsSize = 7, kNumbersSize = 4;

Tensor countsOf(const RunPosition& position)
{
    return Tensor::fromIntegers({static_cast<std::int64_t>(kCountsSize)},
                                {position.epoch, position.batch, position.step, position.bestEpoch,
                                 position.epochsSinceBest, position.epochSteps, position.lineSteps});
}

at::Tensor numbersOf(const RunPosition& position)
{
    return at::tensor({position.bestTop1, position.seconds, position.epochLoss, position.lineLoss}, at::kDouble);
}

Tensor tensorIn(const Weights& weights, const std::string& name, const Ints& dims)
{
    const Tensor* tensor = weights.find(name);
    if (!tensor) throw Error(ErrorCode::Format, "The checkpoint lacks the tensor '" + name + "'.");
    if (tensor->dims != dims)
        throw Error(ErrorCode::Format, "The checkpoint's tensor '" + name + "' has shape " + toText(tensor->dims) +
                                           " instead of " + toText(dims) + ": it belongs to another network.");
    return *tensor;
}

RunPosition positionIn(const Weights& state)
{
    const Tensor counts = tensorIn(state, kCounts, {static_cast<std::int64_t>(kCountsSize)});
    const Tensor numbers = tensorIn(state, kNumbers, {static_cast<std::int64_t>(kNumbersSize)});
    RunPosition out;
    std::int64_t index = 0;
    for (std::int64_t* count :
         {&out.epoch, &out.batch, &out.step, &out.bestEpoch, &out.epochsSinceBest, &out.epochSteps, &out.lineSteps})
        *count = counts.integer(index++);
    index = 0;
    for (double* number : {&out.bestTop1, &out.seconds, &out.epochLoss, &out.lineLoss}) *number = numbers.real(index++);
    if (out.epoch < 0 || out.batch < 0 || out.step < 0)
        throw Error(ErrorCode::Format, "The checkpoint says that the run stands before its start.");
    return out;
}

void copyInto(at::Tensor tensor, const Weights& weights, const std::string& name)
{
    const c10::NoGradGuard noGradients;
    tensor.copy_(toTorch(tensorIn(weights, name, tensor.sizes().vec()), tensor.scalar_type(), tensor.device(), name));
}

void removeOtherStates(const RunFolder& folder, const std::filesystem::path& kept)
{
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(folder.root, ignored))
        if (isStateFile(entry.path()) && entry.path() != kept) std::filesystem::remove(entry.path(), ignored);
}

Weights weightsUnder(const Keys& keys, const Network& network)
{
    Weights out;
    for (const Network::Owned& owned : network.owned) out.set(keys.at(owned.name), fromTorch(owned.tensor));
    return out;
}

}  // namespace

void writeBest(const RunFolder& folder, const Network& network, const Keys& keys, std::int64_t epoch)
{
    writeSafetensors(weightsUnder(keys, network), folder.best(), {{"format", "pt"}, {"epoch", std::to_string(epoch)}});
}

void writeCheckpoint(const RunFolder& folder, const Network& network, const Keys& keys, const StateTensors& state,
                     const RunPosition& position)
{
    Weights written;
    for (const auto& [name, tensor] : state) written.set(name, fromTorch(tensor));
    written.set(kCounts, countsOf(position));
    written.set(kNumbers, fromTorch(numbersOf(position)));
    const std::filesystem::path file = folder.state(position.step);
    writeSafetensors(written, file);
    writeSafetensors(weightsUnder(keys, network), folder.last(),
                     {{"format", "pt"}, {"state", file.filename().string()}});
    removeOtherStates(folder, file);
}

std::optional<RunPosition> readCheckpoint(const RunFolder& folder, Network& network, StateTensors& state)
{
    if (!std::filesystem::exists(folder.last())) return std::nullopt;
    SafetensorsMetadata metadata;
    const Weights weights = weightsFromStateDict(network.graph, readSafetensors(folder.last(), &metadata));
    const std::filesystem::path name = metadata["state"];
    if (name.empty() || name != name.filename())
        throw Error(ErrorCode::Format,
                    "'" + folder.last().string() + "' names no state to go on from; train from it as a new run.");
    const Weights stored = readSafetensors(folder.root / name);
    const RunPosition position = positionIn(stored);
    for (Network::Owned& owned : network.owned) copyInto(owned.tensor, weights, owned.name);
    for (auto& [key, tensor] : state) copyInto(tensor, stored, key);
    return position;
}

void keepMetricsUpTo(const RunFolder& folder, const RunPosition& position)
{
    if (!std::filesystem::exists(folder.metrics())) return;
    std::string text;
    for (const MetricsLine& line : readMetrics(folder.metrics()))
        if (line.step <= position.step && (line.kind == MetricsLine::Kind::Step || line.epoch < position.epoch))
            text += jsonLine(toJson(line)) + "\n";
    writeAtomically(folder.metrics(), text);
}

}  // namespace fovea
