#include "mgmt/boot/sha256.hpp"
#include "tests/unit/ims/api_fixture.hpp"

#include <random>

namespace rouse::ims {
namespace {

class Images : public ApiTest {
  protected:
    Answer upload(const std::string& name, const std::string& bytes, bool cut = false) {
        auto made = request(Method::put, "/api/images/" + name);
        http::BodyText body(bytes, 65'521);  // pieces that fit no buffer
        body.cut = cut;
        return send(api_, made, std::move(body));
    }
    std::size_t files() {
        return static_cast<std::size_t>(
            std::distance(std::filesystem::directory_iterator(catalogue_.images_dir()), {}));
    }
    static std::string bytes(std::size_t size) {
        std::mt19937 random(1);
        std::string out(size, '\0');
        for (char& c : out) c = static_cast<char>(random());
        return out;
    }
};

TEST_F(Images, ComeBackAsTheyWentIn) {
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, (std::size_t{1} << 20) - 1,
                                   std::size_t{1} << 20, std::size_t{3'000'001}}) {
        const std::string content = bytes(size);
        const std::string name = "dir/file-" + std::to_string(size);
        const auto answer = upload(name, content);
        ASSERT_EQ(answer.code, 201U) << answer.text;
        EXPECT_EQ(answer.body()["size"], size);
        EXPECT_EQ(answer.body()["name"], name);
        EXPECT_EQ(answer.body()["sha256"], boot::to_hex(boot::sha256(store::bytes_of(content))));
        const auto read = get("/api/images/" + name);
        EXPECT_EQ(read.code, 200U);
        EXPECT_TRUE(read.text == content);
    }
    EXPECT_EQ(get("/api/images/").body().size(), 5U);
    EXPECT_EQ(files(), 5U);
}

TEST_F(Images, AReplacedOneIsTheSameImage) {
    const json first = upload("a", "one").body();
    const auto second = upload("a", "two");
    EXPECT_EQ(second.code, 200U);
    EXPECT_EQ(second.body()["id"], first["id"]);
    EXPECT_NE(second.body()["sha256"], first["sha256"]);
    EXPECT_EQ(get("/api/images/a").text, "two");
}

TEST_F(Images, AnUploadCutOffLeavesNothing) {
    const auto answer = upload("a", bytes(2'500'000), true);
    EXPECT_EQ(answer.code, 400U);
    EXPECT_EQ(files(), 0U);
    EXPECT_EQ(get("/api/images/").body(), json::array());
    EXPECT_EQ(get("/api/images/a").code, 404U);
    ASSERT_EQ(upload("a", "whole").code, 201U);
    EXPECT_EQ(upload("a", "half", true).code, 400U);
    EXPECT_EQ(get("/api/images/a").text, "whole") << "what was there stays";
}

TEST_F(Images, BadNamesAreRefusedBeforeAnythingIsRead) {
    for (const char* name : {"a/../b", "..", "a//b", "%2Fetc/passwd", "a%5Cb", "a%0Ab", "./a"})
        EXPECT_GE(upload(name, "x").code, 400U) << name;
    EXPECT_EQ(upload(std::string(128, 'x'), "x").code, 400U);
    EXPECT_EQ(files(), 0U);
}

TEST_F(Images, AreDeletedByName) {
    ASSERT_EQ(upload("a/b", "x").code, 201U);
    EXPECT_EQ(remove("/api/images/a/b").code, 204U);
    EXPECT_EQ(remove("/api/images/a/b").code, 404U);
    EXPECT_EQ(get("/api/images/a/b").code, 404U);
    EXPECT_EQ(*store_->snapshot()->txn().count(store_->tables().images), 0U);
}

TEST_F(Images, AFullDiskIsSaidSo) {
    std::filesystem::remove_all(catalogue_.images_dir());  // the nearest thing to a disk that takes no file
    const auto answer = upload("a", "x");
    EXPECT_EQ(answer.code, 507U);
    EXPECT_NE(answer.detail().find(catalogue_.images_dir()), std::string::npos);
}

TEST_F(Images, ViewersReadAndDoNotWrite) {
    ASSERT_EQ(upload("a", "x").code, 201U);
    role_ = http::Role::viewer;
    EXPECT_EQ(get("/api/images/a").code, 200U);
    EXPECT_EQ(upload("a", "y").code, 403U);
    EXPECT_EQ(remove("/api/images/a").code, 403U);
}

}  // namespace
}  // namespace rouse::ims
