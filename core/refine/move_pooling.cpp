// Moving a strided pooling later: the layers it passes run at the finer resolution, so their fields grow more
// slowly, and nothing about their weights changes. Where the field is smaller than the side, moving one earlier
// makes it grow (arXiv 2211.14487 does both).
#include "core/refine/blocks.h"

namespace fovea::refine {

namespace {

// Layers whose reader wants to stay next to them: a pooling between a convolution and its normalisation or
// activation would only be the odd one out, and two poolings in a row throw away what no layer has looked at.
std::vector<bool> withCloseReader(const Scene& scene)
{
    std::vector<bool> out(scene.size(), false);
    for (std::size_t entry = 0; entry < scene.size(); ++entry) {
        const bool pooling = scene.op(entry).opClass == OpClass::Pooling && scene.isStrided(entry);
        if (!pooling && !isPointwise(scene.op(entry).opClass)) continue;
        for (const std::int32_t source : scene.paths(entry))
            if (source >= 0 && (pooling || scene.readers(static_cast<std::size_t>(source)) == 1))
                out[static_cast<std::size_t>(source)] = true;
    }
    return out;
}

// Whether a pooling can stand behind a layer; not directly behind another one, nor between a padding and the layer
// that it is made for.
bool isPlace(const Scene& scene, std::size_t entry)
{
    return scene.isMap(entry) && scene.op(entry).opClass != OpClass::Pooling && !isPadding(scene.node(entry));
}

// What makes a map finer: to pool behind it what was pooled before it would only undo it.
bool isFiner(const Scene& scene, std::size_t entry)
{
    const OpClass c = scene.op(entry).opClass;
    return c == OpClass::Transposed || c == OpClass::Resample;
}

int insideCount(const Scene& scene, std::size_t entry, const std::vector<bool>& region)
{
    int out = 0;
    for (const std::int32_t source : scene.inputs(entry))
        out += source >= 0 && region[static_cast<std::size_t>(source)];
    return out;
}

// The layers behind a pooling that every path from it passes and that no path reaches without it.
std::vector<std::size_t> placesBehind(const Scene& scene, std::size_t pooling)
{
    std::vector<std::size_t> out;
    std::vector<bool> region(scene.size(), false);
    region[pooling] = true;
    int open = scene.readers(pooling), windows = 0;
    for (std::size_t entry = pooling + 1; entry < scene.size(); ++entry) {
        const int inside = insideCount(scene, entry, region);
        if (inside == 0) continue;
        if (inside != static_cast<int>(scene.inputs(entry).size()) || isFiner(scene, entry)) break;
        region[entry] = true;
        open -= inside;
        windows += scene.layer(entry)->window;
        if (open == 0 && !scene.layer(entry)->finite) break;
        if (open == 0 && windows > 0 && isPlace(scene, entry)) out.push_back(entry);
        open += scene.readers(entry);
    }
    return out;
}

// The layers before a pooling that every path to it passes and from which every path leads to it, nearest first.
std::vector<std::size_t> placesBefore(const Scene& scene, std::size_t pooling)
{
    std::vector<std::size_t> out;
    std::vector<int> read(scene.size(), 0);  // by layers between here and the pooling
    int open = 0, windows = 0;
    const auto enter = [&](std::size_t entry) {
        for (const std::int32_t source : scene.inputs(entry))
            if (source >= 0) ++read[static_cast<std::size_t>(source)], ++open;
    };
    enter(pooling);
    for (std::size_t entry = pooling; entry-- > 0;) {
        if (read[entry] == 0) continue;
        if (read[entry] != scene.readers(entry) || !scene.layer(entry) || isFiner(scene, entry)) break;
        if (open == read[entry] && windows > 0 && isPlace(scene, entry)) out.push_back(entry);
        open -= read[entry];
        windows += scene.layer(entry)->window;
        enter(entry);
    }
    return out;
}

bool isMovable(const Scene& scene, std::size_t entry)
{
    return scene.op(entry).opClass == OpClass::Pooling && scene.isStrided(entry) && !scene.kept(entry) &&
           scene.inputs(entry).size() == 1 && scene.inputs(entry)[0] >= 0;
}

std::vector<Candidate> listMoves(const Scene& scene, std::vector<std::size_t> (*places)(const Scene&, std::size_t))
{
    std::vector<Candidate> out;
    const std::vector<bool> skipped = withCloseReader(scene);
    for (std::size_t entry = 0; entry < scene.size(); ++entry) {
        if (!isMovable(scene, entry)) continue;
        for (const std::size_t place : places(scene, entry))
            if (!skipped[place]) out.push_back({{Change::move(scene.graph(), scene.node(entry), scene.node(place))}});
    }
    return out;
}

}  // namespace

std::vector<Candidate> movePoolings(const Scene& scene) { return listMoves(scene, placesBehind); }

std::vector<Candidate> movePoolingsEarlier(const Scene& scene)
{
    if (!scene.isSmallField()) return {};
    return listMoves(scene, placesBefore);
}

}  // namespace fovea::refine
