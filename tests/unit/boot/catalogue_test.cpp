#include "mgmt/boot/catalogue.hpp"

#include "mgmt/boot/image_name.hpp"
#include "mgmt/boot/retired.hpp"
#include "shared/clock.hpp"
#include "tests/unit/mgmt_store/temporary_store.hpp"

#include <filesystem>
#include <fstream>

namespace rouse::boot {
namespace {

using namespace store;  // NOLINT(google-build-using-namespace)

constexpr const char* kHashOfAbc =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";  // FIPS 180-4

class CatalogueTest : public StoreTest {
  protected:
    std::string images_ = directory_.path() + "/images/sha256";
    Catalogue catalogue_ = *Catalogue::open(images_, *writer_);

    std::size_t files() {
        return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(images_), {}));
    }
    Outcome<Catalogue::Named> put(const std::string& name, std::string_view bytes) {
        auto upload = Upload::begin(images_);
        EXPECT_TRUE(upload->append(bytes_of(bytes)));
        const auto content = upload->finish();
        EXPECT_TRUE(upload->publish());
        return writer_->run([&](Batch& batch) { return catalogue_.name(batch, name, *content); });
    }
    bool remove(const std::string& name) {
        return *writer_->run([&](Batch& batch) { return catalogue_.remove(batch, name); });
    }
    std::size_t contents() { return *store_->snapshot()->txn().count(store_->tables().images); }
    std::string read(const std::string& hex) {
        std::ifstream in(images_ + "/" + hex);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    // Makes everything that is retired due now.
    void let_grace_pass() {
        ASSERT_TRUE(writer_->run([&](Batch& batch) -> Outcome<void> {
            std::vector<std::string> keys;
            auto scanned = scan(batch.txn(), batch.own().retired, {}, [&](Bytes key, Bytes) {
                keys.emplace_back(text_of(key));
                return true;
            });
            for (auto key : keys) {
                static_cast<void>(batch.remove(batch.own().retired, bytes_of(key)));
                key.replace(0, sizeof(be64), sizeof(be64), '\0');
                static_cast<void>(batch.put(batch.own().retired, bytes_of(key), {}));
            }
            return {};
        }));
    }
};

// By HTTP as by TFTP: the machine's own comes first, then its profile's, then everybody's.
TEST_F(CatalogueTest, ANameIsTheMachinesThenTheProfilesThenEverybodys) {
    const MacAddress mac{{2, 0, 0, 0, 0, 1}};
    const MacAddress other{{2, 0, 0, 0, 0, 2}};
    const std::string name = "boot.ipxe";
    const std::array<NameKey, 3> keys{*NameKey::machine(mac, name), *NameKey::profile(1, name),
                                      *NameKey::common(name)};
    ASSERT_TRUE(writer_->run([&](Batch& batch) -> Outcome<void> {
        for (std::size_t i = 0; i < keys.size(); ++i) {
            const NameRecord record{.kind = ContentKind::rendered, .size = 1, .rendered_id = i + 1};
            if (auto put = batch.put_record(batch.tables().names, keys[i].bytes(), record); !put)
                return pass_on(put.error());
        }
        return {};
    }));
    const auto found = [&](const MacAddress& who, const HostRecord& as) {
        const auto record = resolve(*store_->snapshot(), who, as, name);
        return record && *record ? (*record)->rendered_id : 0;
    };
    EXPECT_EQ(found(mac, {.profile = 1}), 1U);
    EXPECT_EQ(found(other, {.profile = 1}), 2U);
    EXPECT_EQ(found(other, {.profile = 2}), 3U);
    EXPECT_EQ(found(other, {}), 3U);
    ASSERT_TRUE(writer_->run([&](Batch& batch) -> Outcome<void> {
        if (auto gone = batch.remove(batch.tables().names, keys[0].bytes()); !gone)
            return pass_on(gone.error());
        return {};
    }));
    EXPECT_EQ(found(mac, {.profile = 1}), 2U) << "without its own";
}

TEST_F(CatalogueTest, AnUploadIsStoredUnderItsHashAndNamed) {
    const auto named = put("boot/abc", "abc");
    ASSERT_TRUE(named);
    EXPECT_TRUE(named->created);
    EXPECT_EQ(named->image.text("sha256"), kHashOfAbc);
    EXPECT_EQ(named->image.fields["size"], 3);
    EXPECT_EQ(read(kHashOfAbc), "abc");
    EXPECT_EQ(files(), 1U);
    const auto name =
        store_->snapshot()->record<NameRecord>(store_->tables().names, NameKey::common("boot/abc")->bytes());
    ASSERT_TRUE(name && *name);
    EXPECT_EQ(to_hex((*name)->hash), kHashOfAbc);
    EXPECT_EQ((*name)->size, 3U);
}

TEST_F(CatalogueTest, IdenticalContentIsStoredOnce) {
    ASSERT_TRUE(put("a", "abc"));
    ASSERT_TRUE(put("b", "abc"));
    EXPECT_EQ(files(), 1U);
    EXPECT_EQ(contents(), 1U);
    EXPECT_TRUE(remove("a"));
    EXPECT_EQ(contents(), 1U) << "b still names it";
    EXPECT_TRUE(remove("b"));
    EXPECT_EQ(contents(), 0U);
    EXPECT_FALSE(remove("b"));
}

TEST_F(CatalogueTest, AnEmptyImageIsAnImage) {
    const auto named = put("empty", "");
    ASSERT_TRUE(named);
    EXPECT_EQ(named->image.fields["size"], 0);
    EXPECT_EQ(files(), 1U);
}

TEST_F(CatalogueTest, ReplacedContentGoesAfterItsGrace) {
    ASSERT_TRUE(put("a", "abc"));
    const auto again = put("a", "abcd");
    ASSERT_TRUE(again);
    EXPECT_FALSE(again->created);
    EXPECT_EQ(again->image.revision, 2U);
    EXPECT_EQ(contents(), 1U);
    EXPECT_EQ(*catalogue_.collect(*writer_), 0U);
    EXPECT_EQ(files(), 2U);
    let_grace_pass();
    EXPECT_EQ(*catalogue_.collect(*writer_), 1U);
    EXPECT_EQ(files(), 1U);
    EXPECT_EQ(read(kHashOfAbc), "");
}

TEST_F(CatalogueTest, ContentNamedAgainInItsGraceStays) {
    ASSERT_TRUE(put("a", "abc"));
    ASSERT_TRUE(remove("a"));
    ASSERT_TRUE(put("b", "abc"));
    let_grace_pass();
    EXPECT_EQ(*catalogue_.collect(*writer_), 0U);
    EXPECT_EQ(read(kHashOfAbc), "abc");
}

TEST_F(CatalogueTest, AnUploadThatEndsEarlyLeavesNothing) {
    {
        auto upload = Upload::begin(images_);
        ASSERT_TRUE(upload->append(bytes_of(std::string_view("half of it"))));
        EXPECT_EQ(files(), 1U);
    }
    EXPECT_EQ(files(), 0U);
    {
        auto upload = Upload::begin(images_);
        ASSERT_TRUE(upload->append(bytes_of(std::string_view("all of it"))));
        ASSERT_TRUE(upload->finish());
    }
    EXPECT_EQ(files(), 0U);
    EXPECT_EQ(contents(), 0U);
}

TEST_F(CatalogueTest, ContentCollectedAtTheLastInstantIsPublishedAgain) {
    auto upload = Upload::begin(images_);
    ASSERT_TRUE(upload->append(bytes_of(std::string_view("abc"))));
    const auto content = upload->finish();
    ASSERT_TRUE(upload->publish());
    std::filesystem::remove(catalogue_.path_of(content->hash));
    auto name = [&] {
        return writer_->run([&](Batch& batch) { return catalogue_.name(batch, "a", *content); });
    };
    const auto refused = name();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Failure::Kind::gone);
    ASSERT_TRUE(upload->publish());
    EXPECT_TRUE(name());
}

