#include "mgmt/boot/archive.hpp"

#include "mgmt/boot/archive_tree.hpp"
#include "tests/unit/boot/archive_builder.hpp"
#include "tests/unit/mgmt_store/temporary_store.hpp"

#include <clocale>
#include <filesystem>
#include <map>

#include <gmock/gmock.h>

namespace rouse::boot {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using Format = ArchiveBuilder::Format;

class Archives : public testing::Test {
  protected:
    Archives() { std::filesystem::create_directory(images_); }

    std::string path(const char* name = "archive") const { return directory_.path() + "/" + name; }
    std::size_t leftovers() const {
        return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(images_), {}));
    }
    // Name and content of every image; the reason when it is refused.
    std::map<std::string, std::string> unpack(const std::string& archive, const std::string& prefix = "",
                                              const ArchiveLimits& limits = {.spare_bytes = 0}) {
        refusal_.clear();
        skipped_.clear();
        const auto unpacked = unpack_archive(archive, images_, prefix, limits);
        if (!unpacked) {
            refusal_ = unpacked.error().message;
            return {};
        }
        std::map<std::string, std::string> files;
        for (const auto& file : unpacked->files) {
            std::ifstream in(unpacked->contents.at(file.content).path());
            files[file.name] = std::string(std::istreambuf_iterator<char>(in), {});
        }
        for (const auto& entry : unpacked->skipped) skipped_[entry.path] = entry.reason;
        return files;
    }
    void expect_refused(const std::string& archive, const char* why,
                        const ArchiveLimits& limits = {.spare_bytes = 0}) {
        EXPECT_TRUE(unpack(archive, "", limits).empty());
        EXPECT_THAT(refusal_, HasSubstr(why));
        EXPECT_EQ(leftovers(), 0U) << why;
    }

    store::TemporaryDirectory directory_;
    std::string images_ = directory_.path() + "/images";
    std::string refusal_;
    std::map<std::string, std::string> skipped_;
};

TEST_F(Archives, OfEveryKindBecomeNamesAndContents) {
    for (const Format format : {Format::tar, Format::tar_gz, Format::cpio, Format::zip, Format::iso}) {
        const auto archive =
            ArchiveBuilder(path(), format).directory("d").file("d/linux", "kernel").file("e", "").done();
        EXPECT_THAT(unpack(archive), ElementsAre(Pair("d/linux", "kernel"), Pair("e", "")))
            << static_cast<int>(format) << refusal_;
        EXPECT_THAT(unpack(archive, "deb/12"),
                    ElementsAre(Pair("deb/12/d/linux", "kernel"), Pair("deb/12/e", "")));
        EXPECT_EQ(leftovers(), 0U) << "nothing stays that was not published";
    }
}

TEST_F(Archives, LinksBecomeNamesOfWhatTheyLeadTo) {
    const auto archive = ArchiveBuilder(path())
                             .file("./amd64/cfg/menu.cfg", "menu")
                             .link("amd64/pxelinux.cfg/default", "../cfg/menu.cfg")
                             .link("pxelinux.cfg", "amd64/pxelinux.cfg")
                             .link("again", "pxelinux.cfg/default")
                             .hardlink("hard", "./amd64/cfg/menu.cfg")
                             .done();
    EXPECT_THAT(unpack(archive), ElementsAre(Pair("again", "menu"), Pair("amd64/cfg/menu.cfg", "menu"),
                                             Pair("amd64/pxelinux.cfg/default", "menu"), Pair("hard", "menu"),
                                             Pair("pxelinux.cfg/default", "menu")));
    EXPECT_TRUE(skipped_.empty());
}

TEST_F(Archives, LinksThatLeadNowhereAreReported) {
    const auto archive = ArchiveBuilder(path())
                             .file("good", "x")
                             .link("dangling", "none")
                             .link("absolute", "/etc/passwd")
                             .link("out", "../../etc/passwd")
                             .link("self", "self")
                             .link("debian", ".")
                             .link("d/up", "..")
                             .done();
    EXPECT_THAT(unpack(archive), ElementsAre(Pair("good", "x")));
    for (const char* one : {"dangling", "absolute", "out", "self", "debian", "d/up"})
        EXPECT_EQ(skipped_.count(one), 1U) << one;
    EXPECT_THAT(skipped_["debian"], HasSubstr("circle"));
}

TEST_F(Archives, NamesThatNobodyCanAskForAreReported) {
    const std::string longest(127, 'x'), too_long(128, 'y');
    const auto archive =
        ArchiveBuilder(path()).file(longest, "a").file(too_long, "b").file("a\\b", "c").done();
    EXPECT_THAT(unpack(archive), ElementsAre(Pair(longest, "a")));
    EXPECT_THAT(skipped_[too_long], HasSubstr("127"));
    EXPECT_EQ(skipped_.count("a\\b"), 1U);
}

TEST_F(Archives, WhatNoHonestArchiveHoldsIsRefusedAsAWhole) {
    expect_refused(ArchiveBuilder(path()).file("good", "x").file("../evil", "x").done(), "\"..\"");
    expect_refused(ArchiveBuilder(path()).file("good", "x").file("a/../../evil", "x").done(), "\"..\"");
    expect_refused(ArchiveBuilder(path()).file("good", "x").file("/etc/evil", "x").done(), "absolute");
    expect_refused(ArchiveBuilder(path()).file("good", "x").special("null", AE_IFCHR).done(), "device");
    expect_refused(ArchiveBuilder(path()).file("good", "x").special("pipe", AE_IFIFO).done(), "pipe");
    expect_refused(ArchiveBuilder(path()).link("d", "/etc").file("d/passwd", "x").done(), "below");
    expect_refused(ArchiveBuilder(path()).file("a", "x").file("a/b", "x").done(), "below");
    expect_refused(ArchiveBuilder(path()).file("good", "x").hardlink("h", "none").done(), "not there");
    expect_refused(ArchiveBuilder(path()).directory("only").done(), "no file");
}

