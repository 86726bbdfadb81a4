#include "core/recipe/metrics.h"

#include <cmath>
#include <limits>

namespace fovea {

namespace {

constexpr double kHuge = std::numeric_limits<double>::max();
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

// JSON has no word for what a diverged loss is.
Json realJson(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

double realFrom(const JsonAt& at, const char* key)
{
    const auto found = at.find(key);
    return found ? found->real(-kHuge, kHuge) : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

Json toJson(const MetricsLine& line)
{
    const bool epoch = line.kind == MetricsLine::Kind::Epoch;
    Json out{{"kind", epoch ? "epoch" : "step"},
             {"epoch", line.epoch},
             {"step", line.step},
             {"lr", line.lr},
             {"train_loss", realJson(line.trainLoss)}};
    if (line.evalLoss) out["eval_loss"] = realJson(*line.evalLoss);
    if (line.top1) out["eval_top1"] = *line.top1;
    if (line.top5) out["eval_top5"] = *line.top5;
    out["images_per_second"] = line.imagesPerSecond;
    out["seconds"] = line.seconds;
    out["memory"] = line.memory;
    return out;
}

void read(const JsonAt& at, MetricsLine& out)
{
    out.kind = at.at("kind").text() == "epoch" ? MetricsLine::Kind::Epoch : MetricsLine::Kind::Step;
    out.epoch = at.at("epoch").integer(0, kMost);
    out.step = at.at("step").integer(0, kMost);
    out.lr = at.at("lr").real(0, kHuge);
    out.trainLoss = realFrom(at, "train_loss");
    if (at.json().contains("eval_loss")) out.evalLoss = realFrom(at, "eval_loss");
    if (const auto found = at.find("eval_top1")) out.top1 = found->real(0, 1);
    if (const auto found = at.find("eval_top5")) out.top5 = found->real(0, 1);
    out.imagesPerSecond = at.at("images_per_second").real(0, kHuge);
    out.seconds = at.at("seconds").real(0, kHuge);
    if (const auto found = at.find("memory")) out.memory = found->integer(0, kMost);
}

}  // namespace fovea
