// Writes the networks of tests/support/kind_networks.h into a folder, as KIND_NUMBER.fovea.
#include "core/io/document/document_file.h"
#include "core/ops/registry.h"
#include "tests/support/kind_networks.h"
#include "tests/support/text_graph.h"

#include <cstdio>
#include <exception>
#include <filesystem>

int main(int count, char** words)
{
    using namespace fovea;
    if (count != 2) return 2;
    try {
        const std::filesystem::path folder(words[1]);
        std::filesystem::create_directories(folder);
        for (const OpDef* op : allOps()) {
            int number = 0;
            for (const std::string& text : test::networksOf(*op)) {
                Graph graph = test::graphOf(text);
                graph.setName(text);
                writeDocument(Model{graph, {}, nullptr},
                              folder / (std::string(op->kind) + "_" + std::to_string(number++) + ".fovea"));
            }
        }
    } catch (const std::exception& error) {
        std::fprintf(stderr, "write_kinds: %s\n", error.what());
        return 1;
    }
    return 0;
}
