#include "dataplane/worker/host_memory.hpp"

#include <cstdlib>
#include <new>

#include <sys/mman.h>

namespace rouse::worker {

// All of it is touched here, so that the packet path meets no page for the first time; in huge pages, where
// the kernel gives them, that takes milliseconds, and a lookup at random misses no address translation.
std::unique_ptr<HostMemory::Place[], HostMemory::Free> HostMemory::allocate() {
    constexpr std::size_t kHugePage = std::size_t{2} << 20;
    constexpr std::size_t kBytes = (kPlaces * sizeof(Place) + kHugePage - 1) / kHugePage * kHugePage;
    void* memory = std::aligned_alloc(kHugePage, kBytes);
    if (memory == nullptr) throw std::bad_alloc();
    ::madvise(memory, kBytes, MADV_HUGEPAGE);
    auto* places = static_cast<Place*>(memory);
    std::uninitialized_value_construct_n(places, kPlaces);
    return std::unique_ptr<Place[], Free>(places);
}

void HostMemory::Free::operator()(Place* places) const noexcept {
    std::free(places);
}

}  // namespace rouse::worker
