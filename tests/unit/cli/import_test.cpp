// rousectl image import, verify, gc.

#include "mgmt/cli/command.hpp"
#include "tests/unit/cli/fake_appliance.hpp"
#include "tests/unit/http/temporary_directory.hpp"

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include <archive.h>
#include <archive_entry.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

namespace rouse::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

struct Ended {
    int code;
    std::string out, err;
};

class ImportTest : public testing::Test {
  protected:
    Ended rousectl(const std::vector<std::string>& arguments) {
        std::istringstream in;
        std::ostringstream out, err;
        Console console{in, out, err};
        const Environment environment{appliance_.url(), appliance_.good_token, directory_.path()};
        const int code = run(arguments, console, environment);
        return {code, out.str(), err.str()};
    }
    std::string tree() {
        const std::filesystem::path root = directory_ / "tree";
        std::filesystem::create_directories(root / "amd64" / "empty");
        std::ofstream(root / "amd64" / "linux") << big_;
        std::ofstream(root / std::string(120, 'n')) << "long name";
        std::ofstream(root / "nothing");
        std::filesystem::create_symlink("amd64", root / "dir");
        return root;
    }
    // What was sent: contents of files, targets of links, "/" for directories.
    std::map<std::string, std::string> sent() const {
        std::map<std::string, std::string> out;
        archive* handle = archive_read_new();
        archive_read_support_format_tar(handle);
        archive_read_open_memory(handle, appliance_.last_content.data(), appliance_.last_content.size());
        for (archive_entry* entry = nullptr; archive_read_next_header(handle, &entry) == ARCHIVE_OK;) {
            std::string value(static_cast<std::size_t>(archive_entry_size(entry)), '\0');
            if (archive_entry_filetype(entry) == AE_IFREG)
                archive_read_data(handle, value.data(), value.size());
            if (archive_entry_filetype(entry) == AE_IFLNK) value = archive_entry_symlink(entry);
            if (archive_entry_filetype(entry) == AE_IFDIR) value = "/";
            out[archive_entry_pathname(entry)] = value;
        }
        archive_read_free(handle);
        return out;
    }

    FakeAppliance appliance_;
    http::TemporaryDirectory directory_;
    std::string big_ = std::string(1'000'001, 'k');
};

TEST_F(ImportTest, ADirectoryIsSentAsItIs) {
    const auto ended = rousectl({"image", "import", tree(), "--as", "debian/12"});
    ASSERT_EQ(ended.code, 0) << ended.err;
    EXPECT_EQ(appliance_.last_prefix, "debian/12");
    EXPECT_THAT(sent(), ElementsAre(Pair("amd64/", "/"), Pair("amd64/empty/", "/"), Pair("amd64/linux", big_),
                                    Pair("dir", "amd64"), Pair(std::string(120, 'n'), "long name"),
                                    Pair("nothing", "")));
    EXPECT_THAT(ended.out, HasSubstr("imported 3 images, 5.0 MB; left out 1"));
    EXPECT_THAT(ended.err, HasSubstr("left out: gone is a link to nowhere"));
    EXPECT_THAT(ended.err, HasSubstr("100%"));
}

TEST_F(ImportTest, AnArchiveIsSentAsItIs) {
    const std::string path = directory_ / "some.iso";
    std::ofstream(path) << "anything";
    ASSERT_EQ(rousectl({"image", "import", path}).code, 0);
    EXPECT_EQ(appliance_.last_content, "anything");
    EXPECT_EQ(appliance_.last_prefix, "");
}

TEST_F(ImportTest, WhatCannotBeSentIsNamed) {
    const std::string root = tree();
    ASSERT_EQ(::mkfifo((root + "/pipe").c_str(), 0600), 0);
    auto ended = rousectl({"image", "import", root});
    EXPECT_EQ(ended.code, 1);
    EXPECT_THAT(ended.err, HasSubstr(root + "/pipe is neither"));
    ended = rousectl({"image", "import", root + "/none"});
    EXPECT_EQ(ended.code, 1);
    EXPECT_THAT(ended.err, HasSubstr("cannot read " + root + "/none"));
}

TEST_F(ImportTest, VerifyFailsWhenOneIsDamaged) {
    appliance_.last_image = "a/b c";
    auto ended = rousectl({"image", "verify"});
    EXPECT_EQ(ended.code, 0) << ended.err;
    EXPECT_THAT(ended.out, HasSubstr("a/b c"));
    appliance_.damaged_image = "bad";
    ended = rousectl({"image", "verify", "good", "bad"});
    EXPECT_EQ(ended.code, 1);
    EXPECT_THAT(ended.out, HasSubstr("damaged"));
    EXPECT_THAT(ended.err, HasSubstr("1 of 2 images"));
}

TEST_F(ImportTest, GcSaysWhatItRemoved) {
    EXPECT_EQ(rousectl({"image", "gc"}).out, "removed 2 contents\n");
}

TEST_F(ImportTest, MachinesAreSentAsTheTableThatTheyAre) {
    const std::string path = directory_ / "rack";
    std::ofstream(path) << "hostname,mac\nn1,02:00:00:00:00:01\n";
    auto ended = rousectl({"machine", "import", path});
    EXPECT_EQ(ended.code, 0) << ended.err;
    EXPECT_EQ(ended.out, "added 2 machines; no pool has an address for 1 of them\n");
    EXPECT_EQ(appliance_.last_type, "text/csv");
    EXPECT_EQ(appliance_.last_content, "hostname,mac\nn1,02:00:00:00:00:01\n");
    std::ofstream(path) << "\n [{}]";
    ended = rousectl({"machine", "import", path, "--update", "--dry-run"});
    EXPECT_EQ(appliance_.last_type, "application/json");
    EXPECT_THAT(ended.out, HasSubstr("would add 2 machines"));
    EXPECT_THAT(ended.out, HasSubstr("changed 1, 0 were so already"));
    EXPECT_THAT(appliance_.queries, ElementsAre("upsert=false&dry_run=false", "upsert=true&dry_run=true"));
    EXPECT_THAT(rousectl({"machine", "import", path, "-o", "json"}).out, HasSubstr("\"created\": 2"));
}

TEST_F(ImportTest, EveryRowThatIsWrongIsTold) {
    appliance_.import_faults = {{"/mac", "another machine has this mac", 2}, {"", "has 1 cells", 7}};
    const std::string path = directory_ / "rack.csv";
    std::ofstream(path) << "hostname,mac\n";
    const auto ended = rousectl({"machine", "import", path});
    EXPECT_EQ(ended.code, 5);
    EXPECT_THAT(ended.err, HasSubstr("\n  row 2: mac another machine has this mac\n  row 7: it has 1 cells"));
    EXPECT_EQ(rousectl({"machine", "import", path + ".none"}).code, 1);
}

}  // namespace
}  // namespace rouse::cli
