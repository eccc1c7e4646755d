#include "mgmt/cli/file_download.hpp"

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace rouse::cli {
namespace {

// POSIX.1-1988 ustar: blocks of 512 bytes; a header has the size in octal at 124; two empty blocks end it.
constexpr std::uint64_t kBlock = 512;
constexpr std::size_t kSizeAt = 124;
constexpr std::size_t kSizeDigits = 11;
constexpr std::string_view kFirstFile("manifest.json", 14);  // with its NUL
constexpr std::size_t kMostManifest = std::size_t{64} << 20;

std::uint64_t entry_size(std::uint64_t bytes) {
    return kBlock + (bytes + kBlock - 1) / kBlock * kBlock;
}

// Of the whole archive that begins with HEAD; nothing when more of it is needed, 0 when it is no backup.
std::optional<std::uint64_t> total_of(const std::string& head) {
    if (head.size() < kBlock) return std::nullopt;
    std::uint64_t size = 0;
    const char* digits = head.data() + kSizeAt;
    const auto read = std::from_chars(digits, digits + kSizeDigits, size, 8);
    if (!head.starts_with(kFirstFile) || read.ptr != digits + kSizeDigits || size > kMostManifest) return 0;
    if (head.size() < kBlock + size) return std::nullopt;
    const auto manifest = nlohmann::json::parse(head.substr(kBlock, size), nullptr, false);
    const auto files = manifest.is_object() ? manifest.find("files") : manifest.end();
    if (files == manifest.end() || !files->is_array()) return 0;
    std::uint64_t total = entry_size(size) + 2 * kBlock;
    for (const auto& file : *files) {
        if (!file.is_object() || !file.value("size", nlohmann::json()).is_number_unsigned()) return 0;
        total += entry_size(file["size"].get<std::uint64_t>());
    }
    return total;
}

std::string because(int error) {
    return std::string(": ") + std::strerror(error);
}

}  // namespace

OrFailure<std::unique_ptr<FileDownload>> FileDownload::open(const std::string& path, Console& console) {
    if (std::filesystem::is_directory(path))
        return failure(ExitCode::usage, path + " is a directory; name the file that is to be written");
    std::string part = path + ".part-XXXXXX";
    const int descriptor = ::mkostemp(part.data(), O_CLOEXEC);  // 0600
    if (descriptor < 0) return failure(ExitCode::failed, "cannot write beside " + path + because(errno));
    return std::unique_ptr<FileDownload>(new FileDownload(path, std::move(part), descriptor, console));
}

FileDownload::FileDownload(std::string path, std::string part, int descriptor, Console& console)
    : path_(std::move(path)), part_(std::move(part)), descriptor_(descriptor), console_(console) {}

FileDownload::~FileDownload() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!part_.empty()) ::unlink(part_.c_str());
}

void FileDownload::look_for_total(std::span<const char> bytes) {
    head_.append(bytes.data(), bytes.size());
    total_ = total_of(head_);
    if (!total_) return;
    head_ = {};
    progress_.emplace(console_.err, console_.err_is_terminal, path_, *total_, start_);
}

bool FileDownload::write(std::span<const char> bytes) {
    if (!total_) look_for_total(bytes);
    if (total_ == 0U) {
        trouble_ = "what came is not a backup of an appliance";
        return false;
    }
    for (std::size_t written = 0; written < bytes.size();) {
        const ssize_t n = ::write(descriptor_, bytes.data() + written, bytes.size() - written);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            trouble_ = "cannot write " + path_ + because(errno) + "; a former file of this name is as it was";
            return false;
        }
        written += static_cast<std::size_t>(n);
    }
    size_ += bytes.size();
    if (progress_) progress_->update(size_, Progress::Clock::now());
    return true;
}

OrFailure<void> FileDownload::finish() {
    if (!total_ || size_ != *total_)
        return failure(ExitCode::failed, "the backup was cut short on its way; make it again");
    progress_->finish(size_, Progress::Clock::now());
    if (::fsync(descriptor_) != 0 || ::rename(part_.c_str(), path_.c_str()) != 0)
        return failure(ExitCode::failed, "cannot write " + path_ + because(errno));
    part_.clear();
    const auto parent = std::filesystem::path(path_).parent_path();
    const int directory = ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool is_durable = directory >= 0 && ::fsync(directory) == 0;
    const int error = errno;
    if (directory >= 0) ::close(directory);
    if (!is_durable) return failure(ExitCode::failed, "cannot make " + path_ + " durable" + because(error));
    return {};
}

}  // namespace rouse::cli
