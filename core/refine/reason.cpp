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

// How the fields of the layers that stay change, measured: what edits do is not always what one of them does alone.
enum class Growth { Same, Faster, Slower, Mixed };

Growth growthOf(const std::vector<Edit>& edits, const Report& before, const Report& after)
{
    bool grows = false, shrinks = false;
    // A layer that moves sees another map because of that, whatever becomes of the others.
    const auto moves = [&](const LayerReport& layer) {
        return std::any_of(edits.begin(), edits.end(), [&](const Edit& edit) { return edit.op == Edit::Op::Move && edit.layer == layer.name(); });
    };
    for (const LayerReport& layer : before.layers) {
        if (moves(layer)) continue;
        const LayerReport* now = layer.window && layer.finite ? after.find(layer.id) : nullptr;
        if (!now || !now->finite) continue;
        const auto compare = [&](const FieldReport& from, const FieldReport& to) {
            grows = grows || to.rfMax > from.rfMax;
            shrinks = shrinks || to.rfMax < from.rfMax;
        };
        compare(layer.field.h, now->field.h);
        compare(layer.field.w, now->field.w);
    }
    return grows ? shrinks ? Growth::Mixed : Growth::Faster : shrinks ? Growth::Slower : Growth::Same;
}

const char* wordsOf(Growth growth) { return growth == Growth::Faster ? "grow faster" : "grow more slowly"; }

// What the edits do, in words, and what that alone makes of the fields behind them.
struct Effect {
    std::string cause;
    Growth claim = Growth::Same;  // Same: none
    std::string every = {};       // "Every field behind it" instead of the cause, where the claim holds
    bool cheapens = false;        // maps get smaller
};

// The effect with what really becomes of the fields.
std::string effectText(const Effect& effect, Growth growth)
{
    if (effect.claim == Growth::Same) return effect.cause;
    if (growth == Growth::Same) return effect.cause;
    if (growth == Growth::Mixed) return effect.cause + "; some fields grow faster, others more slowly";
    if (growth != effect.claim) return effect.cause + ", but together with the other changes fields " + wordsOf(growth);
    if (!effect.every.empty()) return effect.every + (growth == Growth::Faster ? " grows faster" : " grows more slowly");
    return effect.cause + ", so fields " + wordsOf(growth);
}

// Where kernels or strides rise in one place and fall in another, only the fields say what comes of it.
Effect exchangeEffect(Growth growth, const char* faster, const char* slower, const char* otherwise)
{
    if (growth == Growth::Faster || growth == Growth::Slower) return {growth == Growth::Faster ? faster : slower, growth};
    return {otherwise, Growth::Faster};
}

std::string skipPhrase(const std::vector<Edit>& edits)
{
    const auto any = [&](auto&& is) { return std::any_of(edits.begin(), edits.end(), is); };
    std::string more;
    if (any([](const Edit& e) { return e.op == Edit::Op::Move || e.op == Edit::Op::Remove || e.attribute == "stride"; }))
        more = "downsampling comes at other places";
    if (any([](const Edit& e) { return e.attribute == "kernel_size"; }))
        more += std::string(more.empty() ? "" : " and ") + "kernels change";
    return "A path around a block keeps small fields, so layers behind it still see something new" +
           (more.empty() ? "" : ", and " + more);
}

// Poolings that are moved or removed and strides that fall; kernels that fall beside them or alone.
Effect laterEffect(const std::vector<Edit>& edits)
{
    const auto any = [&](auto&& is) { return std::any_of(edits.begin(), edits.end(), is); };
    const bool later = any([](const Edit& e) { return e.op == Edit::Op::Move; });
    const bool never = any([](const Edit& e) { return e.op == Edit::Op::Remove || e.attribute == "stride"; });
    const bool kernel = any([](const Edit& e) { return e.attribute == "kernel_size"; });
    const std::string smaller = kernel && (later || never) ? " and kernels are smaller" : "";
    if (later && never) return {"Downsampling comes later or not at all" + smaller, Growth::Slower};
    if (later) return {"The layers passed see a finer map" + smaller, Growth::Slower};
    const bool one = std::count_if(edits.begin(), edits.end(), [](const Edit& e) { return e.attribute != "shape"; }) == 1;
    if (never) return {"Less is downsampled" + smaller, Growth::Slower, kernel ? "" : one ? "Every field behind it" : "Every field behind them"};
    if (kernel) return {"Smaller kernels reach less far", Growth::Slower};
    return {"The layers change", Growth::Slower};
}

