// Runs the command line inside the test, in a folder of its own that holds `net.fovea`.
#pragma once

#include "app/cli/cli.h"
#include "core/io/document/document_file.h"
#include "tests/document/folder.h"
#include "tests/support/text_graph.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace fovea::test {

struct Ran {
    int code;
    std::string out, err;
};

inline Ran run(const std::vector<std::string>& args)
{
    std::ostringstream out, err;
    const int code = runCli(args, out, err);
    return {code, out.str(), err.str()};
}

class CliTest : public ::testing::Test {
protected:
    CliTest() : m_before(std::filesystem::current_path()) { std::filesystem::current_path(m_folder.path()); }
    ~CliTest() override { std::filesystem::current_path(m_before); }

    static void save(const std::string& path, const std::string& network) { std::ofstream(path) << documentText(graphOf(network)); }
    static std::string readText(const std::string& path)
    {
        std::ostringstream text;
        text << std::ifstream(path, std::ios::binary).rdbuf();
        return text.str();
    }
    static bool exists(const std::string& path) { return std::filesystem::exists(path); }

    // Exit code 2 or 3: nothing on standard output, one sentence on standard error.
    static void expectRefused(const std::vector<std::string>& args, const std::string& sentence, int code = 2)
    {
        const Ran ran = run(args);
        EXPECT_EQ(ran.code, code) << sentence;
        EXPECT_EQ(ran.out, "");
        EXPECT_EQ(ran.err, "fovea: " + sentence + "\n");
    }

private:
    Folder m_folder;
    std::filesystem::path m_before;
};

// One layer of every verdict at a side of 32.
inline const char* const kNet =
    "input 3x32x32 > conv:stem k=7 s=2 p=3 c=8 bias=0 > relu:act > maxpool:pool k=3 s=2 p=1 > conv:wide k=1x9 p=0x4 c=16 group=layer1.0 > "
    "conv:body k=5 p=2 c=16 > conv:last k=3 p=1 c=16 > conv:dead k=3 p=1 c=16 > gap:gap > flatten:flat > linear:head c=10";

}  // namespace fovea::test
