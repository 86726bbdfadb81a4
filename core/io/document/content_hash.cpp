#include "core/io/document/content_hash.h"

#include <cstdio>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace fovea {

std::string hashOf(const SafetensorsLayout& layout)
{
    XXH3_state_t state;
    XXH3_128bits_reset(&state);
    XXH3_128bits_update(&state, layout.head.data(), layout.head.size());
    for (const Tensor* tensor : layout.tensors) XXH3_128bits_update(&state, tensor->bytes.data(), tensor->bytes.size());
    const XXH128_hash_t hash = XXH3_128bits_digest(&state);
    char text[33];
    std::snprintf(text, sizeof text, "%016llx%016llx", static_cast<unsigned long long>(hash.high64),
                  static_cast<unsigned long long>(hash.low64));
    return text;
}

}  // namespace fovea
