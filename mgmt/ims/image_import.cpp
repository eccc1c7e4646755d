// POST /api/image-imports/?as=PREFIX: many images at once, out of an archive.

#include "mgmt/boot/archive.hpp"
#include "mgmt/boot/image_name.hpp"
#include "mgmt/ims/api.hpp"
#include "mgmt/ims/blocking.hpp"
#include "mgmt/ims/body_file.hpp"
#include "mgmt/ims/problems.hpp"
#include "mgmt/ims/resource.hpp"

namespace rouse::ims {

using http::Request;
using http::Response;
using nlohmann::json;
namespace asio = boost::asio;

namespace {

const http::Schema& skipped_schema() {
    static const http::Schema schema(
        "SkippedEntry", "A file or link of an archive that became no image",
        {http::string("path", "in the archive").read_only(), http::string("reason", "why").read_only()});
    return schema;
}

const http::Schema& import_schema() {
    static const http::Schema schema(
        "ImageImport", "What became of an archive",
        {http::string("prefix", "that all names begin with, and a slash").read_only(),
         http::integer("files", "names that were given").read_only(),
         http::integer("created", "of these: names that are new").read_only(),
         http::integer("bytes", "of the different contents").read_only(),
         http::array(http::object("skipped", "what became no image", skipped_schema())).read_only()});
    return schema;
}

struct Import {
    std::unique_ptr<boot::Upload> archive;
    boot::UnpackedArchive unpacked;
    std::size_t created = 0;
};

// All names, in one operation: all or nothing.
Outcome<void> name_all(const Services& services, store::Batch& batch, Import& import) {
    import.created = 0;
    for (const auto& file : import.unpacked.files) {
        const auto named =
            services.catalogue.name(batch, file.name, import.unpacked.contents[file.content].content());
        if (!named) return pass_on(named.error());
        import.created += named->created ? 1 : 0;
    }
    return {};
}

asio::awaitable<http::OrProblem<json>> run(const Services& services, Request& request, Import& import) {
    const std::string prefix(request.query.find("as").value_or(""));
    if (!prefix.empty())
        if (const auto checked = boot::check_image_name(prefix); !checked)
            co_return http::problem(http::Status::bad_request,
                                    "the query parameter as: " + checked.error().message);
    const auto received = co_await receive_file(services, request, import.archive);
    if (!received) co_return tl::unexpected(received.error());
    auto unpacked = co_await run_on(services.disk, [&] {
        return boot::unpack_archive(import.archive->path(), services.catalogue.images_dir(), prefix);
    });
    if (!unpacked) co_return refused(unpacked.error());
    import.unpacked = std::move(*unpacked);
    std::function<Outcome<void>(store::Batch&)> give_names = [&](store::Batch& batch) {
        return name_all(services, batch, import);
    };
    const auto published = co_await publish_files(services, request, import.unpacked.contents, give_names);
    if (!published) co_return refused(published.error());
    std::uint64_t bytes = 0;
    for (const auto& content : import.unpacked.contents) bytes += content.content().size;
    json skipped = json::array();
    for (const auto& entry : import.unpacked.skipped)
        skipped.push_back({{"path", entry.path}, {"reason", entry.reason}});
    co_return json{{"prefix", prefix},
                   {"files", import.unpacked.files.size()},
                   {"created", import.created},
                   {"bytes", bytes},
                   {"skipped", std::move(skipped)}};
}

asio::awaitable<http::Outcome> post(const Services& services, Request& request) {
    Import import;
    const auto done = co_await run(services, request, import);
    co_await run_on(services.disk, [&] {  // removing many files takes its time
        import = Import{};
        return true;
    });
    if (!done) co_return tl::unexpected(done.error());
    co_return Response::json(*done);
}

}  // namespace

void add_image_imports(http::Router& router, const Services& services) {
    router.add(
        {.method = http::Method::post,
         .pattern = "/api/image-imports/",
         .access = http::Access::of(http::Role::operator_),
         .tag = "Images",
         .summary = "Store every file of the body, a tar, cpio, ISO 9660 or zip archive, under its path, "
                    "all or none",
         .body = http::BodyKind::stream,
         .response = &import_schema(),
         .query = {{"as", "goes before each name, and a slash"}},
         .failures = {http::Status::conflict, http::Status::insufficient_storage}},
        http::Handler([services](Request& request) { return post(services, request); }));
}

}  // namespace rouse::ims