TEST_F(CatalogueTest, ADamagedFileIsReplacedByAWholeOne) {
    ASSERT_TRUE(put("a", "abc"));
    std::filesystem::remove(images_ + "/" + kHashOfAbc);
    std::ofstream(images_ + "/" + kHashOfAbc) << "a";
    ASSERT_TRUE(put("a", "abc"));
    EXPECT_EQ(read(kHashOfAbc), "abc");
    EXPECT_EQ(files(), 1U);
}

TEST_F(CatalogueTest, LeftoversOfACrashAreRemovedAtTheStart) {
    ASSERT_TRUE(put("kept", "abc"));
    ASSERT_TRUE(put("replaced", "old"));
    ASSERT_TRUE(put("replaced", "new"));
    std::ofstream(images_ + "/.upload-abcdef") << "half";
    std::ofstream(images_ + "/.trash-" + std::string(64, 'a')) << "x";
    std::ofstream(images_ + "/" + std::string(64, 'b')) << "published, never named";
    std::ofstream(images_ + "/README") << "an operator's own";
    ASSERT_TRUE(Catalogue::open(images_, *writer_));
    EXPECT_EQ(read(kHashOfAbc), "abc");
    EXPECT_EQ(files(), 4U) << "kept, new, old in its grace, and what is not ours";
}

// A name goes, its content is collected at once, and the transaction of both fails or is lost in a crash: the
// name is there again, and so must its content be.
TEST_F(CatalogueTest, AContentWhoseCollectionWasNotCommittedComesBack) {
    ASSERT_TRUE(put("kept", "abc"));
    std::filesystem::rename(images_ + "/" + kHashOfAbc, images_ + "/.trash-" + kHashOfAbc);
    ASSERT_TRUE(Catalogue::open(images_, *writer_));
    EXPECT_EQ(read(kHashOfAbc), "abc");
    EXPECT_EQ(files(), 1U);
}

TEST(ImageName, IsARelativePathWithoutTricks) {
    for (const char* good :
         {"a", "a/b/c", "debian-installer/amd64/linux", "pxelinux.cfg/01-aa", "ü.img", "...", "a b"})
        EXPECT_TRUE(check_image_name(good)) << good;
    EXPECT_TRUE(check_image_name(std::string(127, 'x')));
    for (const char* bad : {"", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", "a\\b", "a\nb", "a\x7f"})
        EXPECT_FALSE(check_image_name(bad)) << bad;
    EXPECT_FALSE(check_image_name(std::string(128, 'x')));
}

}  // namespace
}  // namespace rouse::boot
