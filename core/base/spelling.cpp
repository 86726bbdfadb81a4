#include "core/base/spelling.h"

#include <algorithm>
#include <numeric>

namespace fovea {

std::size_t editDistance(const std::string& a, const std::string& b)
{
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t k = 1; k <= b.size(); ++k) {
            const std::size_t above = row[k];
            row[k] = std::min({above + 1, row[k - 1] + 1, diagonal + (a[i - 1] != b[k - 1] ? 1u : 0u)});
            diagonal = above;
        }
    }
    return row[b.size()];
}

std::optional<std::string> nearest(const std::string& word, const std::vector<std::string>& candidates)
{
    constexpr std::size_t kLongest = 200;
    std::optional<std::string> best;
    std::size_t least = std::max<std::size_t>(2, word.size() / 3) + 1;
    if (word.size() > kLongest) return best;
    for (const std::string& candidate : candidates) {
        if (candidate.size() > kLongest + least) continue;
        if (const std::size_t d = editDistance(word, candidate); d < least) {
            least = d;
            best = candidate;
        }
    }
    return best;
}

std::string suggestion(const std::string& word, const std::vector<std::string>& candidates)
{
    const auto best = nearest(word, candidates);
    return best ? " Did you mean '" + *best + "'?" : std::string();
}

}  // namespace fovea
