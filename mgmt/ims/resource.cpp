#include "mgmt/ims/resource.hpp"

#include "mgmt/http/entity_tag.hpp"
#include "mgmt/http/json_text.hpp"
#include "mgmt/ims/problems.hpp"
#include "mgmt/store/stored_document.hpp"

#include <algorithm>
#include <limits>
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
using store::StoredDocument;
namespace asio = boost::asio;

namespace {

Failure no_such(const store::Collection& collection, const std::string& id) {
    return {Failure::Kind::not_found, "there is no " + std::string(collection.noun) + " " + id};
}

// The text of an answer about FIELDS, those of a whole document.
Outcome<std::string> answer(const Resource& resource, const store::View& view, json fields) {
    json out = visible(std::move(fields));
    if (resource.decorate)
        if (auto decorated = resource.decorate(view, out); !decorated) return pass_on(decorated.error());
    return http::to_text(out);
}

// The same about what is stored: its text as it is, where nothing is added to it.
Outcome<std::string> answer(const Resource& resource, const store::View& view,
                            const StoredDocument& document) {
    std::string text;
    document.append_to(text);
    if (!resource.decorate) return text;
    json fields = json::parse(text, nullptr, false);
    if (!fields.is_object())
        return refuse(Failure::Kind::store, "the stored " + std::string(resource.collection.noun) + " " +
                                                document.id.to_string() + " is damaged; restore a backup");
    return answer(resource, view, std::move(fields));
}

// The id, as documents have it, of the owner that the path names; empty when the resource has none.
Outcome<std::string> owner_of(const store::View& view, const Resource& resource, const Request& request) {
    if (!resource.scope) return std::string();
    const auto owner = require(view, resource.scope->owner, request.parameter(resource.scope->parameter));
    if (!owner) return pass_on(owner.error());
    return owner->id.to_string();
}

// The object that the path names, or a 404.
Outcome<Document> object_of(const store::View& view, const Resource& resource, const Request& request) {
    const auto owner = owner_of(view, resource, request);
    if (!owner) return pass_on(owner.error());
    const std::string& id = request.parameter(resource.id_parameter);
    auto document = require(view, resource.collection, id);
    if (document && resource.scope && document->text(resource.scope->field.c_str()) != *owner)
        return refuse(Failure::Kind::not_found, "this " + std::string(resource.scope->owner.noun) +
                                                    " has no " + std::string(resource.collection.noun) + " " +
                                                    id);
    return document;
}

// A list's text as it grows.
struct Listing {
    std::string text = "[";
    std::optional<Id> last = {};
    bool has_more = false;

