#include "mgmt/boot/upload.hpp"

#include <filesystem>
#include <utility>
#include <vector>

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

Result<void> sync(const std::string& path, int (*how)(int)) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return fail_errno("cannot open " + path);
    const int result = how(descriptor);
    const int error = errno;
    ::close(descriptor);
    if (result != 0) return disk_error("cannot make " + path + " durable", error);
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
    if (::fchmod(descriptor_, 0444) != 0) return disk_error("cannot finish the image");
    if (::close(std::exchange(descriptor_, -1)) != 0) return disk_error("cannot write the image");
    content_.hash = hash_.finish();
    return content_;
}

Result<void> Upload::link() const {
    const std::string target = directory_ + "/" + to_hex(content_.hash);
    // A link and not a rename, so that publishing can be repeated.
    if (::link(path_.c_str(), target.c_str()) == 0) return {};
    if (errno != EEXIST) return disk_error("cannot publish the image");
    const auto present = hash_file(target);
    if (present && present->hash == content_.hash) return {};
    // Damaged from outside: ours is better. By way of a link of its own, so that our file stays.
    const std::string better = path_ + ".better";
    if (::link(path_.c_str(), better.c_str()) != 0 || ::rename(better.c_str(), target.c_str()) != 0)
        return disk_error("cannot replace the damaged file " + target);
    return {};
}

Result<void> Upload::publish(std::span<Upload> uploads) {
    if (uploads.empty()) return {};
    const std::string& directory = uploads.front().directory_;
    // Of many files, all at once: an fsync for each would wait for the disk each time.
    const auto synced =
        uploads.size() == 1 ? sync(uploads.front().path_, ::fsync) : sync(directory, ::syncfs);
    if (!synced) return synced;
    for (const Upload& upload : uploads)
        if (auto linked = upload.link(); !linked) return linked;
    return sync(directory, ::fsync);
}

Result<Content> hash_file(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return fail_errno("cannot read " + path);
    ::posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL);
    Sha256Stream hash;
    Content content;
    std::vector<std::byte> buffer(std::size_t{1} << 20);
    for (;;) {
        const ssize_t n = ::read(descriptor, buffer.data(), buffer.size());
        if (n < 0 && errno == EINTR) continue;
        const int error = errno;
        if (n <= 0) ::close(descriptor);
        if (n < 0) return fail_errno("cannot read " + path, error);
        if (n == 0) break;
        content.size += static_cast<std::uint64_t>(n);
        hash.update(std::span(buffer).first(static_cast<std::size_t>(n)));
    }
    content.hash = hash.finish();
    return content;
}

}  // namespace rouse::boot
