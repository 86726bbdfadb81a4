#include "core/analysis/memory.h"
#include "tests/support/text_graph.h"

#include <gtest/gtest.h>

namespace fovea {
namespace {

const LayerMemory& of(const Report& report, const MemoryReport& memory, const std::string& name)
{
    for (std::size_t row = 0; row < report.layers.size(); ++row)
        if (report.layers[row].name() == name) return memory.layers[row];
    throw std::invalid_argument(name);
}

// Elements: input 3*8*8 = 192, a 4*8*8 = 256, b the same, c 8*4*4 = 128.
const char* const kChain = "input 3x8x8 > conv2d:a k=3 p=1 c=4 > relu:b > conv2d:c k=3 s=2 p=1 c=8";

TEST(Memory, TrainingKeepsWhatTheBackwardPassReadsOnce)
{
    const Report report = analyze(test::graphOf(kChain));
    const MemoryReport memory = memoryOf(report);
    EXPECT_EQ(of(report, memory, "a").kept, 192 * 4);  // its input
    EXPECT_EQ(of(report, memory, "b").kept, 256 * 4);  // its output
    EXPECT_EQ(of(report, memory, "c").kept, 0);        // its input is kept already
    EXPECT_EQ(memory.training, (192 + 256) * 4);
    EXPECT_TRUE(memory.complete);
}

TEST(Memory, InferenceFreesEveryTensorBehindItsLastReader)
{
    const Report report = analyze(test::graphOf(kChain));
    const MemoryReport memory = memoryOf(report);
    EXPECT_EQ(of(report, memory, "a").live, (192 + 256) * 4);
    EXPECT_EQ(of(report, memory, "b").live, (256 + 256) * 4);
    EXPECT_EQ(of(report, memory, "c").live, (256 + 128) * 4);
    EXPECT_EQ(memory.inference, 512 * 4);
    EXPECT_EQ(report.find(*memory.peak)->name(), "b");
}

TEST(Memory, AShortcutStaysAliveAcrossItsBlock)
{
    const Report report = analyze(test::graphOf("input 4x8x8 > relu:x > conv2d:a k=3 p=1 c=4 > conv2d:b k=3 p=1 c=4 > add:m @x > relu:y"));
    const MemoryReport memory = memoryOf(report);
    EXPECT_EQ(of(report, memory, "b").live, 3 * 256 * 4);
    EXPECT_EQ(of(report, memory, "m").live, 3 * 256 * 4);
    EXPECT_EQ(of(report, memory, "y").live, 2 * 256 * 4);
}

TEST(Memory, ScalesWithBatchAndElementType)
{
    const Report report = analyze(test::graphOf(kChain));
    const MemoryReport memory = memoryOf(report, {.batch = 32, .element = ElementType::Float16});
    EXPECT_EQ(memory.training, (192 + 256) * 32 * 2);
    EXPECT_EQ(memory.inference, 512 * 32 * 2);
    EXPECT_EQ(memory.parameters, (3 * 4 * 9 + 4 + 4 * 8 * 9 + 8) * 2);
}

TEST(Memory, PoolingIndicesAndMasksDoNotShrinkWithTheElementType)
{
    const Report report = analyze(test::graphOf("input 4x8x8 > maxpool:p k=2 s=2 > dropout:d"));
    const MemoryReport memory = memoryOf(report, {.element = ElementType::Float16});
    EXPECT_EQ(of(report, memory, "p").kept, 256 * 2 + 64 * 8);
    EXPECT_EQ(of(report, memory, "d").kept, 64);
}

TEST(Memory, AViewTakesNone)
{
    const Report report = analyze(test::graphOf("input 4x8x8 > relu:a > flatten:f > linear:l c=10"));
    const MemoryReport memory = memoryOf(report);
    EXPECT_EQ(of(report, memory, "f").live, 256 * 4);
    EXPECT_EQ(of(report, memory, "l").live, (256 + 10) * 4);
    EXPECT_EQ(of(report, memory, "l").kept, 0);  // the relu's output, in another shape
}

TEST(Memory, WhatCannotBeCountedIsSaid)
{
    EXPECT_FALSE(memoryOf(analyze(test::graphOf("input 3x8x8 > opaque:x > conv2d k=3 c=4"))).complete);
    EXPECT_FALSE(memoryOf(analyze(test::graphOf("input 3x4x4 > conv2d k=7 c=4 > relu"))).complete);
}

TEST(Memory, OfANetworkWithoutLayersIsZero)
{
    const MemoryReport memory = memoryOf(analyze(Graph{}));
    EXPECT_EQ(memory.training, 0);
    EXPECT_FALSE(memory.peak.has_value());
}

}  // namespace
}  // namespace fovea
