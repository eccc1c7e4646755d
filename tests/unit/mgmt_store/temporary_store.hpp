#pragma once
// A store in a directory of its own, gone with the test.

#include "mgmt/store/store.hpp"
#include "mgmt/store/writer.hpp"

#include <filesystem>
#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <stdlib.h>

namespace rouse::store {

class TemporaryDirectory {
  public:
    TemporaryDirectory() {
        std::string pattern = (std::filesystem::temp_directory_path() / "rouse-test-XXXXXX").string();
        if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a directory");
        path_ = pattern;
    }
    ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

    [[nodiscard]] const std::string& path() const { return path_; }

  private:
    std::string path_;
};

inline constexpr std::size_t kTestMapBytes = std::size_t{256} << 20;

inline std::unique_ptr<Store> open_store(const std::string& directory, std::size_t bytes = kTestMapBytes) {
    auto store = Store::open(directory, bytes);
    if (!store) throw std::runtime_error(store.error().message);
    return std::move(*store);
}

class StoreTest : public ::testing::Test {
  protected:
    TemporaryDirectory directory_;
    std::unique_ptr<Store> store_ = open_store(directory_.path() + "/lmdb");
    std::unique_ptr<Writer> writer_ = std::make_unique<Writer>(*store_);
};

}  // namespace rouse::store
