#include "core/train/device.h"

#include "core/base/error.h"
#include "core/train/job_watch.h"

#include <ATen/Context.h>
#include <torch/cuda.h>
#include <torch/version.h>

#include <cstdlib>
#include <fstream>

#include <dlfcn.h>
#include <unistd.h>

namespace fovea {

namespace {

// CUDA's runtime is loaded with a LibTorch that has it; asking it by name needs no CUDA headers here.
struct GpuMemory {
    std::int64_t free = 0, total = 0;
};

GpuMemory gpuMemory(int device)
{
    const auto select = reinterpret_cast<int (*)(int)>(::dlsym(RTLD_DEFAULT, "cudaSetDevice"));
    const auto ask = reinterpret_cast<int (*)(std::size_t*, std::size_t*)>(::dlsym(RTLD_DEFAULT, "cudaMemGetInfo"));
    std::size_t free = 0, total = 0;
    if (!select || !ask || select(device) != 0 || ask(&free, &total) != 0) return {};
    select(0);
    return {static_cast<std::int64_t>(free), static_cast<std::int64_t>(total)};
}

int gpuCount()
{
    try {
        return torch::cuda::is_available() ? static_cast<int>(torch::cuda::device_count()) : 0;
    } catch (const std::exception&) {  // a broken driver is no reason to refuse the CPU
        return 0;
    }
}

}  // namespace

std::string torchVersion() { return TORCH_VERSION; }

std::vector<DeviceInfo> torchDevices()
{
    std::vector<DeviceInfo> out{
        {"cpu", static_cast<std::int64_t>(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGESIZE)}};
    for (int i = 0; i < gpuCount(); ++i) out.push_back({"cuda:" + std::to_string(i), gpuMemory(i).total});
    return out;
}

std::int64_t memoryInUse(const std::string& device)
{
    if (device.starts_with("cuda")) {
        const GpuMemory memory = gpuMemory(device.size() > 5 ? std::atoi(device.c_str() + 5) : 0);
        return memory.total - memory.free;
    }
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;)
        if (std::int64_t kib = 0; word == "VmHWM:" && status >> kib) return kib * 1024;
    return 0;
}

std::string deviceFor(const std::string& wanted)
{
    const int gpus = gpuCount();
    if (wanted == "auto") return gpus > 0 ? "cuda:0" : "cpu";
    std::string known = "cpu";
    for (int i = 0; i < gpus; ++i) known += ", cuda:" + std::to_string(i);
    if (wanted == "cpu" || (gpus > 0 && wanted == "cuda") ||
        (", " + known + ",").find(", " + wanted + ",") != std::string::npos)
        return wanted;
    throw Error(ErrorCode::Usage, "There is no device '" + wanted + "' here; there is " + known + "." +
                                      (wanted.starts_with("cuda") && gpus == 0 ? " " + whyNoGpu() : ""));
}

void refuseMixedPrecisionOn(const std::string& device)
{
    if (device == "cpu")
        throw Error(ErrorCode::Usage, "Mixed precision needs a GPU, but the device is 'cpu': train without 'amp'.");
}

std::string whyNoGpu()
{
    if (gpuCount() > 0) return {};
    if (!at::hasCUDA())
        return "This LibTorch is built without CUDA; point CMAKE_PREFIX_PATH at one that has it and build the engine "
               "again.";
    return "LibTorch has CUDA, but no GPU answers: check the driver with nvidia-smi.";
}

}  // namespace fovea
