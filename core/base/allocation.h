#pragma once

namespace fovea {

// Both are called before anything large is allocated, and do nothing where the C library has no such switch.

// Lets the allocator keep up to 256 MiB of what is freed for the next request. A window that analyses a large
// network at every step of a slider, or a training, would otherwise have the system clear the same pages each time: the
// former takes twice as long by it, the latter a tenth longer.
void keepFreedMemory();

// All threads allocate from the heap of the main thread. Those of other threads are made of pieces of 64 MiB, which are
// given back to the system as soon as they are free, whatever keepFreedMemory() says: a training is such a thread.
void shareOneHeap();

}  // namespace fovea
