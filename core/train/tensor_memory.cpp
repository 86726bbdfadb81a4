#include "core/train/tensor_memory.h"

#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>

#include <algorithm>
#include <mutex>

namespace fovea {

namespace {

// LibTorch 1 tells totals as int64_t, LibTorch 2 as size_t.
template <typename Report>
struct TotalOf;
template <typename Total>
struct TotalOf<void (c10::MemoryReportingInfoBase::*)(void*, std::int64_t, Total, Total, c10::Device)> {
    using Type = Total;
};
using Total = TotalOf<decltype(&c10::MemoryReportingInfoBase::reportMemoryUsage)>::Type;

}  // namespace

class TensorMemory::Counter : public c10::MemoryReportingInfoBase {
public:
    explicit Counter(const c10::Device& device) : m_device(device) {}

    // `size` is negative for what is freed.
    void reportMemoryUsage(void*, std::int64_t size, Total, Total, c10::Device device) override
    {
        if (device.type() != m_device.type() || (m_device.has_index() && device.index() != m_device.index())) return;
        const std::lock_guard lock(m_mutex);
        m_now += size;
        m_peak = std::max(m_peak, m_now);
    }

    bool memoryProfilingEnabled() const override { return true; }

    std::int64_t peak() const
    {
        const std::lock_guard lock(m_mutex);
        return m_peak;
    }

private:
    c10::Device m_device;
    mutable std::mutex m_mutex;
    std::int64_t m_now = 0, m_peak = 0;
};

struct TensorMemory::Scope {
    c10::DebugInfoGuard guard;
};

TensorMemory::TensorMemory(const std::string& device)
    : m_counter(std::make_shared<Counter>(c10::Device(device))),
      m_scope(new Scope{c10::DebugInfoGuard(c10::DebugInfoKind::PROFILER_STATE, m_counter)})
{}

TensorMemory::~TensorMemory() = default;

std::int64_t TensorMemory::peak() const { return m_counter->peak(); }

}  // namespace fovea
