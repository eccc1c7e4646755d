#pragma once
// Copies one image file into sealed memory, a piece at a time, and proves that its bytes are the ones that
// its name promises. The file is read, never mapped: one that is cut short is an error and not a signal.

#include "dataplane/image/sealed_memory.hpp"
#include "shared/store/records.hpp"

#include <cstdint>
#include <memory>
#include <string>

using EVP_MD_CTX = struct evp_md_ctx_st;

namespace rouse::image {

class Staging {
  public:
    [[nodiscard]] static Result<std::unique_ptr<Staging>> begin(const std::string& path, std::uint64_t size,
                                                                const store::Sha256& hash);
    ~Staging();
    Staging(const Staging&) = delete;
    Staging& operator=(const Staging&) = delete;

    // Copies up to `most` bytes more. True when that was all of it and it is proven and sealed: take() it.
    [[nodiscard]] Result<bool> step(std::size_t most);
    [[nodiscard]] SealedMemory take() noexcept { return std::move(memory_); }
    [[nodiscard]] std::size_t footprint() const noexcept { return memory_.footprint(); }

  private:
    Staging(std::string path, int fd, SealedMemory memory, const store::Sha256& hash);

    struct FreeDigest {
        void operator()(EVP_MD_CTX* context) const noexcept;
    };
    std::string path_;
    int fd_;
    SealedMemory memory_;
    store::Sha256 hash_;
    std::size_t done_ = 0;
    std::unique_ptr<EVP_MD_CTX, FreeDigest> digest_;
};

// images_dir/<64 hex digits>
[[nodiscard]] std::string image_path(const std::string& directory, const store::Sha256& hash);

}  // namespace rouse::image
