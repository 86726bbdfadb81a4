// A path around blocks that have none: a 1x1 convolution adds nothing to the field, so what passes it keeps a small
// one, and layers behind still see something new (the always-skip path of arXiv 2211.14487). Only in networks that
// have skip connections; the first convolution gets none.
#include "core/graph/names.h"
#include "core/refine/blocks.h"

#include <algorithm>

namespace fovea::refine {

namespace {

// Blocks without a path around them: up to the projection behind a window, or to the next skip connection.
class BareBlocks {
public:
    explicit BareBlocks(const Scene& scene)
    {
        for (const Stretch& stretch : stretches(scene)) {
            m_residual = m_residual || stretch.skipped;
            if (stretch.skipped) {
                close();
                continue;
            }
            if (!m_open) m_block = {stretch.from, stretch.from};
            m_open = true;
            if (stretch.windows) m_block = {m_block.from, stretch.to, true};
            else if (m_block.windows && holdsProjection(scene, stretch)) {
                m_block.to = stretch.to;
                close();
            }
        }
        close();
    }
    std::vector<Stretch> take() { return m_residual ? std::move(m_blocks) : std::vector<Stretch>{}; }

private:
    void close()
    {
        if (m_open && m_block.windows) m_blocks.push_back(m_block);
        m_open = false;
    }

    std::vector<Stretch> m_blocks;
    Stretch m_block{};
    bool m_open = false, m_residual = false;
};

bool holdsKept(const Scene& scene, const Stretch& block)
{
    for (std::size_t entry = block.from + 1; entry <= block.to; ++entry)
        if (scene.kept(entry)) return true;
    return false;
}

// By how much the block shrinks its map; nullopt where it does not shrink it by a whole factor.
std::optional<PerAxis<std::int64_t>> strideOf(const Scene& scene, const Stretch& block)
{
    const auto &in = scene.layer(block.from)->field, &out = scene.layer(block.to)->field;
    const Rational h = out.h.jump / in.h.jump, w = out.w.jump / in.w.jump;
    if (!h.isWhole() || !w.isWhole()) return std::nullopt;
    return PerAxis<std::int64_t>{h.num(), w.num()};
}

bool hasNorm(const Scene& scene, const Stretch& block)
{
    for (std::size_t entry = block.from + 1; entry <= block.to; ++entry)
        if (scene.node(entry).kind == "BatchNorm2d") return true;
    return false;
}

// The new path adds zero at first, so the network computes what it did: by its norm's scale where there is a norm,
// for a norm of nothing has no gradient to speak of, else by its weights.
void addSkip(const Scene& scene, const Stretch& block, Additions& additions)
{
    const PerAxis<std::int64_t> stride = *strideOf(scene, block);
    const Node& last = scene.node(block.to);
    const std::string group = commonGroup(scene.node(block.from + 1).group, last.group);
    const bool norm = hasNorm(scene, block);
    Node conv = makeNode("Conv2d");
    conv.attrs.set("out_channels", scene.layer(block.to)->out[0].channels());
    conv.attrs.set("kernel_size", Ints{1, 1});
    conv.attrs.set("stride", scene.pair(block.from + 1, stride));
    conv.attrs.set("bias", !norm);
    if (!norm) conv.attrs.set("init", std::string("zeros"));
    NodeId path = additions.add(std::move(conv), "skip.0", group, {scene.node(block.from).id});
    if (norm) {
        Node bn = makeNode("BatchNorm2d");
        bn.attrs.set("init", std::string("zeros"));
        path = additions.add(std::move(bn), "skip.1", group, {path});
    }
    additions.add(makeNode("Add"), "skip.add", group, {last.id, path}, last.id);
}

Candidate withSkips(const Scene& scene, std::span<const Stretch> blocks)
{
    Additions additions(scene);
    for (const Stretch& block : blocks) addSkip(scene, block, additions);
    return {additions.changes()};
}

}  // namespace

std::vector<Candidate> addSkips(const Scene& scene)
{
    constexpr std::size_t kMostSingle = 8;
    std::vector<Stretch> blocks = BareBlocks(scene).take();
    std::erase_if(blocks, [&](const Stretch& block) {
        return holdsKept(scene, block) || !strideOf(scene, block) || scene.layer(block.to)->out[0].channels() < 1;
    });
    std::vector<Candidate> out;
    if (blocks.size() > 1) out.push_back(withSkips(scene, blocks));
    for (std::size_t i = 0; i < std::min(blocks.size(), kMostSingle); ++i)
        out.push_back(withSkips(scene, std::span(blocks).subspan(i, 1)));
    return out;
}

}  // namespace fovea::refine
