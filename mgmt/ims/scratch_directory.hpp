#pragma once
// A directory among the images' temporary files, gone with the object; what a crash leaves goes at the next
// start.

#include "mgmt/boot/upload.hpp"
#include "shared/result.hpp"

#include <filesystem>
#include <string>
#include <utility>

#include <stdlib.h>

namespace rouse::ims {

class ScratchDirectory {
  public:
    [[nodiscard]] static Result<ScratchDirectory> make(const std::string& images_dir) {
        std::string path = images_dir + "/" + std::string(boot::Upload::kPrefix) + "dir-XXXXXX";
        if (::mkdtemp(path.data()) == nullptr) return fail_errno("cannot make a directory in " + images_dir);
        return ScratchDirectory(std::move(path));
    }
    ScratchDirectory(ScratchDirectory&& other) noexcept : path_(std::exchange(other.path_, {})) {}
    ScratchDirectory& operator=(ScratchDirectory&&) = delete;
    ~ScratchDirectory() {
        std::error_code ignored;
        if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
    }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

  private:
    explicit ScratchDirectory(std::string path) noexcept : path_(std::move(path)) {}
    std::string path_;
};

}  // namespace rouse::ims
