#pragma once
// A directory tree as an upload's body: a tar archive, made while it is sent.

#include "mgmt/cli/console.hpp"
#include "mgmt/cli/failure.hpp"
#include "mgmt/cli/http_client.hpp"
#include "mgmt/cli/progress.hpp"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace rouse::cli {

class TreeUpload final : public UploadSource {
  public:
    // Files, directories and symbolic links below DIRECTORY; anything else is a failure.
    [[nodiscard]] static OrFailure<std::unique_ptr<TreeUpload>> open(const std::string& directory,
                                                                     Console& console);
    ~TreeUpload() override;

    [[nodiscard]] std::uint64_t size() const override { return size_; }
    std::optional<std::size_t> read(std::span<char> buffer) override;
    void rewind() override;
    void progressed(std::uint64_t sent) override;

    // After the upload: ends the progress.
    void finish();
    [[nodiscard]] std::size_t files() const noexcept { return files_; }

  private:
    struct Entry {
        std::filesystem::path path;
        std::string name;  // in the archive
        std::string link;  // a symbolic link's target
        std::uint64_t size = 0;
        bool is_directory = false;
    };
    struct Tar;

    TreeUpload(std::vector<Entry> entries, const std::string& directory, Console& console);
    [[nodiscard]] static OrFailure<std::vector<Entry>> list(const std::string& directory);
    [[nodiscard]] std::uint64_t count() const;
    bool advance();

    std::vector<Entry> entries_;
    std::size_t files_ = 0;
    std::uint64_t size_ = 0;
    std::unique_ptr<Tar> tar_;
    std::size_t next_ = 0;    // entry to begin
    std::ifstream file_;      // of the one under way
    std::uint64_t left_ = 0;  // of its bytes
    std::uint64_t sent_ = 0;
    Progress progress_;
};

}  // namespace rouse::cli
