// Mixed precision while it lives. bfloat16, which needs no scaling of the loss. Private to this room.
#pragma once

#include <ATen/autocast_mode.h>
#include <torch/version.h>

namespace fovea {

class Autocast {
public:
    explicit Autocast(bool on) : m_on(on)
    {
        if (!m_on) return;
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
        m_before = at::autocast::is_autocast_enabled(at::kCUDA);
        at::autocast::set_autocast_dtype(at::kCUDA, at::kBFloat16);
        at::autocast::set_autocast_enabled(at::kCUDA, true);
#else
        m_before = at::autocast::is_enabled();
        at::autocast::set_autocast_gpu_dtype(at::kBFloat16);
        at::autocast::set_enabled(true);
#endif
    }
    ~Autocast()
    {
        if (!m_on) return;
        at::autocast::clear_cache();
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
        at::autocast::set_autocast_enabled(at::kCUDA, m_before);
#else
        at::autocast::set_enabled(m_before);
#endif
    }
    Autocast(const Autocast&) = delete;
    Autocast& operator=(const Autocast&) = delete;

private:
    bool m_on = false, m_before = false;
};

}  // namespace fovea