TEST_F(Archives, LimitsHold) {
    ArchiveBuilder many(path());
    for (int i = 0; i < 11; ++i) many.file("f" + std::to_string(i), "x");
    const auto archive = many.done();
    expect_refused(archive, "more than 10 entries", {.entries = 10, .spare_bytes = 0});
    EXPECT_EQ(unpack(archive, "", {.entries = 11, .spare_bytes = 0}).size(), 11U);

    // Few entries, many names: every directory twice in the next one.
    ArchiveBuilder links(path());
    links.file("a/x", "x");
    for (char c = 'b'; c <= 'm'; ++c)
        for (const char* twice : {"/1", "/2"})
            links.link(std::string(1, c) + twice, std::string("../") + static_cast<char>(c - 1));
    expect_refused(links.done(), "links make more than 1000 names", {.entries = 1000, .spare_bytes = 0});

    const auto bomb =
        ArchiveBuilder(path(), Format::tar_gz).file("zeros", std::string(5'000'000, '\0')).done();
    expect_refused(bomb, "more than 1000000 bytes", {.bytes = 1'000'000, .spare_bytes = 0});
    expect_refused(bomb, "nearly full", {.spare_bytes = std::uint64_t{1} << 62});
}

// Each of 300 directories has the others in it, by links: more paths than atoms, and not one file.
TEST_F(Archives, LinksWithoutAFileAreBoundedToo) {
    ArchiveBuilder mesh(path());
    for (int i = 0; i < 300; ++i)
        for (int j = 0; j < 10; ++j)
            mesh.link("d" + std::to_string(i) + "/l" + std::to_string(j),
                      "../d" + std::to_string((i + j + 1) % 300));
    expect_refused(mesh.done(), "links make more than 20000 names");

    // A way of links that double at each step, 2^40 in all.
    ArchiveBuilder doubling(path());
    doubling.file("good", "x").directory("d0");
    for (int i = 1; i <= 40; ++i) {
        const std::string below = "d" + std::to_string(i - 1);
        doubling.link("d" + std::to_string(i), below + "/../" + below);
    }
    EXPECT_THAT(unpack(doubling.done()), ElementsAre(Pair("good", "x")));
    EXPECT_EQ(skipped_.count("d40"), 1U);

    // A staircase of links is cut where no name could reach.
    ArchiveBuilder stairs(path());
    stairs.file("good", "x");
    for (int i = 0; i < 500; ++i) stairs.link("s" + std::to_string(i) + "/n", "../s" + std::to_string(i + 1));
    stairs.directory("s500");
    EXPECT_TRUE(unpack(stairs.done(), "", {.entries = 100'000, .spare_bytes = 0}).count("good"));
}

TEST_F(Archives, OnlyContentsWithANameAreKept) {
    const auto archive = ArchiveBuilder(path())
                             .file("a", "first")
                             .file("a", "second")
                             .file(std::string(200, 'x'), "nameless")
                             .file("b", "second")
                             .done();
    const auto unpacked = unpack_archive(archive, images_, "", {.spare_bytes = 0});
    ASSERT_TRUE(unpacked);
    EXPECT_EQ(unpacked->contents.size(), 1U);
    EXPECT_EQ(leftovers(), 1U);
    EXPECT_THAT(unpack(archive), ElementsAre(Pair("a", "second"), Pair("b", "second")));
}

TEST_F(Archives, NamesInUnicodeStayTheSame) {
    for (const Format format : {Format::tar, Format::zip}) {
        std::setlocale(LC_CTYPE, "C.UTF-8");  // for who makes it
        const auto archive = ArchiveBuilder(path(), format).file("grün/größe.img", "x").done();
        std::setlocale(LC_CTYPE, "C");
        EXPECT_THAT(unpack(archive), ElementsAre(Pair("grün/größe.img", "x"))) << refusal_;
    }
}

TEST_F(Archives, WhatIsNoneIsSaidSo) {
    std::ofstream(path("text")) << std::string(10'000, 'a');
    expect_refused(path("text"), "no tar, cpio, ISO 9660 or zip");
    std::ofstream(path("empty"));
    EXPECT_TRUE(unpack(path("empty")).empty());
    EXPECT_NE(refusal_, "");
}

TEST_F(Archives, ACutOneIsRefused) {
    const auto archive = ArchiveBuilder(path()).file("a", std::string(100'000, 'a')).file("b", "x").done();
    std::filesystem::resize_file(archive, 50'000);
    expect_refused(archive, "\"a\" is damaged");
}

TEST(ArchiveTree, ALaterFileOfTheSameNameCounts) {
    ArchiveTree tree;
    ASSERT_TRUE(tree.add_file("a/b", 1));
    ASSERT_TRUE(tree.add_file("./a//b", 2));
    EXPECT_EQ(tree.file("a/b"), 2U);
    ASSERT_TRUE(tree.add_link("a/b", "c"));
    EXPECT_FALSE(tree.file("a/b"));
    EXPECT_FALSE(tree.add_file("a", 3));
    EXPECT_FALSE(tree.add_directory("a/b"));
}

}  // namespace
}  // namespace rouse::boot
