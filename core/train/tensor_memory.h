// Counts what tensors hold.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace fovea {

// The bytes of all tensors on `device` ("cpu", "cuda:0") that are made in this thread, or in LibTorch's threads on its
// behalf, while this lives. What libraries take for themselves (a convolution's workspace on a CPU) is not in it.
// One at a time in a thread.
class TensorMemory {
public:
    explicit TensorMemory(const std::string& device);
    ~TensorMemory();
    TensorMemory(const TensorMemory&) = delete;
    TensorMemory& operator=(const TensorMemory&) = delete;

    std::int64_t peak() const;  // the most at any moment, in bytes

private:
    class Counter;
    struct Scope;
    std::shared_ptr<Counter> m_counter;
    std::unique_ptr<Scope> m_scope;
};

}  // namespace fovea
