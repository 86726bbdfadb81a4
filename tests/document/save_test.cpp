#include "core/base/error.h"
#include "core/base/files.h"
#include "core/io/document/document_file.h"
#include "tests/document/folder.h"
#include "tests/support/text_graph.h"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <random>
#include <set>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace fovea {
namespace {

namespace fs = std::filesystem;
using test::Folder;
using test::graphOf;

Model modelWith(float value, std::size_t count = 12)
{
    Model model{graphOf("input 3x8x8 > conv:stem k=1 c=4 bias=0"), {}, nullptr};
    model.weights.set("stem.weight", Tensor::fromFloats({static_cast<std::int64_t>(count)}, std::vector<float>(count, value)));
    return model;
}

std::set<std::string> filesIn(const Folder& folder)
{
    std::set<std::string> out;
    for (const auto& entry : fs::directory_iterator(folder.path())) out.insert(entry.path().filename().string());
    return out;
}

std::string weightsIn(const Folder& folder, const std::string& stem)
{
    for (const std::string& name : filesIn(folder))
        if (name.starts_with(stem + ".") && name.ends_with(".safetensors")) return name;
    return {};
}

TEST(SaveDocument, WritesWeightsBesideItUnderTheHashOfTheirContent)
{
    const Folder folder;
    writeDocument(modelWith(1), folder / "net.fovea");
    const std::string weights = weightsIn(folder, "net");
    EXPECT_EQ(filesIn(folder), (std::set<std::string>{"net.fovea", weights}));
    EXPECT_EQ(weights.size(), std::strlen("net.") + 32 + std::strlen(".safetensors"));
    const Model read = readDocument(folder / "net.fovea");
    EXPECT_EQ(read.weights.find("stem.weight")->real(11), 1.0);
    EXPECT_TRUE(diff(read.graph, modelWith(1).graph).empty());
}

TEST(SaveDocument, WritesNoWeightsWhereThereAreNone)
{
    const Folder folder;
    writeDocument({graphOf("input 3x8x8 > relu"), {}, nullptr}, folder / "net.fovea");
    EXPECT_EQ(filesIn(folder), (std::set<std::string>{"net.fovea"}));
    EXPECT_TRUE(readDocument(folder / "net.fovea").weights.empty());
}

TEST(SaveDocument, LeavesUnchangedWeightsAlone)
{
    const Folder folder;
    Model model = modelWith(1);
    writeDocument(model, folder / "net.fovea");
    const fs::path weights = folder / weightsIn(folder, "net");
    struct stat before {}, after {};
    ASSERT_EQ(::stat(weights.c_str(), &before), 0);
    model.graph.setName("renamed");
    writeDocument(model, folder / "net.fovea");
    ASSERT_EQ(::stat(weights.c_str(), &after), 0);
    EXPECT_EQ(before.st_ino, after.st_ino);
    EXPECT_EQ(readDocument(folder / "net.fovea").graph.name(), "renamed");
}

TEST(SaveDocument, RemovesTheWeightsThatItReplaced)
{
    const Folder folder;
    writeDocument(modelWith(1), folder / "net.fovea");
    const std::string first = weightsIn(folder, "net");
    writeDocument(modelWith(2), folder / "net.fovea");
    const std::string second = weightsIn(folder, "net");
    EXPECT_NE(first, second);
    EXPECT_EQ(filesIn(folder), (std::set<std::string>{"net.fovea", second}));
}

TEST(SaveDocument, KeepsWeightsThatACopyOfTheDocumentStillNames)
{
    const Folder folder;
    writeDocument(modelWith(1), folder / "net.fovea");
    fs::copy_file(folder / "net.fovea", folder / "copy.fovea");
    writeDocument(modelWith(2), folder / "net.fovea");
    EXPECT_EQ(readDocument(folder / "copy.fovea").weights.find("stem.weight")->real(0), 1.0);
    writeDocument(modelWith(3), folder / "copy.fovea");
    EXPECT_EQ(readDocument(folder / "net.fovea").weights.find("stem.weight")->real(0), 2.0);
}

TEST(SaveDocument, NeverRemovesAFileThatOnlyLooksLikeItsOwn)
{
    const Folder folder;
    writeAtomically(folder / "net.fovea", "{\n\"weights\":\"precious.safetensors\"");
    writeAtomically(folder / "precious.safetensors", "bytes");
    writeDocument(modelWith(1), folder / "net.fovea");
    EXPECT_TRUE(fs::exists(folder / "precious.safetensors"));
}

TEST(SaveDocument, ReplacesAFileThatIsNoDocument)
{
    const Folder folder;
    writeAtomically(folder / "net.fovea", std::string("\0garbage", 8));
    writeDocument(modelWith(4), folder / "net.fovea");
    EXPECT_EQ(readDocument(folder / "net.fovea").weights.find("stem.weight")->real(0), 4.0);
}

TEST(SaveDocument, SaysWhyItCannotWriteAndLeavesTheOldDocument)
{
    const Folder folder;
    try {
        writeDocument(modelWith(1), folder / "missing/net.fovea");
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::File);
        EXPECT_NE(std::string(error.what()).find("No such file or directory"), std::string::npos) << error.what();
    }
}

