// Which LibTorch this is and what it can compute on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace fovea {

struct DeviceInfo {
    std::string name;         // "cpu", "cuda:0"
    std::int64_t memory = 0;  // bytes in all; 0: unknown
    bool operator==(const DeviceInfo&) const = default;
};

std::string torchVersion();                        // "1.13.1"
std::vector<DeviceInfo> torchDevices();            // the CPU first
// "auto": CUDA where a GPU answers, else the CPU. Error(Usage) for one that is not there.
std::string deviceFor(const std::string& wanted);
void refuseMixedPrecisionOn(const std::string& device);  // Error(Usage) where it is the CPU
std::string whyNoGpu();                            // one sentence; empty where a GPU answers

}  // namespace fovea
