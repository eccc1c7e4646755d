#pragma once
// An allocator for big tables that are visited at random: on huge pages where the kernel gives them, because
// on small ones nearly every visit waits for a page walk first.

#include <cstddef>
#include <new>

#include <sys/mman.h>

namespace rouse::tftp {

template <typename T>
struct HugePageAllocator {
    using value_type = T;
    static constexpr std::size_t kHugePage = std::size_t{2} << 20;

    HugePageAllocator() noexcept = default;
    template <typename U>
    HugePageAllocator(const HugePageAllocator<U>&) noexcept {}  // NOLINT(google-explicit-constructor)

    [[nodiscard]] T* allocate(std::size_t count) {
        const std::size_t bytes = count * sizeof(T);
        void* const memory = ::operator new(bytes, alignment(bytes));
        if (bytes >= kHugePage) ::madvise(memory, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
        return static_cast<T*>(memory);
    }
    void deallocate(T* memory, std::size_t count) noexcept {
        const std::size_t bytes = count * sizeof(T);
        ::operator delete(memory, alignment(bytes));
    }
    // Elements of a container that is only given a size come to be when its owner makes them: until then
    // their pages are not there.
    template <typename U>
    void construct(U* /*element*/) noexcept {}

    friend bool operator==(HugePageAllocator, HugePageAllocator) noexcept { return true; }

  private:
    static std::align_val_t alignment(std::size_t bytes) noexcept {
        return std::align_val_t{bytes >= kHugePage ? kHugePage : std::size_t{64}};
    }
};

}  // namespace rouse::tftp
