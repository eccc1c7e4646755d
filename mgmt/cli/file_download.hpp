#pragma once
// A backup on its way into a file: under another name until all of it is there and durable.

#include "mgmt/cli/console.hpp"
#include "mgmt/cli/failure.hpp"
#include "mgmt/cli/http_client.hpp"
#include "mgmt/cli/progress.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace rouse::cli {

class FileDownload final : public DownloadSink {
  public:
    // PATH as the user named it; nobody else may read the file (0600).
    [[nodiscard]] static OrFailure<std::unique_ptr<FileDownload>> open(const std::string& path,
                                                                       Console& console);
    ~FileDownload() override;  // what is not finished is removed

    bool write(std::span<const char> bytes) override;
    // All has come: the file takes its name, in place of one that has it. A failure when it is no whole
    // backup.
    [[nodiscard]] OrFailure<void> finish();

    // Why write() was false; empty: it was not.
    [[nodiscard]] const std::string& trouble() const noexcept { return trouble_; }
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

  private:
    FileDownload(std::string path, std::string part, int descriptor, Console& console);
    void look_for_total(std::span<const char> bytes);

    std::string path_;
    std::string part_;  // empty: it has its name
    int descriptor_;
    Console& console_;
    Progress::Clock::time_point start_ = Progress::Clock::now();
    std::string head_;  // the archive's beginning, until the manifest in it is whole
    std::optional<std::uint64_t> total_;
    std::optional<Progress> progress_;
    std::uint64_t size_ = 0;
    std::string trouble_;
};

}  // namespace rouse::cli
