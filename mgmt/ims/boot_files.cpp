// GET /boot/{name...} on the rack side: the names that TFTP serves, by HTTP, for the same machines.

#include "mgmt/ims/api.hpp"
#include "mgmt/ims/file_response.hpp"
#include "mgmt/ims/problems.hpp"
#include "mgmt/ims/rack_client.hpp"

namespace rouse::ims {

using namespace store;  // NOLINT(google-build-using-namespace): records and how they are read
using http::Request;
using http::Response;

namespace {

http::Outcome rendered_response(const View& view, const HostRecord& host, const NameRecord& name) {
    auto text = boot::read_text(view, host, name);
    if (!text) return refused(text.error());
    if (!*text) return http::problem(http::Status::not_found, "the file's content is not there");
    return Response::text(std::move(**text));
}

http::Outcome read(const Services& services, const Request& request, const View& view,
                   const RackClient& client, const NameRecord& name) {
    if (name.kind != ContentKind::image) return rendered_response(view, client.host, name);
    return image_response(services.catalogue, request, name.hash, name.size);
}

http::Outcome get(const Services& services, HttpTransfers& transfers, const Request& request) {
    const auto snapshot = services.snapshot();
    if (!snapshot) return refused(snapshot.error());
    // One answer for strangers and for unknown names: a stranger learns nothing.
    auto not_found = [] { return http::problem(http::Status::not_found, "there is no such file for you"); };
    const auto client = rack_client(*snapshot, request.peer);
    if (!client) return refused(client.error());
    if (!*client) return not_found();
    const std::string& asked = request.parameter("name");
    const auto name = boot::resolve(*snapshot, (*client)->mac, (*client)->host, asked);
    if (!name) return refused(name.error());
    const HttpTransfers::Client who{(*client)->mac, request.peer};
    if (!*name) {
        transfers.missed(who, asked);
        return not_found();
    }
    auto response = read(services, request, *snapshot, **client, **name);
    if (!response) return response;
    if (request.method == http::Method::head)
        transfers.probed(who, asked, *response);
    else
        transfers.follow(who, asked, *response);
    return response;
}

}  // namespace

void add_boot_files(http::Router& router, const Services& services, HttpTransfers& transfers) {
    router.add({.method = http::Method::get,
                .pattern = "/boot/{name...}",
                .access = http::Access::anyone(),
                .tag = "Boot files",
                .summary = "Read a file, as the machine whose address this is"},
               [services, &transfers](Request& request) { return get(services, transfers, request); });
}

}  // namespace rouse::ims
