#pragma once
// Bytes on their way into the images' directory: into a temporary file there, hashed as they come, made
// durable, then published under their hash. Until publish(), and after an error, nothing of them remains.

#include "mgmt/boot/sha256.hpp"
#include "shared/result.hpp"
#include "shared/store/records.hpp"

#include <cstdint>
#include <span>
#include <string>

namespace rouse::boot {

struct Content {
    store::Sha256 hash{};
    std::uint64_t size = 0;
};

// The hash of a file's bytes as they are now. Blocking.
[[nodiscard]] Result<Content> hash_file(const std::string& path);

// Blocking: used on a thread that may wait for a disk, by one thread at a time.
class Upload {
  public:
    [[nodiscard]] static Result<Upload> begin(const std::string& images_dir);
    Upload(Upload&& other) noexcept;
    Upload& operator=(Upload&&) = delete;
    ~Upload();  // removes the temporary file

    [[nodiscard]] Result<void> append(store::Bytes bytes);
    // All bytes are there: closes the file. Called once.
    [[nodiscard]] Result<Content> finish();
    // Makes the contents of finished uploads into one directory durable, then readable under their hashes.
    // May be called again, if a file was collected meanwhile. A file that is there already and damaged is
    // replaced.
    [[nodiscard]] static Result<void> publish(std::span<Upload> uploads);
    [[nodiscard]] Result<void> publish() { return publish({this, 1}); }

    [[nodiscard]] const Content& content() const noexcept { return content_; }  // of a finished one
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

    // Names of temporary files begin so.
    static constexpr std::string_view kPrefix = ".upload-";

  private:
    Upload(std::string directory, std::string path, int descriptor);
    [[nodiscard]] Result<void> link() const;
    std::string directory_;
    std::string path_;
    int descriptor_;
    Sha256Stream hash_;
    Content content_;
};

}  // namespace rouse::boot
