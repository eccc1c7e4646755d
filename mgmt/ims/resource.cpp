#include "mgmt/ims/resource.hpp"

#include "mgmt/http/entity_tag.hpp"
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
Outcome<std::string> answer(const Resource& resource, const store::View& view, const json& fields) {
    json out = visible(fields);
    if (resource.decorate)
        if (auto decorated = resource.decorate(view, out); !decorated) return pass_on(decorated.error());
    return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

// The same about what is stored: its text as it is, where nothing is added to it.
Outcome<std::string> answer(const Resource& resource, const store::View& view,
                            const StoredDocument& document) {
    std::string text;
    document.append_to(text);
    if (!resource.decorate) return text;
    const json fields = json::parse(text, nullptr, false);
    if (!fields.is_object())
        return refuse(Failure::Kind::store, "the stored " + std::string(resource.collection.noun) + " " +
                                                document.id.to_string() + " is damaged; restore a backup");
    return answer(resource, view, fields);
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
// Nothing: it is filtered or ordered. Of a request that ListQuery takes.
std::optional<WholePage> whole_page(const Request& request) {
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
    Outcome<void> result;
    const auto visited =
        store::for_each_stored(view, resource.collection, page.after, [&](const StoredDocument& document) {
            out.has_more = count++ == page.limit;
            if (out.has_more) return false;
            out.begin(document.id);
            if (!resource.decorate) {
                // The others are much like the first: the text grows once.
                if (count == 1)
                    out.text.reserve(std::min(page.limit, kUsualPage) * (document.members.size() + 8));
                document.append_to(out.text);
                return true;
            }
            const auto one = answer(resource, view, document);
            if (one)
                out.text += *one;
            else
                result = pass_on(one.error());
            return one.has_value();
        });
    if (!visited) return pass_on(visited.error());
    if (!result) return pass_on(result.error());
    return out;
}

Outcome<Listing> list_some(const Resource& resource, const store::View& view, const ListQuery& query) {
    const auto page = query.run(view, resource.collection, resource.indexed);
    if (!page) return pass_on(page.error());
    Listing out;
    for (const auto& document : page->documents) {
        const auto one = answer(resource, view, document.fields);
        if (!one) return pass_on(one.error());
        out.begin(document.id);
        out.text += *one;
    }
    out.has_more = page->has_more;
    return out;
}

http::Outcome list(const Services& services, const Resource& resource, const Request& request) {
    const auto query = ListQuery::parse(resource.schema, request);
    if (!query) return tl::unexpected(query.error());
    const auto snapshot = services.snapshot();
    if (!snapshot) return refused(snapshot.error());
    const auto whole = whole_page(request);
    auto listing = whole ? list_all(resource, *snapshot, *whole) : list_some(resource, *snapshot, *query);
    if (!listing) return refused(listing.error());
    listing->text += ']';
    Response response = Response::json_text(std::move(listing->text));
    if (listing->has_more) {
        const ListQuery::Page page{{Document{*listing->last, 0, {}}}, true};
        response.headers.add("Link", "<" + ListQuery::next(request, page) + ">; rel=\"next\"");
    }
    return response;
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
    const std::string& id = request.parameter("id");
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

// Refuses when the request is for another revision than CURRENT's.
Outcome<void> check_match(const Request& request, const Document& current) {
    const auto wanted = request.headers.find("If-Match");
    if (!wanted || http::lists_strong_tag(*wanted, http::revision_tag(current.revision))) return {};
    return refuse(Failure::Kind::changed, "it has changed meanwhile (revision " +
                                              std::to_string(current.revision) +
                                              "): read it again and decide anew");
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
    const auto changed = co_await services.change(request, [&](Batch& batch) -> Outcome<Changed> {
        auto current = require(batch, resource.collection, id);
        if (!current) return pass_on(current.error());
        if (auto matched = check_match(request, *current); !matched) return pass_on(matched.error());
        auto fields = patch ? patched(resource, current->fields, body)
                            : Outcome<json>(replaced(resource, current->fields, body));
        if (!fields) return pass_on(fields.error());
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
    const std::string& id = request.parameter("id");
    const bool force = is_forced(request);
    const auto removed = co_await services.change(request, [&](Batch& batch) -> Outcome<void> {
        const auto current = require(batch, resource.collection, id);
        if (!current) return pass_on(current.error());
        if (auto matched = check_match(request, *current); !matched) return matched;
        return resource.remove(batch, *current, force);
    });
    if (!removed) co_return refused(removed.error());
    if (resource.committed) resource.committed();
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
                   return create(services, *resource, request, request.json());
               }));
}

void add_object_routes(http::Router& router, const Services& services,
                       const std::shared_ptr<const Resource>& resource, const std::string& pattern) {
    router.add(route(*resource, Method::get, pattern, "Read one"),
               [services, resource](Request& request) { return read(services, *resource, request); });
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
    if (response)
        response->headers.add("Location", resource.paths.front() + "/" + created->id.to_string() + "/");
    co_return response;
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
    if (!*document) return tl::unexpected(no_such(collection, id));
    return std::move(**document);
}

bool is_forced(const Request& request) {
    return request.query.find("force") == "true";
}

}  // namespace rouse::ims
