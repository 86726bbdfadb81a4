// Groups of layers out of the modules that a file names. Names alone do not make a group: what is drawn as one box
// has to be one part of the graph.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace fovea {

// What a file says about where a layer stands.
struct GroupClaim {
    std::optional<std::string> module;  // a dotted path, "" for the network itself; nullopt: nothing is said
    std::string owner;                  // layers of one owner, such as two calls with one weight, count once; empty: its own
    bool closes = false;                // an activation or a merge: it may stand at the end of the group that feeds it
};

// By layer, the dotted path of the innermost group around it; empty: none. `inputs` lists for each layer the layers
// that it reads.
// A group is a part of the graph that hangs together; what lies on the way between two of its layers belongs to it, also
// where the file says nothing or otherwise, so that groups, each seen as one box, form no cycle. Where the names of one
// module allow no such part, it is split ("head", "head_2") or given up, and the layers go to the module around it.
// Linear in layers and inputs for each level of nesting.
std::vector<std::string> connectedGroups(const std::vector<std::vector<std::size_t>>& inputs, const std::vector<GroupClaim>& claims);

}  // namespace fovea