    // The next one's text is appended after this.
    void begin(const Id& id) {
        if (last) text += ',';
        last = id;
    }
};

// A list that is neither filtered nor ordered.
struct WholePage {
    std::optional<Id> after;
    std::size_t limit;
};
// Nothing: it is filtered or ordered, or there is more to its objects than is stored. Of a request that
// ListQuery takes.
std::optional<WholePage> whole_page(const Resource& resource, const Request& request) {
    if (resource.scope || resource.decorate) return std::nullopt;
    constexpr std::size_t kAll = std::numeric_limits<std::int64_t>::max();
    const auto& pairs = request.query.pairs();
    const bool whole = std::all_of(pairs.begin(), pairs.end(), [](const auto& pair) {
        return pair.first == "limit" || pair.first == "after";
    });
    if (!whole) return std::nullopt;
    return WholePage{Id::parse(request.query.find("after").value_or("")),
                     request.query.integer("limit", kAll, 1, kAll).value_or(kAll)};
}

constexpr std::size_t kUsualPage = 100;

// Straight from the stored texts.
Outcome<Listing> list_all(const Resource& resource, const store::View& view, const WholePage& page) {
    Listing out;
    std::size_t count = 0;
    const auto visited =
        store::for_each_stored(view, resource.collection, page.after, [&](const StoredDocument& document) {
            out.has_more = count++ == page.limit;
            if (out.has_more) return false;
            out.begin(document.id);
            // The others are much like the first: the text grows once.
            if (count == 1)
                out.text.reserve(std::min(page.limit, kUsualPage) * (document.members.size() + 8));
            document.append_to(out.text);
            return true;
        });
    if (!visited) return pass_on(visited.error());
    return out;
}

http::Outcome list(const Services& services, const Resource& resource, const Request& request) {
    auto query = ListQuery::parse(resource.schema, request);
    if (!query) return tl::unexpected(query.error());
    const auto snapshot = services.snapshot();
    if (!snapshot) return refused(snapshot.error());
    if (const auto whole = whole_page(resource, request)) {
        auto listing = list_all(resource, *snapshot, *whole);
        if (!listing) return refused(listing.error());
        Response response = Response::json_text(std::move(listing->text) + ']');
        if (listing->has_more) ListQuery::add_next(response, request, listing->last->to_string());
        return response;
    }
    const auto owner = owner_of(*snapshot, resource, request);
    if (!owner) return refused(owner.error());
    if (resource.scope) query->also(resource.scope->field, *owner);
    const auto page = query->run(*snapshot, resource.collection, resource.indexed, resource.decorate);
    if (!page) return refused(page.error());
    return ListQuery::answer(request, *page);
}

http::Outcome tagged(std::string text, std::uint64_t revision, Status status) {
    Response response = Response::json_text(std::move(text), status);
    response.headers.add("ETag", http::revision_tag(revision));
    return response;
}

// The answer about one object that was changed, with its tag.
http::Outcome changed_to(const Services& services, const Resource& resource, const Document& document,
                         Status status = Status::ok) {
    const auto snapshot = services.snapshot();
    if (!snapshot) return refused(snapshot.error());
    auto text = answer(resource, *snapshot, document.fields);
    if (!text) return refused(text.error());
    return tagged(std::move(*text), document.revision, status);
}

http::Outcome read(const Services& services, const Resource& resource, const Request& request) {
    const auto snapshot = services.snapshot();
    if (!snapshot) return refused(snapshot.error());
    if (resource.scope)
        if (const auto belongs = object_of(*snapshot, resource, request); !belongs)
            return refused(belongs.error());
    const std::string& id = request.parameter(resource.id_parameter);
    const auto parsed = Id::parse(id);
    const auto document = parsed ? store::find_stored(*snapshot, resource.collection, *parsed)
                                 : Result<std::optional<StoredDocument>>{};
    if (!document) return refused(Failure(document.error()));
    if (!*document) return refused(no_such(resource.collection, id));
    // What is not stored changes without the revision.
    const auto wanted = request.headers.get("If-None-Match");
    const std::uint64_t revision = (*document)->revision;
    if (!resource.decorate && !wanted.empty() && http::lists_tag(wanted, http::revision_tag(revision))) {
        Response response;
        response.status = Status::not_modified;
        response.headers.set("ETag", http::revision_tag(revision));
        return response;
    }
    auto text = answer(resource, *snapshot, **document);
    if (!text) return refused(text.error());
    return tagged(std::move(*text), revision, Status::ok);
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
    auto merged = merge(resource.schema, current, visible(patch));
    if (!merged) return merged;
    for (const auto& [name, value] : patch.items())
        if (name.starts_with('_')) (*merged)[name] = value;
    return merged;
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
    const auto changed = co_await services.change(request, [&](Batch& batch) -> Outcome<Changed> {
        auto current = object_of(batch, resource, request);
        if (!current) return pass_on(current.error());
        if (auto matched = check_match(request, http::revision_tag(current->revision)); !matched)
            return pass_on(matched.error());
        auto fields = patch ? patched(resource, current->fields, body)
                            : Outcome<json>(replaced(resource, current->fields, body));
        if (!fields) return pass_on(fields.error());
        // A PUT under its owner's path that does not say where the object belongs leaves it there.
        if (resource.scope && !patch && !fields->contains(resource.scope->field))
            (*fields)[resource.scope->field] = current->fields.at(resource.scope->field);
        auto now = resource.change(batch, *current, std::move(*fields));
        if (!now) return pass_on(now.error());
        return Changed{std::move(*current), std::move(*now)};
    });
    if (!changed) co_return refused(changed.error());
    if (resource.committed) resource.committed();
    if (resource.follow_up) {
        const auto followed = co_await resource.follow_up(&changed->before, changed->now);
        if (!followed) co_return refused(followed.error());
    }
    co_return changed_to(services, resource, changed->now);
}

asio::awaitable<http::Outcome> remove(const Services& services, const Resource& resource,
                                      const Request& request) {
    const bool force = is_forced(request);
    const auto removed = co_await services.change(request, [&](Batch& batch) -> Outcome<void> {
        const auto current = object_of(batch, resource, request);
        if (!current) return pass_on(current.error());
        if (auto matched = check_match(request, http::revision_tag(current->revision)); !matched)
            return matched;
        return resource.remove(batch, *current, force);
    });
    if (!removed) co_return refused(removed.error());
    if (resource.committed) resource.committed();
    co_return Response::no_content();
}

Route route(const Resource& resource, Method method, const std::string& pattern, const std::string& summary) {
    const bool writes = method != Method::get;
    Route out{.method = method,
              .pattern = pattern,
              .access = http::Access::of(writes ? resource.writes : resource.reads),
              .tag = resource.tag,
              .summary = summary + " " + std::string(resource.collection.noun),
              .response = method == Method::delete_ ? nullptr : &resource.schema};
    if (writes) out.failures = {Status::conflict, Status::insufficient_storage};
    return out;
}

void add_collection_routes(http::Router& router, const Services& services,
                           const std::shared_ptr<const Resource>& resource, const std::string& path) {
    Route listing = route(*resource, Method::get, path + "/", "List: each");
    listing.response_is_list = true;
    listing.query = ListQuery::parameters(resource->schema);
    router.add(std::move(listing),
               [services, resource](Request& request) { return list(services, *resource, request); });

    Route creation = route(*resource, Method::post, path + "/", "Create a");
    creation.body = http::BodyKind::json;
    creation.request = &resource->schema;
    creation.success = Status::created;
    router.add(std::move(creation), http::Handler([services, resource](Request& request) {
                   return create_in(services, *resource, request);
               }));
}

void add_object_routes(http::Router& router, const Services& services,
                       const std::shared_ptr<const Resource>& resource, const std::string& pattern) {
    const auto object_route = [&](Method method, const std::string& summary) {
        Route out = route(*resource, method, pattern, summary);
        out.has_tag = true;
        return out;
    };
    router.add(object_route(Method::get, "Read one"),
               [services, resource](Request& request) { return read(services, *resource, request); });
    for (const bool patch : {false, true}) {
        Route changing = object_route(patch ? Method::patch : Method::put, patch ? "Change a" : "Replace a");
        changing.body = patch ? http::BodyKind::patch : http::BodyKind::json;
        changing.request = &resource->schema;
        router.add(std::move(changing), http::Handler([services, resource, patch](Request& request) {
                       return change(services, *resource, request, patch);
                   }));
    }
    Route deletion = object_route(Method::delete_, "Delete a");
    deletion.success = Status::no_content;
    if (!resource->force.empty()) deletion.query = {{"force", resource->force, "boolean"}};
    router.add(std::move(deletion), http::Handler([services, resource](Request& request) {
                   return remove(services, *resource, request);
               }));
}

}  // namespace