Effect effectOf(const std::vector<Edit>& edits, const Report& before, Growth growth)
{
    const auto any = [&](auto&& is) { return std::any_of(edits.begin(), edits.end(), is); };
    const auto adds = [&](const char* kind) {
        return any([&](const Edit& e) { return e.op == Edit::Op::Add && e.to.starts_with(kind); });
    };
    const auto changes = [&](const char* attribute, bool up) {
        return any([&](const Edit& e) { return e.attribute == attribute && rises(e) == up; });
    };
    if (adds("MaxPool2d")) return {"The layers behind it see a coarser map", Growth::Faster};
    if (adds("Conv2d")) return {"A further stage reaches further"};
    if (changes("dilation", true)) return {"Dilated kernels reach further with the same parameters", Growth::Faster};
    if (changes("dilation", false)) return {"Without dilation kernels reach less far", Growth::Slower};
    if (changes("kernel_size", true) && changes("kernel_size", false))
        return exchangeEffect(growth, "Larger kernels stand where they reach further", "Larger kernels stand on finer maps",
                              "Kernels change in several places");
    if (changes("kernel_size", true)) return {"Larger kernels reach further", Growth::Faster};
    const bool strideAdded = changes("stride", true);
    const bool strideTaken =
        changes("stride", false) || any([](const Edit& e) { return e.op == Edit::Op::Remove; });
    if (strideAdded && strideTaken)
        return exchangeEffect(growth, "Downsampling comes at other places", "Downsampling comes later",
                              "Downsampling comes at other places");
    if (strideAdded) return {"More is downsampled", Growth::Faster, "Every field behind it", true};
    if (any([&](const Edit& e) { return movesEarlier(e, before); }))
        return {"The layers passed see a coarser map", Growth::Faster};
    return laterEffect(edits);
}

// What is said of the fields, and in which words.
struct Said {
    std::string text;
    Growth growth = Growth::Same;  // Same: nothing
};

Said effectPhrase(const std::vector<Edit>& edits, const Report& before, const Report& after)
{
    const auto any = [&](auto&& is) { return std::any_of(edits.begin(), edits.end(), is); };
    if (isSideChange(edits)) return {"No layer changes, only the image"};
    if (const auto cut = cutLayers(edits, before); !cut.empty())
        return {cutPhrase(cut, any([](const Edit& e) { return e.attribute == "out_channels"; }))};
    if (any([](const Edit& e) { return e.op == Edit::Op::Add && e.to.starts_with("Add"); }))
        return {skipPhrase(edits), Growth::Slower};
    const Growth growth = growthOf(edits, before, after);
    const Effect effect = effectOf(edits, before, growth);
    const bool cheaper = effect.cheapens && growth == Growth::Faster && after.summary.macs < before.summary.macs;
    return {effectText(effect, growth) + (cheaper ? " and the maps cost less" : ""), growth};
}

struct Bound {
    std::string text;
    bool rises = false;
};

Bound boundOf(const Report& before, const Report& after)
{
    const bool largest = isSmallField(before);
    const auto from = largest ? before.summary.iMax : before.summary.iMin,
               to = largest ? after.summary.iMax : after.summary.iMin;
    if (!from || !to || *from == *to) return {};
    const bool rises = to->h + to->w > from->h + from->w;
    return {std::string(largest ? "the largest field " : "the smallest fully used side ") +
                (dependsOnUnknown(before.summary) ? "of the layers that are known " : "") + (rises ? "rises" : "falls") +
                " from " + axesText(*from) + " to " + axesText(*to) + " px at a side of " + axesText(after.side) + " px",
            rises};
}

// The bound follows from what was said of the fields, or comes about in spite of it.
const char* jointBefore(const Bound& bound, Growth growth)
{
    const bool against = bound.rises ? growth == Growth::Slower : growth == Growth::Faster;
    return against ? ", but " : growth == Growth::Mixed ? "; " : ": ";
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
    const auto [effect, growth] = effectPhrase(edits, before, after);
    std::string out = effect;
    const auto append = [&](const std::string& part, const char* joint) {
        if (!part.empty()) out += joint + part;
    };
    if (before.side != after.side && !isSideChange(edits)) append("the image has another side", ", and ");
    const Bound bound = boundOf(before, after);
    append(bound.text, jointBefore(bound, growth));
    if (firstError(before) && !firstError(after))
        append("the network fits a side of " + axesText(after.side) + " px", "; ");
    append(verdictPhrase(before, after, Verdict::Unproductive, "unproductive"), "; ");
    append(verdictPhrase(before, after, Verdict::Partial, "partially unproductive"), "; ");
    append(verdictPhrase(before, after, Verdict::Critical, "critical"), "; ");
    return out + " (" + costPhrase(before, after) + ").";
}

}  // namespace fovea::refine
