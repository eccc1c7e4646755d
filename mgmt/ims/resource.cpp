#include "mgmt/ims/resource.hpp"

#include "mgmt/ims/problems.hpp"

#include <algorithm>
#include <memory>

namespace rouse::ims {

using http::Method;
using http::Request;
using http::Response;
using http::Route;
using http::Status;
using nlohmann::json;
using store::Batch;
using store::Document;
using store::Id;
namespace asio = boost::asio;

namespace {

constexpr std::uint64_t kMaxPage = 1'000'000;

struct Query {
    std::vector<std::pair<const Filter*, std::string>> wanted;
    std::optional<Id> after;
    std::size_t limit = kMaxPage;

    [[nodiscard]] bool matches(const Document& document) const {
        return std::all_of(wanted.begin(), wanted.end(), [&document](const auto& filter) {
            return document.text(filter.first->name.c_str()) == filter.second;
        });
    }
};

tl::unexpected<http::Problem> bad_query(const std::string& name, const std::string& detail) {
    return http::problem(Status::bad_request, "the query parameter " + name + " " + detail);
}

http::OrProblem<Query> parse_query(const Resource& resource, const Request& request) {
    Query query;
    for (const auto& [name, value] : request.query.pairs()) {
        if (name == "limit") continue;
        if (name == "after") {
            query.after = Id::parse(value);
            if (!query.after) return bad_query(name, "must be the id of the last object seen");
            continue;
        }
        const auto filter = std::find_if(resource.filters.begin(), resource.filters.end(),
                                         [&name = name](const Filter& f) { return f.name == name; });
        if (filter == resource.filters.end()) return bad_query(name, "is not known here");
        std::string canonical = value;
        if (filter->name == "mac") {
            const auto mac = MacAddress::parse(value);
            if (!mac) return bad_query(name, "must be a MAC address such as 02:00:00:00:00:01");
            canonical = mac->to_string();
        }
        query.wanted.emplace_back(&*filter, canonical);
    }
    const auto limit = request.query.integer("limit", kMaxPage, 1, kMaxPage);
    if (!limit) return tl::unexpected(limit.error());
    query.limit = *limit;
    return query;
}

Outcome<json> answer(const Resource& resource, const store::View& view, const Document& document) {
    json out = visible(document.fields);
    if (resource.decorate)
        if (auto decorated = resource.decorate(view, out); !decorated) return pass_on(decorated.error());
    return out;
}

http::Outcome list(const Services& services, const Resource& resource, const Request& request) {
    const auto query = parse_query(resource, request);
    if (!query) return tl::unexpected(query.error());
    const auto snapshot = services.snapshot();
    if (!snapshot) return refused(snapshot.error());
    json out = json::array();
    std::optional<Failure> failure;
    auto take = [&](const Document& document) {
        if (!query->matches(document)) return true;
        auto one = answer(resource, *snapshot, document);
        if (!one) failure = one.error();
        if (one) out.push_back(std::move(*one));
        return one.has_value() && out.size() < query->limit;
    };
    const auto indexed = std::find_if(query->wanted.begin(), query->wanted.end(),
                                      [](const auto& wanted) { return wanted.first->index != nullptr; });
    Result<void> scanned;
    if (indexed == query->wanted.end()) {
        scanned = store::for_each(*snapshot, resource.collection, query->after, take);
    } else {
        scanned = store::for_each_id(*snapshot, *indexed->first->index, indexed->second, [&](Id id) {
            if (query->after && id <= *query->after) return true;
            const auto document = store::find(*snapshot, resource.collection, id);
            if (!document) failure = document.error();
            return document && (!*document || take(**document));
        });
    }
    if (!scanned) return refused(scanned.error());
    if (failure) return refused(*failure);
    return Response::json(out);
}

// CURRENT with its writable fields replaced by ACCEPTED: a PUT.
json replaced(const Resource& resource, const json& current, const json& accepted) {
    json result = current;
    for (const auto& field : resource.schema.fields()) {
        const bool sticky = std::count(resource.sticky.begin(), resource.sticky.end(), field.name()) > 0;
        if (!field.is_read_only() && !sticky) result.erase(field.name());
    }
    result.update(accepted);
    return result;
}

// CURRENT after an accepted PATCH. What prepare() added to it of the appliance's own is in no schema.
Outcome<json> patched(const Resource& resource, const json& current, const json& patch) {
    auto merged = resource.schema.merge(current, visible(patch));
    if (merged) {
        for (const auto& [name, value] : patch.items())
            if (name.starts_with('_')) (*merged)[name] = value;
        return std::move(*merged);
    }
    const auto& errors = merged.error().errors;
    if (errors.empty()) return refuse(Failure::Kind::invalid, merged.error().detail);
    return refuse(Failure::Kind::invalid, errors.front().detail, errors.front().pointer);
}

asio::awaitable<http::Outcome> change(const Services& services, const Resource& resource,
                                      const Request& request, bool patch) {
    json body = request.json();
    if (resource.prepare) {
        auto prepared = co_await resource.prepare(std::move(body));
        if (!prepared) co_return tl::unexpected(prepared.error());
        body = std::move(*prepared);
    }
    struct Changed {
        Document before, now;
    };
    const std::string& id = request.parameter("id");
    const auto changed = co_await services.writer.submit([&](Batch& batch) -> Outcome<Changed> {
        auto current = require(batch, resource.collection, id);
        if (!current) return pass_on(current.error());
        auto fields = patch ? patched(resource, current->fields, body)
                            : Outcome<json>(replaced(resource, current->fields, body));
        if (!fields) return pass_on(fields.error());
        auto now = resource.change(batch, *current, std::move(*fields));
        if (!now) return pass_on(now.error());
        return Changed{std::move(*current), std::move(*now)};
    });
    if (!changed) co_return refused(changed.error());
    if (resource.follow_up) {
        const auto followed = co_await resource.follow_up(&changed->before, changed->now);
        if (!followed) co_return refused(followed.error());
    }
    const auto snapshot = services.snapshot();
    if (!snapshot) co_return refused(snapshot.error());
    const auto out = answer(resource, *snapshot, changed->now);
    if (!out) co_return refused(out.error());
    co_return Response::json(*out);
}

asio::awaitable<http::Outcome> remove(const Services& services, const Resource& resource,
                                      const Request& request) {
    const std::string& id = request.parameter("id");
    const bool force = is_forced(request);
    const auto removed = co_await services.writer.submit([&](Batch& batch) -> Outcome<void> {
        const auto current = require(batch, resource.collection, id);
        if (!current) return pass_on(current.error());
        return resource.remove(batch, *current, force);
    });
    if (!removed) co_return refused(removed.error());
    co_return Response::no_content();
}

Route route(const Resource& resource, Method method, const std::string& pattern, const std::string& summary) {
    const bool writes = method != Method::get;
    return Route{.method = method,
                 .pattern = pattern,
                 .access = http::Access::of(writes ? resource.writes : resource.reads),
                 .tag = resource.tag,
                 .summary = summary + " " + std::string(resource.collection.noun),
                 .response = method == Method::delete_ ? nullptr : &resource.schema};
}

void add_collection_routes(http::Router& router, const Services& services,
                           const std::shared_ptr<const Resource>& resource, const std::string& path) {
    Route listing = route(*resource, Method::get, path + "/", "List: each");
    listing.response_is_list = true;
    router.add(std::move(listing),
               [services, resource](Request& request) { return list(services, *resource, request); });

    Route creation = route(*resource, Method::post, path + "/", "Create a");
    creation.body = http::BodyKind::json;
    creation.request = &resource->schema;
    creation.success = Status::created;
    router.add(std::move(creation), http::Handler([services, resource](Request& request) {
                   return create(services, *resource, request.json());
               }));
}

void add_object_routes(http::Router& router, const Services& services,
                       const std::shared_ptr<const Resource>& resource, const std::string& pattern) {
    router.add(route(*resource, Method::get, pattern, "Read one"),
               [services, resource](Request& request) -> http::Outcome {
                   const auto snapshot = services.snapshot();
                   if (!snapshot) return refused(snapshot.error());
                   const auto document = require(*snapshot, resource->collection, request.parameter("id"));
                   if (!document) return refused(document.error());
                   const auto out = answer(*resource, *snapshot, *document);
                   if (!out) return refused(out.error());
                   return Response::json(*out);
               });
    for (const bool patch : {false, true}) {
        Route changing =
            route(*resource, patch ? Method::patch : Method::put, pattern, patch ? "Change a" : "Replace a");
        changing.body = patch ? http::BodyKind::patch : http::BodyKind::json;
        changing.request = &resource->schema;
        router.add(std::move(changing), http::Handler([services, resource, patch](Request& request) {
                       return change(services, *resource, request, patch);
                   }));
    }
    Route deletion = route(*resource, Method::delete_, pattern, "Delete a");
    deletion.success = Status::no_content;
    router.add(std::move(deletion), http::Handler([services, resource](Request& request) {
                   return remove(services, *resource, request);
               }));
}

}  // namespace

void add_resource(http::Router& router, const Services& services, Resource resource) {
    const auto shared = std::make_shared<const Resource>(std::move(resource));
    for (const auto& path : shared->paths) {
        add_collection_routes(router, services, shared, path);
        add_object_routes(router, services, shared, path + "/{id}/");
    }
}

asio::awaitable<http::Outcome> create(const Services& services, const Resource& resource, json fields) {
    if (resource.prepare) {
        auto prepared = co_await resource.prepare(std::move(fields));
        if (!prepared) co_return tl::unexpected(prepared.error());
        fields = std::move(*prepared);
    }
    auto created = co_await services.writer.submit(
        [&](Batch& batch) -> Outcome<Document> { return resource.create(batch, fields); });
    if (!created) co_return refused(created.error());
    if (resource.follow_up) {
        const auto followed = co_await resource.follow_up(nullptr, *created);
        if (!followed) co_return refused(followed.error());
    }
    const auto snapshot = services.snapshot();
    if (!snapshot) co_return refused(snapshot.error());
    const auto out = answer(resource, *snapshot, *created);
    if (!out) co_return refused(out.error());
    co_return Response::created(resource.paths.front() + "/" + created->text("id") + "/", *out);
}

json visible(const json& fields) {
    json out = json::object();
    for (const auto& [name, value] : fields.items())
        if (!name.starts_with('_')) out[name] = value;
    return out;
}

Outcome<Document> require(const store::View& view, const store::Collection& collection,
                          const std::string& id) {
    const auto parsed = Id::parse(id);
    auto document = parsed ? store::find(view, collection, *parsed) : Result<std::optional<Document>>{};
    if (!document) return pass_on(document.error());
    if (!*document)
        return refuse(Failure::Kind::not_found, "there is no " + std::string(collection.noun) + " " + id);
    return std::move(**document);
}

bool is_forced(const Request& request) {
    return request.query.find("force") == "true";
}

}  // namespace rouse::ims
