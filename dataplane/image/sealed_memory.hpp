#pragma once
// Memory that, once filled, can neither change, shrink nor fault: a memfd with all its seals, mapped read
// only, populated and locked, on huge pages when the host has some to spare.

#include "shared/result.hpp"

#include <cstddef>
#include <span>
#include <utility>

namespace rouse::image {

// What people are told when a host refuses to lock images' memory.
inline constexpr const char* kCannotLock =
    "images' memory cannot be locked and may be swapped out: give rouse-dataplane CAP_IPC_LOCK or raise its "
    "memlock limit";

class SealedMemory {
  public:
    // Bytes to be filled through room(); an error when the host is out of memory (never a signal later on).
    [[nodiscard]] static Result<SealedMemory> allocate(std::size_t size);

    SealedMemory() noexcept = default;
    SealedMemory(SealedMemory&& other) noexcept { *this = std::move(other); }
    SealedMemory& operator=(SealedMemory&& other) noexcept;
    ~SealedMemory();

    // Until seal().
    [[nodiscard]] std::span<std::byte> room() noexcept { return {data_, size_}; }
    // Ends writing for good. False in `locked()` afterwards when the host refused to lock the pages.
    [[nodiscard]] Result<void> seal();

    [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {data_, size_}; }
    [[nodiscard]] std::size_t footprint() const noexcept { return mapped_; }
    // On huge pages: fewer page walks for the one who reads it.
    [[nodiscard]] bool is_huge() const noexcept { return huge_; }
    [[nodiscard]] bool is_locked() const noexcept { return locked_; }

  private:
    std::byte* data_ = nullptr;
    std::size_t size_ = 0;
    std::size_t mapped_ = 0;  // bytes, whole pages
    int fd_ = -1;             // until seal()
    bool locked_ = false;
    bool huge_ = false;
};

}  // namespace rouse::image
