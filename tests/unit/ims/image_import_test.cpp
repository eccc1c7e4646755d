#include "mgmt/boot/sha256.hpp"
#include "mgmt/ims/content_digest.hpp"
#include "tests/unit/boot/archive_builder.hpp"
#include "tests/unit/ims/api_fixture.hpp"

#include <fstream>

namespace rouse::ims {
namespace {

using boot::ArchiveBuilder;
using testing::HasSubstr;

class ImageImports : public ApiTest {
  protected:
    std::string archive_path() const { return directory_.path() + "/archive.tar"; }
    static std::string bytes_of_file(const std::string& path) {
        std::ifstream in(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    Answer import(const std::string& bytes, const std::string& query = "", bool cut = false) {
        auto made = request(Method::post, "/api/image-imports/" + query);
        http::BodyText body(bytes, 65'521);
        body.cut = cut;
        return send(api_, made, std::move(body));
    }
    Answer upload(const std::string& name, const std::string& bytes, const char* header = nullptr,
                  const std::string& digest = {}) {
        auto made = request(Method::put, "/api/images/" + name);
        if (header != nullptr) made.headers.add(header, digest);
        return send(api_, made, http::BodyText(bytes, 4096));
    }
    std::vector<std::string> names(const std::string& query = "") {
        std::vector<std::string> out;
        for (const auto& image : get("/api/images/" + query).body()) out.push_back(image["name"]);
        std::sort(out.begin(), out.end());
        return out;
    }
    std::size_t files() {
        return static_cast<std::size_t>(
            std::distance(std::filesystem::directory_iterator(catalogue_.images_dir()), {}));
    }
    std::string tree() {
        return bytes_of_file(ArchiveBuilder(archive_path())
                                 .file("amd64/linux", "kernel")
                                 .file("amd64/initrd.gz", "ramdisk")
                                 .link("linux", "amd64/linux")
                                 .link("gone", "nowhere")
                                 .done());
    }
};

TEST_F(ImageImports, AllFilesAreThereUnderTheirPaths) {
    const auto answer = import(tree());
    ASSERT_EQ(answer.code, 200U) << answer.text;
    EXPECT_EQ(answer.body()["files"], 3);
    EXPECT_EQ(answer.body()["created"], 3);
    EXPECT_EQ(answer.body()["bytes"], 13);
    EXPECT_EQ(answer.body()["skipped"][0]["path"], "gone");
    EXPECT_THAT(names(), testing::ElementsAre("amd64/initrd.gz", "amd64/linux", "linux"));
    EXPECT_EQ(get("/api/images/linux").text, "kernel");
    EXPECT_EQ(files(), 2U) << "one content with two names, and no archive";

    const auto again = import(tree(), "?as=debian/12");
    EXPECT_EQ(again.body()["created"], 3);
    EXPECT_EQ(import(tree(), "?as=debian/12").body()["created"], 0);
    EXPECT_THAT(names("?prefix=debian/12/a"),
                testing::ElementsAre("debian/12/amd64/initrd.gz", "debian/12/amd64/linux"));
    EXPECT_EQ(files(), 2U);
}

TEST_F(ImageImports, AllOrNothing) {
    ASSERT_EQ(upload("amd64/linux", "before").code, 201U);
    const std::string whole = tree();
    EXPECT_EQ(import(whole, "", true).code, 400U) << "the client went away";
    EXPECT_EQ(import(whole.substr(0, 600)).code, 400U) << "cut off";
    EXPECT_EQ(
        import(bytes_of_file(ArchiveBuilder(archive_path()).file("a", "x").file("../b", "x").done())).code,
        400U);
    EXPECT_EQ(import("no archive").code, 400U);
    EXPECT_EQ(import(whole, "?as=../x").code, 400U);
    EXPECT_THAT(names(), testing::ElementsAre("amd64/linux"));
    EXPECT_EQ(get("/api/images/amd64/linux").text, "before");
    EXPECT_EQ(files(), 1U);
}

TEST_F(ImageImports, ViewersDoNotImport) {
    role_ = http::Role::viewer;
    EXPECT_EQ(import(tree()).code, 403U);
}

TEST_F(ImageImports, ListsPage) {
    ASSERT_EQ(import(tree()).code, 200U);
    const json first = get("/api/images/?limit=2").body();
    ASSERT_EQ(first.size(), 2U);
    const json rest = get("/api/images/?after=" + first[1]["id"].get<std::string>()).body();
    ASSERT_EQ(rest.size(), 1U);
    EXPECT_EQ(
        names("?sha256=" + boot::to_hex(boot::sha256(store::bytes_of(std::string_view("kernel"))))).size(),
        2U);
    EXPECT_EQ(get("/api/images/?colour=x").code, 400U);
    EXPECT_EQ(get("/api/images/?after=x").code, 400U);
    EXPECT_EQ(get("/api/images/?limit=0").code, 400U);
}

TEST_F(ImageImports, ADigestThatTheSenderGivesIsChecked) {
    // RFC 9530 appendix D gives this one for the text of its example.
    const std::string text = "{\"hello\": \"world\"}\n";
    const std::string digest = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:";
    EXPECT_EQ(digest_field(boot::sha256(store::bytes_of(std::string_view(text)))), digest);
    for (const char* header : {"Content-Digest", "Repr-Digest", "repr-digest"}) {
        EXPECT_LT(upload("a", text, header, digest).code, 300U);
        EXPECT_LT(upload("a", text, header, "sha-512=:AAAA:, " + digest).code, 300U);
        EXPECT_LT(upload("a", text, header, "sha-512=:AAAA:").code, 300U) << "not ours to check";
        const auto damaged = upload("b", text + "!", header, digest);
        EXPECT_EQ(damaged.code, 400U);
        EXPECT_THAT(damaged.detail(), HasSubstr("damaged on its way"));
        EXPECT_EQ(upload("b", text, header, "sha-256=:AAAA:").code, 400U);
        EXPECT_EQ(upload("b", text, header, "sha-256=RK").code, 400U);
    }
    EXPECT_THAT(names(), testing::ElementsAre("a"));
    EXPECT_EQ(get("/api/images/a").headers.get("Repr-Digest"), digest);
}

TEST_F(ImageImports, DamageIsFoundAndHealedByStoringAgain) {
    const json stored = upload("a", "good bytes").body();
    const std::string path = catalogue_.images_dir() + "/" + stored["sha256"].get<std::string>();
    EXPECT_EQ(call(Method::post, "/api/image-checks/a").body()["state"], "good");
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    std::ofstream(path) << "evil bytes";
    const json found = call(Method::post, "/api/image-checks/a").body();
    EXPECT_EQ(found["state"], "damaged");
    EXPECT_NE(found["found_sha256"], stored["sha256"]);
    ASSERT_EQ(upload("a", "good bytes").code, 200U);
    EXPECT_EQ(call(Method::post, "/api/image-checks/a").body()["state"], "good");
    std::filesystem::remove(path);
    EXPECT_EQ(call(Method::post, "/api/image-checks/a").body()["state"], "missing");
    EXPECT_EQ(call(Method::post, "/api/image-checks/none").code, 404U);
}

TEST_F(ImageImports, CollectionRemovesWhatNothingNames) {
    ASSERT_EQ(import(tree()).code, 200U);
    ASSERT_EQ(upload("other", "x").code, 201U);
    EXPECT_EQ(post("/api/image-collections/", json::object()).body()["removed"], 0);
    ASSERT_EQ(remove("/api/images/other").code, 204U);
    ASSERT_EQ(remove("/api/images/linux").code, 204U);
    EXPECT_EQ(post("/api/image-collections/", json::object()).body()["removed"], 1)
        << "linux has a name left";
    EXPECT_EQ(files(), 2U);
}

}  // namespace
}  // namespace rouse::ims
