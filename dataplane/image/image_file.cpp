#include "dataplane/image/image_file.hpp"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

namespace rouse::image {

std::string image_path(const std::string& directory, const store::Sha256& hash) {
    constexpr char kDigits[] = "0123456789abcdef";
    std::string path = directory + "/";
    for (const std::uint8_t byte : hash) {
        path += kDigits[byte >> 4];
        path += kDigits[byte & 0xf];
    }
    return path;
}

void ImageFile::FreeDigest::operator()(EVP_MD_CTX* context) const noexcept {
    EVP_MD_CTX_free(context);
}

ImageFile::ImageFile(std::string path, int fd, std::uint64_t size, const store::Sha256& hash)
    : path_(std::move(path)), fd_(fd), size_(size), hash_(hash), digest_(EVP_MD_CTX_new()) {}

ImageFile::~ImageFile() {
    ::close(fd_);
}

Result<std::unique_ptr<ImageFile>> ImageFile::open(const std::string& path, std::uint64_t size,
                                                   const store::Sha256& hash) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return fail_errno("cannot open the image " + path + ", upload it again");
    std::unique_ptr<ImageFile> file(new ImageFile(path, fd, size, hash));
    struct stat status {};
    if (::fstat(fd, &status) != 0 || static_cast<std::uint64_t>(status.st_size) != size)
        return fail("the image " + path + " has " + std::to_string(status.st_size) + " bytes instead of " +
                    std::to_string(size) + ", upload it again");
    if (file->digest_ == nullptr || EVP_DigestInit_ex(file->digest_.get(), EVP_sha256(), nullptr) != 1)
        return fail("OpenSSL offers no SHA-256");
    return file;
}

Result<void> ImageFile::read(std::span<std::byte> out) {
    while (!out.empty()) {
        const ssize_t got = ::pread(fd_, out.data(), out.size(), static_cast<off_t>(done_));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail_errno("cannot read the image " + path_);
        if (got == 0) return fail("the image " + path_ + " was cut short, upload it again");
        EVP_DigestUpdate(digest_.get(), out.data(), static_cast<std::size_t>(got));
        done_ += static_cast<std::size_t>(got);
        out = out.subspan(static_cast<std::size_t>(got));
    }
    return {};
}

Result<void> ImageFile::prove() {
    store::Sha256 found{};
    EVP_DigestFinal_ex(digest_.get(), found.data(), nullptr);
    if (found == hash_) return {};
    return fail("the image " + path_ +
                " is damaged: its bytes are not the ones that were uploaded, upload it again");
}

}  // namespace rouse::image
