#include "perf/allocation_counter.hpp"

#include <cstdlib>
#include <new>

namespace {

constinit thread_local std::uint64_t count = 0;

void* counted(std::size_t size) {
    ++count;
    if (void* memory = std::malloc(size)) return memory;
    throw std::bad_alloc();
}

}  // namespace

// The array, nothrow and sized forms of the standard library call these; aligned ones are not used on hot
// paths, where alignment comes from the containers' own storage.
void* operator new(std::size_t size) {
    return counted(size);
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}

std::uint64_t rouse::perf::allocations() noexcept {
    return count;
}
