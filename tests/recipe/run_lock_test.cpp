#include "core/recipe/run_lock.h"

#include "core/base/error.h"
#include "core/base/files.h"
#include "tests/document/folder.h"

#include <gtest/gtest.h>

#include <memory>
#include <sys/wait.h>
#include <unistd.h>

namespace fovea {
namespace {

TEST(RunLock, OneProcessWritesIntoARun)
{
    test::Folder folder;
    const RunFolder run{folder.path()};
    EXPECT_FALSE(RunLock::isHeld(run));
    auto held = std::make_unique<RunLock>(run);
    EXPECT_TRUE(RunLock::isHeld(run));
    try {
        const RunLock second(run, 0.1);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.message(), "Another process trains into '" + folder.path().string() +
                                       "': stop it first, or name another folder.");
    }
    held.reset();
    EXPECT_FALSE(RunLock::isHeld(run));
    EXPECT_NO_THROW(RunLock(run, 0.1));
}

TEST(RunLock, AKilledProcessHoldsNothing)
{
    test::Folder folder;
    const RunFolder run{folder.path()};
    const pid_t child = ::fork();
    if (child == 0) {
        const RunLock held(run);
        ::kill(::getpid(), SIGKILL);
    }
    ::waitpid(child, nullptr, 0);
    EXPECT_NO_THROW(RunLock(run, 0.1));
}

TEST(RunLock, RemovesHalfWrittenFilesOfTheRunAndNoOthers)
{
    test::Folder folder;
    const RunFolder run{folder.path()};
    const auto exists = [&](const char* name) { return std::filesystem::exists(folder.path() / name); };
    const std::vector<const char*> half = {"last.safetensors.fovea-aB3xYz", "last-12.state.safetensors.fovea-aaaaaa", "run.json.fovea-123456"};
    const std::vector<const char*> others = {"last-12.state.safetensors", "studio.json.fovea-aaaaaa", "last.safetensors.old", "run.json.123456",
                         "notes.fovea-aaaaaa", "resnet.state.safetensors.fovea-aaaaaa", ".fovea-aaaaaa"};
    for (const auto& names : {half, others})
        for (const char* name : names) writeAtomically(folder.path() / name, "x");
    const RunLock held(run);
    for (const char* name : half) EXPECT_FALSE(exists(name)) << name;
    for (const char* name : others) EXPECT_TRUE(exists(name)) << name;
}

}  // namespace
}  // namespace fovea
