#include "mgmt/boot/upload.hpp"

#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

namespace rouse::boot {
namespace {

tl::unexpected<Error> disk_error(const std::string& what, int error = errno) {
    if (error == ENOSPC || error == EDQUOT)
        return fail(what + ": the disk is full; delete images or free space below the state directory");
    return fail_errno(what, error);
}

Result<void> sync_directory(const std::string& directory) {
    const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return fail_errno("cannot open " + directory);
    const int result = ::fsync(descriptor);
    const int error = errno;
    ::close(descriptor);
    if (result != 0) return disk_error("cannot make " + directory + " durable", error);
    return {};
}

}  // namespace

Upload::Upload(std::string directory, std::string path, int descriptor)
    : directory_(std::move(directory)), path_(std::move(path)), descriptor_(descriptor) {}

Upload::Upload(Upload&& other) noexcept
    : directory_(std::move(other.directory_)),
      path_(std::exchange(other.path_, {})),
      descriptor_(std::exchange(other.descriptor_, -1)),
      hash_(std::move(other.hash_)),
      content_(other.content_) {}

Upload::~Upload() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!path_.empty()) ::unlink(path_.c_str());
}

Result<Upload> Upload::begin(const std::string& images_dir) {
    std::string path = images_dir + "/" + std::string(kPrefix) + "XXXXXX";
    const int descriptor = ::mkostemp(path.data(), O_CLOEXEC);
    if (descriptor < 0) return disk_error("cannot create a file in " + images_dir);
    return Upload(images_dir, path, descriptor);
}

Result<void> Upload::append(store::Bytes bytes) {
    hash_.update(bytes);
    content_.size += bytes.size();
    while (!bytes.empty()) {
        const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return disk_error("cannot write the image");
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return {};
}

Result<Content> Upload::finish() {
    // Readable for the dataplane's user; nobody writes it any more.
    if (::fchmod(descriptor_, 0444) != 0 || ::fsync(descriptor_) != 0)
        return disk_error("cannot make the image durable");
    content_.hash = hash_.finish();
    return content_;
}

Result<void> Upload::publish() {
    const std::string target = directory_ + "/" + to_hex(content_.hash);
    // A link and not a rename, so that publishing can be repeated.
    if (::link(path_.c_str(), target.c_str()) != 0) {
        if (errno != EEXIST) return disk_error("cannot publish the image");
        struct stat status {};
        const bool whole = ::stat(target.c_str(), &status) == 0 &&
                           static_cast<std::uint64_t>(status.st_size) == content_.size;
        // A file of the right name and the wrong size was damaged from outside: ours is better.
        if (!whole && ::rename(path_.c_str(), target.c_str()) != 0)
            return disk_error("cannot replace the damaged file " + target);
    }
    return sync_directory(directory_);
}

}  // namespace rouse::boot
