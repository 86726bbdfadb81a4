// What somebody may have meant who named something that there is not.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace fovea {

// Letters to insert, remove or replace (Levenshtein).
std::size_t editDistance(const std::string& a, const std::string& b);

// The candidate that differs from `word` in the fewest letters, where that is few enough to be a slip.
std::optional<std::string> nearest(const std::string& word, const std::vector<std::string>& candidates);
// " Did you mean 'X'?" or nothing.
std::string suggestion(const std::string& word, const std::vector<std::string>& candidates);

}  // namespace fovea
