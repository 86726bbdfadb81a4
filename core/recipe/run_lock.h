// Holds a run's folder, so that two engines never write into the same run.
#pragma once

#include "core/recipe/run_folder.h"

namespace fovea {

class RunLock {
public:
    // Waits up to `seconds` for another process to let go: one that lost its caller writes a last checkpoint first.
    // Half written files of a killed process are removed. The folder must be there. Error(File) where another process
    // goes on writing. Where the file system knows no locks, none is taken.
    explicit RunLock(const RunFolder& folder, double seconds = 10);
    ~RunLock();                                   // the kernel does the same when the process is killed
    static bool isHeld(const RunFolder& folder);  // now, by anybody

    RunLock(const RunLock&) = delete;
    RunLock& operator=(const RunLock&) = delete;

private:
    int m_descriptor = -1;
};

}  // namespace fovea
