// Moving a strided pooling later: the layers it passes run at the finer resolution, so their fields grow more
// slowly, and nothing about their weights changes (arXiv 2211.14487 does this to VGG).
#include "core/refine/moves.h"

#include <optional>

namespace fovea::refine {

namespace {

bool isPointwise(OpClass opClass)
{
    return opClass == OpClass::Normalization || opClass == OpClass::Activation || opClass == OpClass::Regularization;
}

// The places behind a pooling that every path from it passes and that no path passes without it.
class Places {
public:
    Places(const Scene& scene, std::size_t pooling) : m_scene(scene), m_inRegion(scene.size(), false)
    {
        m_inRegion[pooling] = true;
        m_open = scene.readers(pooling);
        for (std::size_t entry = pooling + 1; entry < scene.size(); ++entry)
            if (!visit(entry)) break;
        findPointwiseReaders();
    }

    std::vector<std::size_t> found() const
    {
        std::vector<std::size_t> out;
        for (const std::size_t entry : m_cuts)
            if (!m_hasPointwiseReader[entry]) out.push_back(entry);
        return out;
    }

private:
    // false: nothing further behind is dominated by the pooling.
    bool visit(std::size_t entry)
    {
        int inside = 0;
        for (const std::int32_t source : m_scene.inputs(entry)) inside += source >= 0 && m_inRegion[static_cast<std::size_t>(source)];
        if (inside == 0) return true;
        if (inside != static_cast<int>(m_scene.inputs(entry).size())) return false;
        m_inRegion[entry] = true;
        m_open -= inside;
        const LayerReport* layer = m_scene.layer(entry);
        const bool cut = m_open == 0;
        if (cut && !layer->finite) return false;
        m_windows += layer->window;
        if (cut && m_windows > 0 && fits(entry, *layer)) m_cuts.push_back(entry);
        m_open += m_scene.readers(entry);
        return true;
    }

    // Behind another downsampling pooling is the same as before it.
    bool fits(std::size_t entry, const LayerReport& layer) const
    {
        const bool map = layer.out.size() == 1 && layer.out[0].layout == kNchw && layer.out[0].shape.rank() == 4;
        return map && !(m_scene.op(entry).opClass == OpClass::Pooling && m_scene.isStrided(entry));
    }

    // A pooling between a convolution and its normalisation or activation would only be the odd one out.
    void findPointwiseReaders()
    {
        m_hasPointwiseReader.assign(m_scene.size(), false);
        for (std::size_t entry = 0; entry < m_scene.size(); ++entry)
            if (isPointwise(m_scene.op(entry).opClass))
                for (const std::int32_t source : m_scene.paths(entry))
                    if (source >= 0 && m_scene.readers(static_cast<std::size_t>(source)) == 1)
                        m_hasPointwiseReader[static_cast<std::size_t>(source)] = true;
    }

    const Scene& m_scene;
    std::vector<bool> m_inRegion, m_hasPointwiseReader;
    std::vector<std::size_t> m_cuts;
    int m_open = 0;
    int m_windows = 0;
};

bool isMovable(const Scene& scene, std::size_t entry)
{
    return scene.op(entry).opClass == OpClass::Pooling && scene.isStrided(entry) && !scene.kept(entry) &&
           scene.inputs(entry).size() == 1 && scene.inputs(entry)[0] >= 0;
}

}  // namespace

std::vector<Candidate> movePoolings(const Scene& scene)
{
    std::vector<Candidate> out;
    for (std::size_t entry = 0; entry < scene.size(); ++entry) {
        if (!isMovable(scene, entry)) continue;
        for (const std::size_t place : Places(scene, entry).found())
            out.push_back({{Change::move(scene.graph(), scene.node(entry), scene.node(place))}});
    }
    return out;
}

}  // namespace fovea::refine