void add_resource(http::Router& router, const Services& services, Resource resource) {
    const auto shared = std::make_shared<const Resource>(std::move(resource));
    for (const auto& path : shared->paths) {
        add_collection_routes(router, services, shared, path);
        add_object_routes(router, services, shared, path + "/{" + shared->id_parameter + "}/");
    }
}

asio::awaitable<http::Outcome> create(const Services& services, const Resource& resource,
                                      const Request& request, json fields) {
    if (resource.prepare) {
        auto prepared = co_await resource.prepare(std::move(fields));
        if (!prepared) co_return tl::unexpected(prepared.error());
        fields = std::move(*prepared);
    }
    auto created = co_await services.change(
        request, [&](Batch& batch) -> Outcome<Document> { return resource.create(batch, fields); });
    if (!created) co_return refused(created.error());
    if (resource.committed) resource.committed();
    if (resource.follow_up) {
        const auto followed = co_await resource.follow_up(nullptr, *created);
        if (!followed) co_return refused(followed.error());
    }
    auto response = changed_to(services, resource, *created, Status::created);
    if (response && resource.reveal) {
        auto& text = std::get<std::string>(response->body);
        json shown = json::parse(text);
        resource.reveal(fields, shown);
        text = shown.dump();
        response->headers.set("Cache-Control", "no-store");
    }
    const std::string& place = resource.location.empty() ? resource.paths.front() : resource.location;
    if (response) response->headers.set("Location", place + "/" + created->id.to_string() + "/");
    co_return response;
}

asio::awaitable<http::Outcome> create_in(const Services& services, const Resource& resource,
                                         const Request& request) {
    json fields = request.json();
    if (resource.scope) {
        const auto snapshot = services.snapshot();
        if (!snapshot) co_return refused(snapshot.error());
        auto owner = owner_of(*snapshot, resource, request);
        if (!owner) co_return refused(owner.error());
        fields[resource.scope->field] = std::move(*owner);
    }
    co_return co_await create(services, resource, request, std::move(fields));
}

json visible(json fields) {
    for (auto field = fields.begin(); field != fields.end();)
        field = field.key().starts_with('_') ? fields.erase(field) : std::next(field);
    return fields;
}

Outcome<Document> require(const store::View& view, const store::Collection& collection,
                          const std::string& id) {
    const auto parsed = Id::parse(id);
    auto document = parsed ? store::find(view, collection, *parsed) : Result<std::optional<Document>>{};
    if (!document) return pass_on(document.error());
    if (!*document) return tl::unexpected(no_such(collection, id));
    return std::move(**document);
}

Outcome<void> check_match(const Request& request, const std::string& tag) {
    const auto wanted = request.headers.find("If-Match");
    if (!wanted || http::lists_strong_tag(*wanted, tag)) return {};
    return refuse(Failure::Kind::changed,
                  "it has changed meanwhile (its tag is " + tag + " now): read it again and decide anew");
}

Outcome<json> merge(const http::Schema& schema, const json& current, const json& patch) {
    auto merged = schema.merge(current, patch);
    if (merged) return std::move(*merged);
    const auto& errors = merged.error().errors;
    if (errors.empty()) return refuse(Failure::Kind::invalid, merged.error().detail);
    return refuse(Failure::Kind::invalid, errors.front().detail, errors.front().pointer);
}

bool is_forced(const Request& request) {
    return request.query.find("force") == "true";
}

}  // namespace rouse::ims
