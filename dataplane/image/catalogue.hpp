#pragma once
// Images by id: an immutable hash table. A change makes a new one; workers see the old or the new, whole.

#include "dataplane/image/image.hpp"

#include <bit>
#include <cstring>
#include <span>
#include <vector>

namespace rouse::image {

class Catalogue {
  public:
    // Does not own the images.
    explicit Catalogue(std::span<const Image* const> images)
        : slots_(std::bit_ceil(images.size() * 2 + 1)), mask_(slots_.size() - 1) {
        for (const Image* image : images) {
            const ImageId id = ImageId::of(image->hash());
            std::size_t i = home(id);
            while (slots_[i].image != nullptr) i = (i + 1) & mask_;
            slots_[i] = {id, image};
        }
    }

    [[nodiscard]] const Image* find(const ImageId& id) const noexcept {
        for (std::size_t i = home(id); slots_[i].image != nullptr; i = (i + 1) & mask_)
            if (slots_[i].id == id) return slots_[i].image;
        return nullptr;
    }

  private:
    struct Slot {
        ImageId id{};
        const Image* image = nullptr;
    };
    // The id is a cryptographic hash: any of its bits will do.
    [[nodiscard]] std::size_t home(const ImageId& id) const noexcept {
        std::size_t bits = 0;
        std::memcpy(&bits, id.bytes.data(), sizeof bits);
        return bits & mask_;
    }
    std::vector<Slot> slots_;
    std::size_t mask_;
};

}  // namespace rouse::image
