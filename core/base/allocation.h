#pragma once

namespace fovea {

// Lets the allocator keep up to 256 MiB of what is freed for the next request. A window that analyses a large
// network at every step of a slider would otherwise have the system clear the same pages each time, which
// takes as long as the analysis. Called before anything large is allocated; does nothing where the C library
// has no such switch.
void keepFreedMemory();

}  // namespace fovea
