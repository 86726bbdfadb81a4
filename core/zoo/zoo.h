// Built-in architectures, written with block builders after the papers' tables.
#pragma once

#include "core/graph/graph.h"

#include <string>
#include <vector>

namespace fovea {

struct ZooEntry {
    const char* name;    // "vgg16"
    const char* family;  // "VGG"
    int year;
    const char* paper;  // "arXiv 1409.1556"
    int size;           // default input side
    const char* note;   // one sentence for the template list
};

const std::vector<ZooEntry>& zooEntries();

// What can be set in a network's name: "width" with its default as text and its meaning.
struct ZooParameter {
    std::string key;
    std::string fallback;
    std::string doc;
};
// Every parameter of one network, size, classes and channels first. Error(Usage) for an unknown name.
std::vector<ZooParameter> zooParameters(const std::string& network);

// Builds "NAME[,key=value...]" (without "zoo:"). Keys: size, classes, channels (input), and what the network
// documents. Error(Usage) for an unknown name or key, with the nearest names.
Graph buildZoo(const std::string& spec);

// The network the studio opens when it is given none: small, residual, with unproductive layers at its side.
inline constexpr const char* kExampleSpec = "example";

}  // namespace fovea
