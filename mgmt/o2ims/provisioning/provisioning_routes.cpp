#include "mgmt/o2ims/provisioning/provisioning_routes.hpp"

#include "mgmt/ims/problems.hpp"
#include "mgmt/o2ims/provisioning/provisioning_schemas.hpp"
#include "mgmt/o2ims/query/collection.hpp"
#include "mgmt/o2ims/query/spelling.hpp"
#include "mgmt/o2ims/service.hpp"

#include <memory>
#include <optional>
#include <utility>

namespace rouse::o2ims {

using http::Method;
using http::OrProblem;
using http::Request;
using http::Response;
using http::Role;
using http::Route;
using http::Status;
using nlohmann::json;
using store::Document;
namespace asio = boost::asio;

namespace {

constexpr const char* kPath = "/provisioningRequests";
constexpr const char* kOne = "/provisioningRequests/{provisioningRequestId}";

struct Context {
    ims::Services services;
    Provisioner provisioner;
};
using Shared = std::shared_ptr<const Context>;

// Who may ask for servers may see what became of it.
constexpr http::Roles kReaders{Role::o2ims_reader, Role::o2ims_provisioner};

Route route(Method method, const char* pattern, std::string summary, http::Roles roles) {
    Route out{.method = method,
              .pattern = pattern,
              .access = http::Access::of(roles),
              .summary = std::move(summary)};
    out.response = &request_schema();
    return out;
}

// The checked parameters; what is wrong with one is told by its place in the request.
OrProblem<json> parameters_of(const json& data) {
    auto accepted = parameters_schema().accept(data.value("templateParameters", json::object()));
    if (!accepted)
        for (auto& error : accepted.error().errors) error.pointer = "/templateParameters" + error.pointer;
    return accepted;
}

rouse::Outcome<Document> require(const store::View& view, std::string id) {
    for (char& c : id)
        if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
    auto found = store::find_by(view, store::kProvisioningRequests, store::kProvisioningRequestById, id);
    if (!found) return pass_on(found.error());
    if (!*found) return refuse(Failure::Kind::not_found, "there is no provisioning request " + id);
    return std::move(**found);
}

Response with_location(const Request& request, const std::string& id, json body, Status status) {
    auto response = Response::json(body, status);
    response.headers.set("Location", spelled_base(request.path) + kPath + "/" + id);
    return response;
}

asio::awaitable<http::Outcome> post(const Shared& context, const Request& request) {
    const json& data = request.json();
    auto parameters = parameters_of(data);
    if (!parameters) co_return tl::unexpected(std::move(parameters.error()));
    const auto resolved = context->provisioner.resolve(std::move(*parameters));
    if (!resolved) co_return ims::refused(resolved.error());
    const auto made = co_await context->services.change(
        request, [&](store::Batch& batch) { return context->provisioner.accept(batch, data, *resolved); });
    if (!made) co_return ims::refused(made.error());
    co_return with_location(request, data["provisioningRequestId"], context->provisioner.view_of(*made),
                            Status::created);
}

asio::awaitable<http::Outcome> put(const Shared& context, const Request& request) {
    const json& data = request.json();
    const std::string& id = request.parameter("provisioningRequestId");
    if (!http::equal_ignoring_case(id, data["provisioningRequestId"].get_ref<const std::string&>()))
        co_return http::problem(Status::unprocessable_content,
                                "the body's provisioningRequestId is not the one in the path");
    auto parameters = parameters_of(data);
    if (!parameters) co_return tl::unexpected(std::move(parameters.error()));
    const auto resolved = context->provisioner.resolve(std::move(*parameters));
    if (!resolved) co_return ims::refused(resolved.error());
    const auto changed =
        co_await context->services.change(request, [&](store::Batch& batch) -> rouse::Outcome<Document> {
            auto current = require(batch, id);
            if (!current) return current;
            return context->provisioner.replace(batch, std::move(*current), data, *resolved);
        });
    if (!changed) co_return ims::refused(changed.error());
    co_return Response::json(context->provisioner.view_of(*changed));
}

asio::awaitable<http::Outcome> remove(const Shared& context, const Request& request) {
    const std::string& id = request.parameter("provisioningRequestId");
    const auto begun =
        co_await context->services.change(request, [&](store::Batch& batch) -> rouse::Outcome<Document> {
            auto current = require(batch, id);
            if (!current) return current;
            return context->provisioner.begin_deletion(batch, std::move(*current));
        });
    if (!begun) co_return ims::refused(begun.error());
    co_return with_location(request, begun->text("request_id"), context->provisioner.view_of(*begun),
                            Status::accepted);
}

http::Outcome list(const Context& context, const Request& request) {
    // What identifies an object stands first in its schema: here that is our own id.
    const auto listing = Listing::parse(request, request_schema());
    if (!listing) return tl::unexpected(listing.error());
    const auto snapshot = context.services.snapshot();
    if (!snapshot) return ims::refused(snapshot.error());
    Result<void> trouble;
    auto answer = listing->answer([&](const std::string& after, const Listing::Take& take) {
        trouble =
            store::for_each(*snapshot, store::kProvisioningRequests, store::Id::parse(after),
                            [&](const Document& one) { return take(context.provisioner.view_of(one)); });
    });
    if (!trouble) return ims::refused(trouble.error());
    return answer;
}

http::Outcome read(const Context& context, const Request& request) {
    const auto snapshot = context.services.snapshot();
    if (!snapshot) return ims::refused(snapshot.error());
    const auto found = require(*snapshot, request.parameter("provisioningRequestId"));
    if (!found) return ims::refused(found.error());
    return answer_one(request, request_schema(), context.provisioner.view_of(*found));
}

// -- templates

json template_of(const Document& profile) {
    return {{"artifactResourceId", profile.id.to_string()},
            {"name", profile.text("name")},
            {"version", kTemplateVersion},
            {"description", profile.text("description")},
            {"parameterSchema", parameters_schema().describe()},
            {"characteristics", {{"kernel", profile.text("kernel")}}},
            {"extensions", json::object()}};
}

http::Outcome list_templates(const ims::Services& services, const Request& request) {
    const auto listing = Listing::parse(request, template_schema());
    if (!listing) return tl::unexpected(listing.error());
    const auto snapshot = services.snapshot();
    if (!snapshot) return ims::refused(snapshot.error());
    Result<void> trouble;
    auto answer = listing->answer([&](const std::string& after, const Listing::Take& take) {
        trouble = store::for_each(*snapshot, store::kBootProfiles, store::Id::parse(after),
                                  [&](const Document& profile) { return take(template_of(profile)); });
    });
    if (!trouble) return ims::refused(trouble.error());
    return answer;
}

// By its id, or by its name and version, which is what clients of the field have in the path.
Result<std::optional<Document>> find_template(const store::View& view, const std::string& text) {
    if (const auto id = store::Id::parse(text)) return store::find(view, store::kBootProfiles, *id);
    const std::string suffix = std::string(".") + kTemplateVersion;
    if (!text.ends_with(suffix)) return std::optional<Document>{};
    return store::find_by(view, store::kBootProfiles, store::kProfileByName,
                          text.substr(0, text.size() - suffix.size()));
}

http::Outcome read_template(const ims::Services& services, const Request& request) {
    const std::string& id = request.parameter("id");
    const auto snapshot = services.snapshot();
    if (!snapshot) return ims::refused(snapshot.error());
    const auto profile = find_template(*snapshot, id);
    if (!profile) return ims::refused(profile.error());
    if (!*profile) return http::problem(Status::not_found, "there is no template " + id);
    return answer_one(request, template_schema(), template_of(**profile));
}

}  // namespace

void add_provisioning(http::Router& router, const ims::Services& services, const Provisioner& provisioner) {
    const auto context = std::make_shared<const Context>(Context{services, provisioner});
    Service service(router, "infrastructureProvisioning", {{1, "1.2.0"}});

    auto listing = route(Method::get, kPath, "List: each provisioning request", kReaders);
    listing.response_is_list = true;
    listing.query = listing_parameters();
    service.add(std::move(listing), [context](Request& request) { return list(*context, request); });

    auto reading = route(Method::get, kOne, "Read one provisioning request", kReaders);
    reading.query = selector_parameters();
    service.add(std::move(reading), [context](Request& request) { return read(*context, request); });

    auto creating = route(Method::post, kPath, "Ask for servers to be provisioned", Role::o2ims_provisioner);
    creating.body = http::BodyKind::json;
    creating.request = &request_data_schema();
    creating.success = Status::created;
    creating.failures = {Status::conflict, Status::insufficient_storage};
    service.add(std::move(creating),
                http::Handler([context](Request& request) { return post(context, request); }));

    auto replacing = route(Method::put, kOne, "Ask for something else: begins anew", Role::o2ims_provisioner);
    replacing.body = http::BodyKind::json;
    replacing.request = &request_data_schema();
    replacing.failures = {Status::conflict, Status::unprocessable_content, Status::insufficient_storage};
    service.add(std::move(replacing),
                http::Handler([context](Request& request) { return put(context, request); }));

    auto deleting =
        route(Method::delete_, kOne, "Release its servers, then forget it", Role::o2ims_provisioner);
    deleting.success = Status::accepted;
    deleting.failures = {Status::insufficient_storage};
    service.add(std::move(deleting),
                http::Handler([context](Request& request) { return remove(context, request); }));
}

void add_templates(http::Router& router, const ims::Services& services) {
    Service service(router, "infrastructureArtifacts", {{1, "1.0.0"}});
    const auto reading = [](const char* pattern, const char* summary, bool is_list) {
        Route out{.method = Method::get,
                  .pattern = pattern,
                  .access = http::Access::of(kReaders),
                  .summary = summary,
                  .response = &template_schema(),
                  .response_is_list = is_list};
        out.query = is_list ? listing_parameters() : selector_parameters();
        return out;
    };
    service.add(reading("/managedInfrastructureTemplates", "List: each template", true),
                [services](Request& request) { return list_templates(services, request); });
    service.add(reading("/managedInfrastructureTemplates/{id}", "Read one template", false),
                [services](Request& request) { return read_template(services, request); });
}

}  // namespace rouse::o2ims
