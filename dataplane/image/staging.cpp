#include "dataplane/image/staging.hpp"

#include <algorithm>

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

void Staging::FreeDigest::operator()(EVP_MD_CTX* context) const noexcept {
    EVP_MD_CTX_free(context);
}

Staging::Staging(std::string path, int fd, SealedMemory memory, const store::Sha256& hash)
    : path_(std::move(path)), fd_(fd), memory_(std::move(memory)), hash_(hash), digest_(EVP_MD_CTX_new()) {}

Staging::~Staging() {
    ::close(fd_);
}

Result<std::unique_ptr<Staging>> Staging::begin(const std::string& path, std::uint64_t size,
                                                const store::Sha256& hash) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return fail_errno("cannot open the image " + path + ", upload it again");
    struct stat status {};
    if (::fstat(fd, &status) != 0 || static_cast<std::uint64_t>(status.st_size) != size) {
        ::close(fd);
        return fail("the image " + path + " has " + std::to_string(status.st_size) + " bytes instead of " +
                    std::to_string(size) + ", upload it again");
    }
    auto memory = SealedMemory::allocate(size);
    if (!memory) {
        ::close(fd);
        return tl::unexpected(memory.error());
    }
    std::unique_ptr<Staging> staging(new Staging(path, fd, std::move(*memory), hash));
    if (staging->digest_ == nullptr || EVP_DigestInit_ex(staging->digest_.get(), EVP_sha256(), nullptr) != 1)
        return fail("OpenSSL offers no SHA-256");
    return staging;
}

Result<bool> Staging::step(std::size_t most) {
    const std::span<std::byte> room = memory_.room();
    for (std::size_t left = std::min(most, room.size() - done_); left > 0;) {
        const ssize_t got = ::pread(fd_, room.data() + done_, left, static_cast<off_t>(done_));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail_errno("cannot read the image " + path_);
        if (got == 0) return fail("the image " + path_ + " was cut short, upload it again");
        EVP_DigestUpdate(digest_.get(), room.data() + done_, static_cast<std::size_t>(got));
        done_ += static_cast<std::size_t>(got);
        left -= static_cast<std::size_t>(got);
    }
    if (done_ < room.size()) return false;

    store::Sha256 found{};
    EVP_DigestFinal_ex(digest_.get(), found.data(), nullptr);
    if (found != hash_)
        return fail("the image " + path_ +
                    " is damaged: its bytes are not the ones that were uploaded, "
                    "upload it again");
    if (auto sealed = memory_.seal(); !sealed) return tl::unexpected(sealed.error());
    return true;
}

}  // namespace rouse::image
