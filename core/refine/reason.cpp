#include "core/refine/describe.h"
#include "core/refine/score.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace fovea::refine {

std::string axesText(const PerAxis<std::int64_t>& value)
{
    return value.h == value.w ? std::to_string(value.h) : std::to_string(value.h) + "x" + std::to_string(value.w);
}

namespace {

bool movesEarlier(const Edit& edit, const Report& before)
{
    if (edit.op != Edit::Op::Move) return false;
    for (const LayerReport& layer : before.layers) {
        if (layer.name() == edit.to) return true;
        if (layer.name() == edit.layer) return false;
    }
    return false;
}

// The layers that are removed, poolings apart: those move.
std::vector<const LayerReport*> cutLayers(const std::vector<Edit>& edits, const Report& before)
{
    std::vector<const LayerReport*> out;
    for (const LayerReport& layer : before.layers)
        if (layer.op->opClass != OpClass::Pooling && std::any_of(edits.begin(), edits.end(), [&](const Edit& edit) {
                return edit.op == Edit::Op::Remove && edit.layer == layer.name();
            }))
            out.push_back(&layer);
    return out;
}

std::string counted(std::ptrdiff_t count, const std::string& word)
{
    return std::to_string(count) + " " + word + (count == 1 ? " layer" : " layers");
}

// By what is really cut: critical layers see something new, productive ones even within the image.
std::string cutPhrase(const std::vector<const LayerReport*>& cut, bool wider)
{
    const auto count = [&](Verdict verdict) {
        return std::count_if(cut.begin(), cut.end(), [verdict](const LayerReport* layer) {
            return layer->window && layer->finite && layer->verdict == verdict;
        });
    };
    const auto productive = count(Verdict::Productive), critical = count(Verdict::Critical),
               partial = count(Verdict::Partial);
    const std::string toEarlier = wider ? ", and their parameters go to earlier layers" : "";
    if (productive > 0)
        return "The end of the network is gone, " + counted(productive, "productive") + " with it" + toEarlier;
    if (critical + partial == 0)
        return std::string("Layers that see nothing new of the image are gone") +
               (wider ? ", and their parameters go to layers that do" : "");
    std::string some = critical > 0 ? counted(critical, "critical") : "";
    if (partial > 0) some += (some.empty() ? "" : " and ") + counted(partial, "partially unproductive");
    if (count(Verdict::Unproductive) > 0)
        return "Layers that see nothing new of the image are gone, " + some + " with them" + toEarlier;
    return some + (critical + partial == 1 ? " is gone" : " are gone") + toEarlier;
}

// Axes joined by x; whether the value grows on the first.
bool rises(const Edit& edit) { return std::atoll(edit.to.c_str()) > std::atoll(edit.from.c_str()); }

std::string effectPhrase(const std::vector<Edit>& edits, const Report& before)
{
    const auto any = [&](auto&& is) { return std::any_of(edits.begin(), edits.end(), is); };
    if (isSideChange(edits)) return "No layer changes, only the image";
    if (const auto cut = cutLayers(edits, before); !cut.empty())
        return cutPhrase(cut, any([](const Edit& e) { return e.attribute == "out_channels"; }));
    const auto adds = [&](const char* kind) {
        return any([&](const Edit& e) { return e.op == Edit::Op::Add && e.to.starts_with(kind); });
    };
    if (adds("Add")) {
        std::string more;
        if (any([](const Edit& e) {
                return e.op == Edit::Op::Move || e.op == Edit::Op::Remove || e.attribute == "stride";
            }))
            more = "downsampling comes at other places";
        if (any([](const Edit& e) { return e.attribute == "kernel_size"; }))
            more += std::string(more.empty() ? "" : " and ") + "kernels change";
        return "A path around a block keeps small fields, so layers behind it still see something new" +
               (more.empty() ? "" : ", and " + more);
    }
    if (adds("MaxPool2d")) return "The layers behind it see a coarser map, so fields grow faster";
    if (adds("Conv2d")) return "A further stage reaches further";
    if (any([](const Edit& e) { return e.attribute == "dilation" && rises(e); }))
        return "Dilated kernels reach further with the same parameters, so fields grow faster";
    if (any([](const Edit& e) { return e.attribute == "dilation"; }))
        return "Without dilation kernels reach less far, so fields grow more slowly";
    if (any([](const Edit& e) { return e.attribute == "kernel_size" && rises(e); })) {
        if (any([](const Edit& e) { return e.attribute == "kernel_size" && !rises(e); }))
            return isSmallField(before) ? "Larger kernels stand where they reach further, so fields grow faster"
                                        : "Larger kernels stand on finer maps, so fields grow more slowly";
        return "Larger kernels reach further, so fields grow faster";
    }
    const bool strideAdded = any([](const Edit& e) { return e.attribute == "stride" && rises(e); });
    const bool strideTaken = any([](const Edit& e) { return e.attribute == "stride" && !rises(e); }) ||
                             any([](const Edit& e) { return e.op == Edit::Op::Remove; });
    if (strideAdded && strideTaken)
        return isSmallField(before) ? "Downsampling comes at other places, so fields grow faster"
                                    : "Downsampling comes later, so fields grow more slowly";
    if (strideAdded) return "Every field behind it grows faster and the maps cost less";
    if (any([&](const Edit& e) { return movesEarlier(e, before); }))
        return "The layers passed see a coarser map, so fields grow faster";
    const bool later = any([](const Edit& e) { return e.op == Edit::Op::Move; });
    const bool never = any([](const Edit& e) { return e.op == Edit::Op::Remove || e.attribute == "stride"; });
    const bool kernel = any([](const Edit& e) { return e.attribute == "kernel_size"; });
    std::string out;
    if (later && never) out = "Downsampling comes later or not at all, so fields grow more slowly";
    else if (later) out = "The layers passed see a finer map, so fields grow more slowly";
    else if (never)
        out = std::count_if(edits.begin(), edits.end(), [](const Edit& e) { return e.attribute != "shape"; }) == 1
                  ? "Every field behind it grows more slowly"
                  : "Every field behind them grows more slowly";
    if (kernel)
        out +=
            out.empty() ? "Smaller kernels let every field behind them grow more slowly" : ", and kernels are smaller";
    return out;
}

std::string boundsPhrase(const Report& before, const Report& after)
{
    const bool largest = isSmallField(before);
    const auto from = largest ? before.summary.iMax : before.summary.iMin,
               to = largest ? after.summary.iMax : after.summary.iMin;
    if (!from || !to || *from == *to) return {};
    const bool falls = to->h + to->w < from->h + from->w;
    const bool isPart = dependsOnUnknown(before.summary);
    return std::string(largest ? "the largest field " : "the smallest fully used side ") +
           (isPart ? "of the layers that are known " : "") + (falls ? "falls" : "rises") +
           " from " + axesText(*from) + " to " + axesText(*to) + " px at a side of " + axesText(after.side) + " px";
}

struct Fate {
    int total = 0, productive = 0, critical = 0, removed = 0;
};

Fate fateOf(const Report& before, const Report& after, Verdict verdict)
{
    Fate out;
    for (const LayerReport& layer : before.layers) {
        if (layer.verdict != verdict) continue;
        ++out.total;
        const LayerReport* now = after.find(layer.id);
        out.removed += now == nullptr;
        out.productive += now && now->verdict == Verdict::Productive;
        out.critical += now && verdict != Verdict::Critical && now->verdict == Verdict::Critical;
    }
    return out;
}

// "2 of 3 unproductive layers become productive, 1 becomes critical"; empty where none changes.
std::string verdictPhrase(const Report& before, const Report& after, Verdict verdict, const std::string& word)
{
    const Fate fate = fateOf(before, after, verdict);
    std::string out;
    const auto say = [&](int count, const char* one, const char* many, const char* what) {
        if (count == 0) return;
        out += out.empty() ? std::to_string(count) + " of " + std::to_string(fate.total) + " " + word +
                                 (fate.total == 1 ? " layer " : " layers ")
                           : ", " + std::to_string(count) + " ";
        out += std::string(count == 1 ? one : many) + " " + what;
    };
    say(fate.productive, "becomes", "become", "productive");
    say(fate.critical, "becomes", "become", "critical");
    say(fate.removed, "is", "are", "removed");
    return out;
}

std::string costPhrase(const Report& before, const Report& after)
{
    std::string out;
    // Behind an error nothing can be counted, and a ratio of what is known is none of the network.
    const bool isCounted = before.summary.complete && after.summary.complete && !firstError(before);
    if (isCounted && before.summary.macs > 0 && after.summary.macs != before.summary.macs) {
        char text[48];
        const double factor = static_cast<double>(after.summary.macs) / static_cast<double>(before.summary.macs);
        std::snprintf(text, sizeof text, "%.2f times the MACs", factor);
        out = text;
    }
    const std::int64_t more = after.summary.parameters - before.summary.parameters;
    const std::string parameters =
        more == 0 ? "no parameter changes" : (more > 0 ? "+" : "") + std::to_string(more) + " parameters";
    return out.empty() ? parameters : out + ", " + parameters;
}

}  // namespace

std::string reasonOf(const std::vector<Edit>& edits, const Report& before, const Report& after)
{
    std::string out = effectPhrase(edits, before);
    const auto append = [&](const std::string& part, const char* joint) {
        if (!part.empty()) out += joint + part;
    };
    if (before.side != after.side && !isSideChange(edits)) append("the image has another side", ", and ");
    append(boundsPhrase(before, after), ": ");
    if (firstError(before) && !firstError(after))
        append("the network fits a side of " + axesText(after.side) + " px", "; ");
    append(verdictPhrase(before, after, Verdict::Unproductive, "unproductive"), "; ");
    append(verdictPhrase(before, after, Verdict::Partial, "partially unproductive"), "; ");
    append(verdictPhrase(before, after, Verdict::Critical, "critical"), "; ");
    return out + " (" + costPhrase(before, after) + ").";
}

}  // namespace fovea::refine
