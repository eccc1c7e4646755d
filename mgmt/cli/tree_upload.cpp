#include "mgmt/cli/tree_upload.hpp"

#include <algorithm>
#include <array>

#include <archive.h>
#include <archive_entry.h>

namespace rouse::cli {

namespace fs = std::filesystem;

// libarchive's writer into a buffer.
struct TreeUpload::Tar {
    struct Free {
        void operator()(archive* handle) const noexcept { archive_write_free(handle); }
        void operator()(archive_entry* entry) const noexcept { archive_entry_free(entry); }
    };

    explicit Tar(bool only_count) : counting(only_count), handle(archive_write_new()) {
        archive_write_set_format_pax_restricted(handle.get());
        archive_write_set_bytes_per_block(handle.get(), 0);
        archive_write_open(handle.get(), this, nullptr, on_write, nullptr);
    }
    static la_ssize_t on_write(archive*, void* self, const void* data, std::size_t size) {
        auto& tar = *static_cast<Tar*>(self);
        tar.total += size;
        if (!tar.counting) tar.pending.append(static_cast<const char*>(data), size);
        return static_cast<la_ssize_t>(size);
    }
    // A header; what is not written of the entry's bytes afterwards becomes zeros.
    void begin(const Entry& what) {
        const std::unique_ptr<archive_entry, Free> entry(archive_entry_new());
        archive_entry_set_pathname(entry.get(), what.name.c_str());
        archive_entry_set_perm(entry.get(), what.is_directory ? 0755 : 0644);
        if (!what.link.empty()) {
            archive_entry_set_filetype(entry.get(), AE_IFLNK);
            archive_entry_set_symlink(entry.get(), what.link.c_str());
        } else {
            archive_entry_set_filetype(entry.get(), what.is_directory ? AE_IFDIR : AE_IFREG);
            archive_entry_set_size(entry.get(), static_cast<la_int64_t>(what.size));
        }
        archive_write_header(handle.get(), entry.get());
    }
    void end() { archive_write_close(handle.get()); }

    bool counting;
    bool ended = false;
    std::uint64_t total = 0;
    std::string pending;    // made, not sent
    std::size_t taken = 0;  // of it
    std::unique_ptr<archive, Free> handle;
};

OrFailure<std::vector<TreeUpload::Entry>> TreeUpload::list(const std::string& directory) {
    std::vector<Entry> entries;
    std::error_code error;
    for (fs::recursive_directory_iterator at(directory, error), end; !error && at != end;
         at.increment(error)) {
        Entry entry{.path = at->path(), .name = at->path().lexically_relative(directory).string()};
        if (at->is_symlink(error))
            entry.link = fs::read_symlink(at->path(), error).string();
        else if (at->is_directory(error))
            entry.is_directory = true;
        else if (at->is_regular_file(error))
            entry.size = at->file_size(error);
        else
            return failure(ExitCode::failed,
                           at->path().string() + " is neither a file, a directory nor a link");
        if (error) break;
        entries.push_back(std::move(entry));
    }
    if (error) return failure(ExitCode::failed, "cannot read " + directory + ": " + error.message());
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.name < b.name; });
    return entries;
}

OrFailure<std::unique_ptr<TreeUpload>> TreeUpload::open(const std::string& directory, Console& console) {
    auto entries = list(directory);
    if (!entries) return tl::unexpected(entries.error());
    return std::unique_ptr<TreeUpload>(new TreeUpload(std::move(*entries), directory, console));
}

TreeUpload::TreeUpload(std::vector<Entry> entries, const std::string& directory, Console& console)
    : entries_(std::move(entries)),
      files_(static_cast<std::size_t>(
          std::count_if(entries_.begin(), entries_.end(), [](const Entry& e) { return !e.is_directory; }))),
      size_(count()),
      tar_(std::make_unique<Tar>(false)),
      progress_(console.err, console.err_is_terminal, directory, size_, Progress::Clock::now()) {}

TreeUpload::~TreeUpload() = default;

// By making it once without its files' bytes.
std::uint64_t TreeUpload::count() const {
    Tar tar(true);
    for (const Entry& entry : entries_) tar.begin(entry);
    tar.end();
    return tar.total;
}

// Makes the next piece; false when a file is not what it was when it was listed.
bool TreeUpload::advance() {
    if (left_ > 0) {
        std::array<char, 256 * 1024> block;
        file_.read(block.data(), static_cast<std::streamsize>(std::min<std::uint64_t>(left_, block.size())));
        const auto n = file_.gcount();
        if (n <= 0) return false;
        left_ -= static_cast<std::uint64_t>(n);
        return archive_write_data(tar_->handle.get(), block.data(), static_cast<std::size_t>(n)) == n;
    }
    if (next_ == entries_.size()) {
        tar_->end();
        tar_->ended = true;
        return true;
    }
    const Entry& entry = entries_[next_++];
    tar_->begin(entry);
    left_ = entry.size;
    if (left_ == 0) return true;
    file_ = std::ifstream(entry.path, std::ios::binary);
    return file_.good();
}

std::optional<std::size_t> TreeUpload::read(std::span<char> buffer) {
    while (tar_->taken == tar_->pending.size() && !tar_->ended) {
        tar_->pending.clear();
        tar_->taken = 0;
        if (!advance()) return std::nullopt;
    }
    const std::size_t n = std::min(buffer.size(), tar_->pending.size() - tar_->taken);
    tar_->pending.copy(buffer.data(), n, tar_->taken);
    tar_->taken += n;
    sent_ += n;
    return n;
}

void TreeUpload::rewind() {
    tar_ = std::make_unique<Tar>(false);
    next_ = 0;
    left_ = 0;
    sent_ = 0;
}

void TreeUpload::progressed(std::uint64_t sent) {
    progress_.update(sent, Progress::Clock::now());
}

void TreeUpload::finish() {
    progress_.finish(sent_, Progress::Clock::now());
}

}  // namespace rouse::cli
