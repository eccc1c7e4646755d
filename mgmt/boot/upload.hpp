#pragma once
// Bytes on their way into the images' directory: into a temporary file there, hashed as they come, made
// durable, then published under their hash. Until publish(), and after an error, nothing of them remains.

#include "mgmt/boot/sha256.hpp"
#include "shared/result.hpp"
#include "shared/store/records.hpp"

#include <cstdint>
#include <string>

namespace rouse::boot {

struct Content {
    store::Sha256 hash{};
    std::uint64_t size = 0;
};

// Blocking: used on a thread that may wait for a disk, by one thread at a time.
class Upload {
  public:
    [[nodiscard]] static Result<Upload> begin(const std::string& images_dir);
    Upload(Upload&& other) noexcept;
    Upload& operator=(Upload&&) = delete;
    ~Upload();  // removes the temporary file

    [[nodiscard]] Result<void> append(store::Bytes bytes);
    // All bytes are there: makes them durable. Called once.
    [[nodiscard]] Result<Content> finish();
    // Makes the content readable under its hash; may be called again, if the file was collected meanwhile.
    [[nodiscard]] Result<void> publish();

    // Names of temporary files begin so.
    static constexpr std::string_view kPrefix = ".upload-";

  private:
    Upload(std::string directory, std::string path, int descriptor);
    std::string directory_;
    std::string path_;
    int descriptor_;
    Sha256Stream hash_;
    Content content_;
};

}  // namespace rouse::boot
