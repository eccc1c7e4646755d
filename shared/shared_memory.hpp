#pragma once
// A typed segment of memory in a file on tmpfs, shared by both processes and outliving each of them.

#include "shared/result.hpp"

#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

namespace rouse {

// How much of a segment is mapped from the start: all, so that nobody waits for a page later, or what is
// used.
enum class Residency : std::uint8_t { all, as_used };

namespace detail {
// Maps `size` bytes of PATH, creating it (0600, zeroed, with room for all of it) when missing. A file of
// another size is of another build and is replaced by a fresh one under the same name; whoever has the old
// one mapped keeps it.
[[nodiscard]] Result<void*> map_shared_file(const std::string& path, std::size_t size, Residency residency);
void unmap_shared_file(void* address, std::size_t size) noexcept;
}  // namespace detail

// T is all-zero when fresh: zero must be a valid state of every member. Move only; unmapped on destruction.
template <typename T>
class SharedMemory {
    static_assert(std::is_standard_layout_v<T>);

  public:
    [[nodiscard]] static Result<SharedMemory> open(const std::string& path,
                                                   Residency residency = Residency::all) {
        auto mapped = detail::map_shared_file(path, sizeof(T), residency);
        if (!mapped) return tl::unexpected(mapped.error());
        return SharedMemory(static_cast<T*>(*mapped));
    }
    SharedMemory(SharedMemory&& other) noexcept : data_(std::exchange(other.data_, nullptr)) {}
    SharedMemory& operator=(SharedMemory&& other) noexcept {
        std::swap(data_, other.data_);
        return *this;
    }
    ~SharedMemory() {
        if (data_ != nullptr) detail::unmap_shared_file(data_, sizeof(T));
    }

    [[nodiscard]] T* operator->() const noexcept { return data_; }
    [[nodiscard]] T& operator*() const noexcept { return *data_; }

  private:
    explicit SharedMemory(T* data) noexcept : data_(data) {}
    T* data_;
};

}  // namespace rouse
