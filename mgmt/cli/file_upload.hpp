#pragma once
// A file as an upload's body: hashed and shown while it is sent.

#include "mgmt/cli/console.hpp"
#include "mgmt/cli/failure.hpp"
#include "mgmt/cli/http_client.hpp"
#include "mgmt/cli/progress.hpp"

#include <fstream>
#include <memory>
#include <string>

namespace rouse::cli {

class FileUpload final : public UploadSource {
  public:
    // NAME: for the progress.
    [[nodiscard]] static OrFailure<std::unique_ptr<FileUpload>> open(const std::string& path,
                                                                     const std::string& name,
                                                                     Console& console);
    ~FileUpload() override;

    [[nodiscard]] std::uint64_t size() const override { return size_; }
    std::optional<std::size_t> read(std::span<char> buffer) override;
    void rewind() override;
    void progressed(std::uint64_t sent) override;

    // After the upload: ends the progress.
    void finish();
    // Of the bytes that were sent, in hex.
    [[nodiscard]] std::string sha256() const;

  private:
    FileUpload(std::ifstream file, std::uint64_t size, const std::string& name, Console& console);
    struct Hash;

    std::ifstream file_;
    std::uint64_t size_;
    std::uint64_t read_ = 0;
    std::unique_ptr<Hash> hash_;
    Progress progress_;
};

}  // namespace rouse::cli
