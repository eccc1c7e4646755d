// /api/images/: the catalogue of files that machines may be given.

#include "mgmt/boot/image_name.hpp"
#include "mgmt/boot/upload.hpp"
#include "mgmt/ims/api.hpp"
#include "mgmt/ims/blocking.hpp"
#include "mgmt/ims/body_file.hpp"
#include "mgmt/ims/file_response.hpp"
#include "mgmt/ims/problems.hpp"
#include "mgmt/ims/resource.hpp"

#include <memory>
#include <vector>

namespace rouse::ims {

using namespace store;  // NOLINT(google-build-using-namespace): documents and what is done with them
using http::Request;
using http::Response;
using nlohmann::json;
namespace asio = boost::asio;

namespace {

const http::Schema& image_schema() {
    static const http::Schema schema(
        "Image", "A file that machines may be given",
        {http::uuid("id", "identifies the name").read_only(),
         http::string("name", "as clients ask for it").read_only(),
         http::integer("size", "bytes").read_only(),
         http::string("sha256", "of its bytes, in hex").read_only(),
         http::timestamp("created_at", "when the name was made").read_only(),
         http::timestamp("updated_at", "when its content last changed").read_only()});
    return schema;
}

// Removing large files takes its time.
template <typename T>
asio::awaitable<void> discard(const Services& services, T& files) {
    co_await run_on(services.disk, [&] {
        files = T{};
        return true;
    });
}

asio::awaitable<http::Outcome> put(const Services& services, Request& request) {
    const std::string name = request.parameter("name");
    // Before the first byte: a client that waits for "100 Continue" then sends none.
    if (const auto checked = boot::check_image_name(name); !checked)
        co_return http::problem(http::Status::bad_request, checked.error().message);
    std::unique_ptr<boot::Upload> upload;
    const auto content = co_await receive_file(services, request, upload);
    boot::Catalogue::Named named;
    std::function<Outcome<void>(Batch&)> give_name = [&](Batch& batch) -> Outcome<void> {
        auto given = services.catalogue.name(batch, name, *content);
        if (!given) return pass_on(given.error());
        named = std::move(*given);
        return {};
    };
    Outcome<void> published;
    if (content) published = co_await publish_files(services, request, {upload.get(), 1}, give_name);
    co_await discard(services, upload);
    if (!content) co_return tl::unexpected(content.error());
    if (!published) co_return refused(published.error());
    const json out = visible(named.image.fields);
    co_return named.created ? Response::created(request.path, out) : Response::json(out);
}

http::Outcome get(const Services& services, const Request& request) {
    const auto snapshot = services.snapshot();
    if (!snapshot) return refused(snapshot.error());
    const auto image = find_by(*snapshot, kImages, kImageByName, request.parameter("name"));
    if (!image) return refused(image.error());
    const auto hash = *image ? boot::sha256_from_hex((*image)->text("sha256")) : std::nullopt;
    if (!hash)
        return http::problem(http::Status::not_found, "there is no image " + request.parameter("name"));
    return image_response(services.catalogue, request, *hash,
                          (*image)->fields.value("size", std::uint64_t{0}));
}

asio::awaitable<http::Outcome> remove(const Services& services, const Request& request) {
    const std::string& name = request.parameter("name");
    const auto removed = co_await services.change(
        request, [&](Batch& batch) { return services.catalogue.remove(batch, name); });
    if (!removed) co_return refused(removed.error());
    if (!*removed) co_return http::problem(http::Status::not_found, "there is no image " + name);
    co_return Response::no_content();
}

// ?prefix=debian/: those whose names begin so.
http::Outcome list_images(const Services& services, const Request& request) {
    const auto query = ListQuery::parse(image_schema(), request, {"prefix"});
    if (!query) return tl::unexpected(query.error());
    const auto snapshot = services.snapshot();
    if (!snapshot) return refused(snapshot.error());
    const std::string prefix(request.query.find("prefix").value_or(""));
    const auto source = [&](const json& after, const ListQuery::Take& take) -> Outcome<void> {
        const auto from = after.is_string() ? Id::parse(after.get_ref<const std::string&>()) : std::nullopt;
        const auto listed = for_each(*snapshot, kImages, from, [&](Document image) {
            return !image.text("name").starts_with(prefix) || take(visible(std::move(image.fields)));
        });
        return listed ? Outcome<void>{} : pass_on(listed.error());
    };
    const auto page = query->run(source);
    if (!page) return refused(page.error());
    return ListQuery::answer(request, *page);
}

}  // namespace

void add_images(http::Router& router, const Services& services) {
    const std::string tag = "Images";
    auto query = ListQuery::parameters(image_schema());
    query.push_back({"prefix", "only images whose names begin so"});
    router.add({.method = http::Method::get,
                .pattern = "/api/images/",
                .tag = tag,
                .summary = "List: each image",
                .response = &image_schema(),
                .response_is_list = true,
                .query = std::move(query)},
               [services](Request& request) { return list_images(services, request); });
    const std::string one = "/api/images/{name...}";
    router.add({.method = http::Method::put,
                .pattern = one,
                .access = http::Access::of(http::Role::operator_),
                .tag = tag,
                .summary = "Store the body's bytes under this name",
                .body = http::BodyKind::stream,
                .response = &image_schema(),
                .success = http::Status::created,
                .failures = {http::Status::conflict, http::Status::insufficient_storage}},
               http::Handler([services](Request& request) { return put(services, request); }));
    router.add({.method = http::Method::get,
                .pattern = one,
                .tag = tag,
                .summary = "Read an image's bytes",
                .answer_media = {"application/octet-stream"},
                .failures = {http::Status::range_not_satisfiable}},
               [services](Request& request) { return get(services, request); });
    router.add({.method = http::Method::delete_,
                .pattern = one,
                .access = http::Access::of(http::Role::operator_),
                .tag = tag,
                .summary = "Delete an image's name",
                .success = http::Status::no_content,
                .failures = {http::Status::conflict, http::Status::insufficient_storage}},
               http::Handler([services](Request& request) { return remove(services, request); }));
}

}  // namespace rouse::ims
