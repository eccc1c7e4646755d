#pragma once
// One image's file, read from its beginning to its end, and proven: its bytes are the ones that its name
// promises. It is read, never mapped: a file that is cut short is an error and not a signal.

#include "shared/result.hpp"
#include "shared/store/records.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

using EVP_MD_CTX = struct evp_md_ctx_st;

namespace rouse::image {

class ImageFile {
  public:
    // Errors tell what to do; the file must be SIZE bytes long.
    [[nodiscard]] static Result<std::unique_ptr<ImageFile>> open(const std::string& path, std::uint64_t size,
                                                                 const store::Sha256& hash);
    ~ImageFile();
    ImageFile(const ImageFile&) = delete;
    ImageFile& operator=(const ImageFile&) = delete;

    // The bytes that come next: fills `out`, which is within the file's size.
    [[nodiscard]] Result<void> read(std::span<std::byte> out);
    [[nodiscard]] std::uint64_t left() const noexcept { return size_ - done_; }
    // Once nothing is left: an error when the bytes read are not the promised ones.
    [[nodiscard]] Result<void> prove();

  private:
    ImageFile(std::string path, int fd, std::uint64_t size, const store::Sha256& hash);

    struct FreeDigest {
        void operator()(EVP_MD_CTX* context) const noexcept;
    };
    std::string path_;
    int fd_;
    std::uint64_t size_;
    store::Sha256 hash_;
    std::uint64_t done_ = 0;
    std::unique_ptr<EVP_MD_CTX, FreeDigest> digest_;
};

// images_dir/<64 hex digits>
[[nodiscard]] std::string image_path(const std::string& directory, const store::Sha256& hash);

}  // namespace rouse::image
