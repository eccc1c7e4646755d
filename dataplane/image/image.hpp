#pragma once
// One image as the workers see it: a content, whether its bytes are at hand, and who holds it.

#include "dataplane/image/sealed_memory.hpp"
#include "shared/store/records.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <compare>
#include <cstdint>
#include <cstring>
#include <span>

namespace rouse::image {

// The first half of a content's SHA-256: 128 bits name more images than there will ever be, and fit a
// tftp::Content's handle.
struct ImageId {
    std::array<std::uint8_t, 16> bytes{};

    static ImageId of(const store::Sha256& hash) noexcept {
        ImageId id;
        std::copy_n(hash.begin(), id.bytes.size(), id.bytes.begin());
        return id;
    }
    friend auto operator<=>(const ImageId&, const ImageId&) noexcept = default;
};

enum class Residency : std::uint8_t {
    pending,      // not in memory yet; asking for it makes it the next to come
    resident,     // bytes() may be read
    streamed,     // no room for it at present, or ever: each transfer takes a Stream
    unavailable,  // damaged or vanished; or too large, where there is no memory for streams either
};

// Found by a worker it is valid until that worker's next quiescent(); retained, until it is released.
// What a worker does here is wait-free.
class Image {
  public:
    Image(const store::Sha256& hash, std::uint64_t size) noexcept : hash_(hash), size_(size) {}

    [[nodiscard]] const store::Sha256& hash() const noexcept { return hash_; }
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
    [[nodiscard]] Residency residency() const noexcept { return residency_.load(std::memory_order_acquire); }
    // Of a resident image: all its bytes. They cannot change, shrink or fault.
    [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return memory_.bytes(); }

    void retain() const noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
    void release() const noexcept { references_.fetch_sub(1, std::memory_order_release); }
    [[nodiscard]] bool is_held() const noexcept { return references_.load(std::memory_order_acquire) != 0; }

    // Worker: somebody asks for it now.
    void touch(std::uint64_t now_s) const noexcept {
        last_used_s_.store(now_s, std::memory_order_relaxed);
        if (residency_.load(std::memory_order_relaxed) != Residency::resident)
            is_wanted_.store(true, std::memory_order_relaxed);
    }

    // The rest is for the store's thread.
    [[nodiscard]] std::uint64_t last_used_s() const noexcept {
        return last_used_s_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] bool is_wanted() const noexcept { return is_wanted_.load(std::memory_order_relaxed); }
    [[nodiscard]] bool is_huge() const noexcept { return memory_.is_huge(); }
    [[nodiscard]] std::size_t footprint() const noexcept { return memory_.footprint(); }
    void become_resident(SealedMemory memory) noexcept {
        memory_ = std::move(memory);
        residency_.store(Residency::resident, std::memory_order_release);
    }
    void become_streamed() noexcept { residency_.store(Residency::streamed, std::memory_order_release); }
    void set_unavailable(bool unavailable) noexcept {
        residency_.store(unavailable ? Residency::unavailable : Residency::pending,
                         std::memory_order_release);
    }

  private:
    store::Sha256 hash_;
    std::uint64_t size_;
    SealedMemory memory_;
    std::atomic<Residency> residency_{Residency::pending};
    mutable std::atomic<bool> is_wanted_{false};
    mutable std::atomic<std::uint32_t> references_{0};
    mutable std::atomic<std::uint64_t> last_used_s_{0};
};

}  // namespace rouse::image
