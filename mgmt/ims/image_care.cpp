// POST /api/image-checks/{name...}: are an image's bytes still those that were stored?
// POST /api/image-collections/: removes contents that no name stands for, before their grace is over.

#include "mgmt/ims/api.hpp"
#include "mgmt/ims/blocking.hpp"
#include "mgmt/ims/problems.hpp"
#include "mgmt/ims/resource.hpp"
#include "mgmt/ims/words.hpp"

#include <array>

namespace rouse::ims {

using namespace store;  // NOLINT(google-build-using-namespace): documents and what is done with them
using http::Request;
using http::Response;
using nlohmann::json;
namespace asio = boost::asio;

namespace {

constexpr auto kStates = std::to_array<std::string_view>({"good", "damaged", "missing"});

const http::Schema& check_schema() {
    static const http::Schema schema(
        "ImageCheck", "Whether an image's bytes are still those that were stored",
        {http::string("name", "of the image").read_only(),
         http::choice("state", "damaged or missing: store it again", words(kStates)).read_only(),
         http::integer("size", "bytes, as stored").read_only(),
         http::string("sha256", "as stored").read_only(),
         http::string("found_sha256", "as found now").read_only()});
    return schema;
}

const http::Schema& collection_schema() {
    static const http::Schema schema(
        "ImageCollection", "What was removed",
        {http::integer("removed", "contents that no name stood for").read_only()});
    return schema;
}

asio::awaitable<http::Outcome> check(const Services& services, const Request& request) {
    const std::string name = request.parameter("name");
    std::optional<Document> image;
    {
        const auto snapshot = services.snapshot();
        if (!snapshot) co_return refused(snapshot.error());
        auto found = find_by(*snapshot, kImages, kImageByName, name);
        if (!found) co_return refused(found.error());
        image = std::move(*found);
    }
    if (!image) co_return http::problem(http::Status::not_found, "there is no image " + name);
    const std::string stored = image->text("sha256");
    const std::string path = services.catalogue.images_dir() + "/" + stored;
    const auto content = co_await run_on(services.disk, [&] { return boot::hash_file(path); });
    json out{{"name", name}, {"size", image->fields.value("size", std::uint64_t{0})}, {"sha256", stored}};
    if (content) out["found_sha256"] = boot::to_hex(content->hash);
    out["state"] = !content ? "missing" : out["found_sha256"] == stored ? "good" : "damaged";
    co_return Response::json(out);
}

asio::awaitable<http::Outcome> collect(const Services& services) {
    std::size_t removed = 0;
    for (;;) {
        const auto some = co_await run_on(services.disk, [&services] {
            return services.catalogue.collect(services.writer, boot::Collect::all_images);
        });
        if (!some) co_return refused(some.error());
        removed += *some;
        if (*some == 0) co_return Response::json(json{{"removed", removed}});
    }
}

}  // namespace

void add_image_care(http::Router& router, const Services& services) {
    router.add({.method = http::Method::post,
                .pattern = "/api/image-checks/{name...}",
                .tag = "Images",
                .summary = "Read an image's bytes again and compare their SHA-256",
                .response = &check_schema()},
               http::Handler([services](Request& request) { return check(services, request); }));
    router.add({.method = http::Method::post,
                .pattern = "/api/image-collections/",
                .access = http::Access::of(http::Role::operator_),
                .tag = "Images",
                .summary = "Remove the contents that no name stands for any more, at once",
                .response = &collection_schema()},
               http::Handler([services](Request&) { return collect(services); }));
}

}  // namespace rouse::ims
