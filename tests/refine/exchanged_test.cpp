// Networks whose maps hold the image's columns first: moves follow the image, settings the file.
#include "core/refine/plan.h"
#include "tests/refine/edit_text.h"
#include "tests/support/text_graph.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace fovea::test {
namespace {

// Every pair of numbers the other way round, as "3x5" in "5x3"; paddings pairwise. Shapes stay.
std::string turned(const Edit& edit)
{
    const auto turn = [](const std::string& text) {
        std::vector<std::string> parts{""};
        for (const char c : text) {
            if (c == 'x') parts.emplace_back();
            else parts.back() += c;
        }
        for (std::size_t i = 0; i + 1 < parts.size(); i += 2) std::swap(parts[i], parts[i + 1]);
        std::string out;
        for (const std::string& part : parts) out += (out.empty() ? "" : "x") + part;
        return out;
    };
    const bool pairs = edit.op == Edit::Op::Set && edit.attribute != "shape";
    return editText({pairs ? Edit{edit.op, edit.layer, edit.attribute, turn(edit.from), turn(edit.to), {}} : edit});
}

TEST(Exchanged, movesAreThoseOfTheImageAndSettingsAreTheFiles)
{
    const std::string rest = " > gap > flatten > linear c=4";
    const Graph plain = graphOf("input 3x32x24 > conv:a k=5x7 s=2x1 p=2x3 c=8 > relu > maxpool:p k=2x1 > conv:b k=1x7 "
                                "p=0x3 c=8 > relu > conv:c k=7x5 p=3x2 s=1x2 c=8 > relu > conv:d k=4x2 s=4x2 c=8" + rest);
    const Graph other = graphOf("input 3x32x24 > permute:turn dims=0x1x3x2 > conv:a k=7x5 s=1x2 p=3x2 c=8 > relu > maxpool:p "
                                "k=1x2 > conv:b k=7x1 p=3x0 c=8 > relu > conv:c k=5x7 p=2x3 s=2x1 c=8 > relu > conv:d k=2x4 "
                                "s=2x4 c=8" + rest);
    const auto textsOf = [](const std::vector<Plan>& plans, auto&& text) {
        std::vector<std::string> out;
        for (const Plan& plan : plans) {
            // The other one has no layer between the image and its stem; and what is added is one text with its settings.
            const auto differs = [](const Edit& edit) { return edit.after == "turn" || edit.to.find("kernel_size=7x1") != std::string::npos || edit.to.find("kernel_size=1x7") != std::string::npos; };
            if (std::any_of(plan.edits.begin(), plan.edits.end(), differs)) continue;
            std::string& all = out.emplace_back();
            for (const Edit& edit : plan.edits) all += text(edit) + "; ";
            const auto& least = plan.after.iMin;
            all += std::to_string(least->h) + "x" + std::to_string(least->w) + ", " + std::to_string(plan.after.macs);
        }
        std::sort(out.begin(), out.end());
        return out;
    };
    const auto asIs = [](const Edit& edit) { return editText({edit}); };
    const auto moves = textsOf(listMoves(other), asIs);
    EXPECT_GT(moves.size(), 8u);
    EXPECT_EQ(moves, textsOf(listMoves(plain), turned));
}

}  // namespace
}  // namespace fovea::test
