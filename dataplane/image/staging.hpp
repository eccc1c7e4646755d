#pragma once
// What is done with an image's file before its bytes are served, a piece at a time.

#include "dataplane/image/image_file.hpp"
#include "dataplane/image/sealed_memory.hpp"

#include <memory>
#include <string>
#include <vector>

namespace rouse::image {

// Copies it into sealed memory.
class Staging {
  public:
    [[nodiscard]] static Result<std::unique_ptr<Staging>> begin(const std::string& path, std::uint64_t size,
                                                                const store::Sha256& hash);

    // Copies up to `most` bytes more. True when that was all of it and it is proven and sealed: take() it.
    [[nodiscard]] Result<bool> step(std::size_t most);
    [[nodiscard]] SealedMemory take() noexcept { return std::move(memory_); }
    [[nodiscard]] std::size_t footprint() const noexcept { return memory_.footprint(); }

  private:
    Staging(std::unique_ptr<ImageFile> file, SealedMemory memory) noexcept
        : file_(std::move(file)), memory_(std::move(memory)) {}

    std::unique_ptr<ImageFile> file_;
    SealedMemory memory_;
};

// Only reads it, where there is no room for a copy: what is read ahead of transfers later is proven before.
class Proof {
  public:
    [[nodiscard]] static Result<std::unique_ptr<Proof>> begin(const std::string& path, std::uint64_t size,
                                                              const store::Sha256& hash);

    // Reads up to `most` bytes more. True when that was all of it and it is proven.
    [[nodiscard]] Result<bool> step(std::size_t most);

  private:
    explicit Proof(std::unique_ptr<ImageFile> file) noexcept : file_(std::move(file)) {}

    std::unique_ptr<ImageFile> file_;
    std::vector<std::byte> piece_;
};

}  // namespace rouse::image
