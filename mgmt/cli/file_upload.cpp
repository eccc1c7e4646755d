#include "mgmt/cli/file_upload.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include <openssl/evp.h>

namespace rouse::cli {

struct FileUpload::Hash {
    struct Free {
        void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
    };
    Hash() : context(EVP_MD_CTX_new()) { restart(); }
    void restart() { EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr); }
    std::unique_ptr<EVP_MD_CTX, Free> context;
};

OrFailure<std::unique_ptr<FileUpload>> FileUpload::open(const std::string& path, const std::string& name,
                                                        Console& console) {
    std::error_code error;
    const auto size = std::filesystem::file_size(path, error);
    if (error) return failure(ExitCode::failed, "cannot read " + path + ": " + error.message());
    std::ifstream file(path, std::ios::binary);
    if (!file) return failure(ExitCode::failed, "cannot read " + path + ": " + std::strerror(errno));
    return std::unique_ptr<FileUpload>(new FileUpload(std::move(file), size, name, console));
}

FileUpload::FileUpload(std::ifstream file, std::uint64_t size, const std::string& name, Console& console)
    : file_(std::move(file)),
      size_(size),
      hash_(std::make_unique<Hash>()),
      progress_(console.err, console.err_is_terminal, name, size, Progress::Clock::now()) {}

FileUpload::~FileUpload() = default;

std::optional<std::size_t> FileUpload::read(std::span<char> buffer) {
    file_.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    const auto n = static_cast<std::size_t>(file_.gcount());
    if (file_.bad() || (n == 0 && read_ < size_)) return std::nullopt;
    EVP_DigestUpdate(hash_->context.get(), buffer.data(), n);
    read_ += n;
    return n;
}

void FileUpload::rewind() {
    file_.clear();
    file_.seekg(0);
    read_ = 0;
    hash_->restart();
}

void FileUpload::progressed(std::uint64_t sent) {
    progress_.update(sent, Progress::Clock::now());
}

void FileUpload::finish() {
    progress_.finish(read_, Progress::Clock::now());
}

std::string FileUpload::sha256() const {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
    unsigned size = 0;
    EVP_DigestFinal_ex(hash_->context.get(), digest.data(), &size);
    std::string out;
    for (unsigned i = 0; i < size; ++i) {
        constexpr std::string_view kHex = "0123456789abcdef";
        out += kHex[digest[i] >> 4];
        out += kHex[digest[i] & 15];
    }
    return out;
}

}  // namespace rouse::cli