// Runs `body` in a child and returns its exit status: limits and kills must not reach the test itself.
template <typename Body>
int inChild(Body body)
{
    const pid_t child = ::fork();
    if (child == 0) ::_exit(body());
    int status = 0;
    ::waitpid(child, &status, 0);
    return status;
}

// A device that fills up at any byte: the file size limit makes write() fail as a full disk does.
TEST(SaveDocument, OnADeviceThatFillsUpFailsAndKeepsWhatWasThere)
{
    const Folder folder;
    const fs::path path = folder / "net.fovea";
    writeDocument(modelWith(1, 4000), path);
    const std::set<std::string> before = filesIn(folder);
    for (const rlim_t limit : {rlim_t{0}, rlim_t{1}, rlim_t{100}, rlim_t{400}, rlim_t{8000}, rlim_t{16050}}) {
        const int status = inChild([&] {
            std::signal(SIGXFSZ, SIG_IGN);
            const rlimit bound{limit, limit};
            ::setrlimit(RLIMIT_FSIZE, &bound);
            try {
                writeDocument(modelWith(2, 4000), path);
            } catch (const Error& error) {
                return error.code() == ErrorCode::File ? 42 : 43;
            }
            return 0;
        });
        EXPECT_EQ(WEXITSTATUS(status), 42) << limit;
        EXPECT_EQ(readDocument(path).weights.find("stem.weight")->real(3999), 1.0) << limit;
        EXPECT_EQ(filesIn(folder), before) << limit;
    }
}

TEST(SaveDocument, KilledAtAnyMomentLeavesADocumentThatOpens)
{
    const Folder folder;
    const fs::path path = folder / "net.fovea";
    writeDocument(modelWith(0, 300'000), path);
    std::mt19937 random(3);
    std::set<double> seen;
    for (int round = 0; round < 20; ++round) {
        const pid_t child = ::fork();
        if (child == 0) {
            for (int i = 1;; ++i) writeDocument(modelWith(static_cast<float>(round * 1000 + i), 300'000), path);
        }
        std::this_thread::sleep_for(std::chrono::microseconds(1'000 + random() % 30'000));
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        const Model model = readDocument(path);
        const Tensor& tensor = *model.weights.find("stem.weight");
        ASSERT_EQ(tensor.elements(), 300'000);
        EXPECT_EQ(tensor.real(0), tensor.real(299'999)) << "a file that is half old and half new";
        seen.insert(tensor.real(0));
    }
    EXPECT_GT(seen.size(), 1u) << "no child ever finished a save, so nothing was tried";
}

}  // namespace
}  // namespace fovea
