#include "core/base/printable.h"

#include <gtest/gtest.h>

namespace fovea {
namespace {

TEST(Printable, WritesWhatWouldBreakALineAsEscapes)
{
    EXPECT_EQ(printable("conv\n1\tb\r"), "conv\\n1\\tb\\r");
    EXPECT_EQ(printable("\x1b[31mred\x7f"), "\\x1b[31mred\\x7f");
    EXPECT_EQ(printable("a\xe2\x80\xa8" "b\xe2\x80\xae" "c"), "a\\u2028b\\u202ec");
    EXPECT_EQ(printable("\xc2\x85"), "\\x85");
}

TEST(Printable, LeavesWordsOfAnyLanguageAsTheyAre)
{
    for (const char* text : {"", "layer1.0.conv1", "Gr\xc3\xb6\xc3\x9f" "e", "\xe5\xb1\x82", "\xf0\x9f\x90\x88", "a\\nb"}) EXPECT_EQ(printable(text), text);
}

TEST(Printable, ShowsBytesThatAreNoText)
{
    EXPECT_EQ(printable("a\xff" "b\xc3"), "a\\xffb\\xc3");
    EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // half of a surrogate pair
    EXPECT_EQ(printable("\xc0\x8a"), "\\xc0\\x8a");          // a newline in disguise
}

}  // namespace
}  // namespace fovea
