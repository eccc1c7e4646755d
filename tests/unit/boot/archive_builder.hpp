#pragma once
// Archives for tests, by libarchive: honest ones and others.

#include <fstream>
#include <string>

#include <archive.h>
#include <archive_entry.h>

namespace rouse::boot {

class ArchiveBuilder {
  public:
    enum class Format { tar, tar_gz, cpio, zip, iso };

    explicit ArchiveBuilder(std::string path, Format format = Format::tar)
        : path_(std::move(path)), handle_(archive_write_new()) {
        switch (format) {
            case Format::tar_gz:
                archive_write_add_filter_gzip(handle_);
                [[fallthrough]];
            case Format::tar:
                archive_write_set_format_pax_restricted(handle_);
                break;
            case Format::cpio:
                archive_write_set_format_cpio_newc(handle_);
                break;
            case Format::zip:
                archive_write_set_format_zip(handle_);
                break;
            case Format::iso:
                archive_write_set_format_iso9660(handle_);
                break;
        }
        archive_write_open_filename(handle_, path_.c_str());
    }
    ArchiveBuilder(const ArchiveBuilder&) = delete;
    ArchiveBuilder& operator=(const ArchiveBuilder&) = delete;
    ~ArchiveBuilder() {
        if (handle_ != nullptr) archive_write_free(handle_);
    }

    ArchiveBuilder& file(const std::string& name, const std::string& content) {
        return add(name, AE_IFREG, content, nullptr, nullptr);
    }
    ArchiveBuilder& directory(const std::string& name) { return add(name, AE_IFDIR, {}, nullptr, nullptr); }
    ArchiveBuilder& link(const std::string& name, const std::string& target) {
        return add(name, AE_IFLNK, {}, target.c_str(), nullptr);
    }
    ArchiveBuilder& hardlink(const std::string& name, const std::string& target) {
        return add(name, AE_IFREG, {}, nullptr, target.c_str());
    }
    ArchiveBuilder& special(const std::string& name, unsigned type) {
        return add(name, type, {}, nullptr, nullptr);
    }
    // The finished archive's path.
    std::string done() {
        archive_write_free(handle_);
        handle_ = nullptr;
        return path_;
    }

  private:
    ArchiveBuilder& add(const std::string& name, unsigned type, const std::string& content,
                        const char* symlink, const char* hardlink) {
        archive_entry* entry = archive_entry_new();
        archive_entry_set_pathname(entry, name.c_str());
        archive_entry_set_filetype(entry, type);
        archive_entry_set_perm(entry, 0644);
        archive_entry_set_size(entry, static_cast<la_int64_t>(content.size()));
        if (symlink != nullptr) archive_entry_set_symlink(entry, symlink);
        if (hardlink != nullptr) archive_entry_set_hardlink(entry, hardlink);
        archive_write_header(handle_, entry);
        if (!content.empty()) archive_write_data(handle_, content.data(), content.size());
        archive_entry_free(entry);
        return *this;
    }
    std::string path_;
    archive* handle_;
};

}  // namespace rouse::boot
