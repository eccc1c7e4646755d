#include "mgmt/o2ims/notifications/subscriptions.hpp"

#include "mgmt/http/entity_tag.hpp"
#include "mgmt/ims/blocking.hpp"
#include "mgmt/ims/problems.hpp"
#include "mgmt/ims/resource.hpp"
#include "mgmt/o2ims/query/collection.hpp"
#include "mgmt/o2ims/query/spelling.hpp"
#include "mgmt/store/documents.hpp"

#include <memory>
#include <utility>

#include <spdlog/spdlog.h>

namespace rouse::o2ims {

using http::Method;
using http::Role;
using http::Status;
using nlohmann::json;
using store::Document;

namespace {

struct Subscriptions {
    ims::Services services;
    Delivery* delivery;
    Profile profile;
    bool tests_callbacks;
    SubscriptionKind kind;
};
using SharedSubscriptions = std::shared_ptr<const Subscriptions>;

// What consumers say of one: the schema has it, but for the id.
void copy_attributes(const Subscriptions& with, const json& from, json& to) {
    for (const auto& field : with.kind.schema->fields())
        if (field.name() != with.kind.id_name && from.contains(field.name()))
            to[field.name()] = from[field.name()];
}

json shown(const Subscriptions& with, const Document& one) {
    json out{{with.kind.id_name, one.id.to_string()}};
    copy_attributes(with, one.fields, out);
    return out;
}

// Changeable ones have a tag, so that nobody undoes what another has just said.
void tag(const Subscriptions& with, http::Response& response, const Document& one) {
    if (with.kind.patched_since != 0) response.headers.set("ETag", http::revision_tag(one.revision));
}

// The service's own, or a refusal.
rouse::Outcome<Document> find_subscription(const Subscriptions& with, const store::View& view,
                                           const std::string& text) {
    const auto id = store::Id::parse(text);
    if (id) {
        auto found = store::find(view, store::kSubscriptions, *id);
        if (!found) return pass_on(found.error());
        if (*found && (*found)->text("service") == with.kind.service) return std::move(**found);
    }
    return refuse(Failure::Kind::not_found, "there is no " + with.kind.noun + " " + text);
}

rouse::Outcome<void> check_callback(const Subscriptions& with, const std::string& callback) {
    const auto allowed = with.delivery->options().policy.check(callback);
    if (!allowed) return refuse(Failure::Kind::invalid, allowed.error().message, "/callback");
    return {};
}

// The body as it is stored, or what is wrong with it.
rouse::Outcome<json> check_body(const Subscriptions& with, const json& body) {
    json fields{{"service", with.kind.service}};
    copy_attributes(with, body, fields);
    if (auto allowed = check_callback(with, store::text_of_field(fields, "callback")); !allowed)
        return pass_on(allowed.error());
    const std::string filter = filter_of(fields);
    const char* name = filter == store::text_of_field(fields, "eventFilter") ? "/eventFilter" : "/filter";
    const std::string other = store::text_of_field(fields, "filter");
    if (!other.empty() && other != filter)
        return refuse(Failure::Kind::invalid,
                      "says something else than filter, its former name; leave one out", name);
    const auto* language = with.delivery->language(with.kind.service);
    if (filter.empty() || language == nullptr) return fields;
    if (const auto parsed = (*language)(filter); !parsed) {
        const auto& errors = parsed.error().errors;
        return refuse(Failure::Kind::invalid, errors.empty() ? parsed.error().detail : errors[0].detail,
                      name);
    }
    return fields;
}

rouse::Outcome<void> check_room(const store::View& view) {
    const auto all = store::count(view, store::kSubscriptions);
    if (!all) return pass_on(all.error());
    if (*all < kMaxSubscriptions) return {};
    return refuse(Failure::Kind::conflict, "there are " + std::to_string(*all) +
                                               " subscriptions already; delete one that nobody needs");
}

// Nobody is told the same twice for the same reason. SELF: the one with FIELDS, if it is there already.
rouse::Outcome<void> check_duplicates(const Subscriptions& with, const store::View& view, const json& fields,
                                      std::optional<store::Id> self = {}) {
    const auto ids = store::ids_by(view, store::kSubscriptionByService, with.kind.service);
    if (!ids) return pass_on(ids.error());
    for (const auto& id : *ids) {
        if (id == self) continue;
        const auto other = store::find(view, store::kSubscriptions, id);
        if (!other) return pass_on(other.error());
        if (!*other || (*other)->text("callback") != fields["callback"].get_ref<const std::string&>() ||
            filter_of((*other)->fields) != filter_of(fields))
            continue;
        return refuse(with.profile == Profile::strict ? Failure::Kind::conflict : Failure::Kind::invalid,
                      "subscription " + id.to_string() + " has this callback and filter already",
                      "/callback");
    }
    return {};
}

// Whether somebody answers there, if that is wanted. CALLBACK has passed check_callback().
boost::asio::awaitable<rouse::Outcome<void>> test_callback(const SharedSubscriptions& with,
                                                           const std::string& callback) {
    if (!with->tests_callbacks) co_return rouse::Outcome<void>{};
    const auto probe = [&] { return with->delivery->probe(callback); };
    const auto is_there = co_await ims::run_on(with->services.disk, probe);
    if (is_there) co_return rouse::Outcome<void>{};
    co_return refuse(Failure::Kind::invalid, is_there.error().message, "/callback");
}

boost::asio::awaitable<http::Outcome> subscribe(const SharedSubscriptions& with,
                                                const http::Request& request) {
    const auto fields = check_body(*with, request.json());
    if (!fields) co_return ims::refused(fields.error());
    const std::string callback = fields->at("callback");
    const auto tested = co_await test_callback(with, callback);
    if (!tested) co_return ims::refused(tested.error());
    const auto insert = [&](store::Batch& batch) -> rouse::Outcome<Document> {
        if (auto checked = check_room(batch); !checked) return tl::unexpected(checked.error());
        if (auto checked = check_duplicates(*with, batch, *fields); !checked)
            return tl::unexpected(checked.error());
        auto made = store::insert(batch, store::kSubscriptions, *fields);
        if (!made) return made;
        if (auto begun = begin_cursor(batch, with->delivery->tables(), made->id); !begun)
            return pass_on(begun.error());
        return made;
    };
    const auto made = co_await with->services.change(request, insert);
    if (!made) co_return ims::refused(made.error());
    if (with->kind.begin) {
        const auto begun = co_await ims::run_on(with->services.disk, with->kind.begin);
        if (!begun)
            spdlog::error("subscription {} begins a little later: {}", made->id.to_string(),
                          begun.error().message);
    }
    auto response = http::Response::json(shown(*with, *made), Status::created);
    response.headers.set("Location",
                         spelled_base(request.path) + with->kind.path + "/" + made->id.to_string());
    tag(*with, response, *made);
    co_return response;
}

boost::asio::awaitable<http::Outcome> modify(const SharedSubscriptions& with, const http::Request& request) {
    const json& patch = request.json();
    if (const std::string callback = store::text_of_field(patch, "callback"); !callback.empty()) {
        if (const auto allowed = check_callback(*with, callback); !allowed)
            co_return ims::refused(allowed.error());
        const auto tested = co_await test_callback(with, callback);
        if (!tested) co_return ims::refused(tested.error());
    }
    const std::string& id = request.parameter(with->kind.id_name);
    const auto change = [&](store::Batch& batch) -> rouse::Outcome<Document> {
        auto found = find_subscription(*with, batch, id);
        if (!found) return found;
        if (auto matched = ims::check_match(request, http::revision_tag(found->revision)); !matched)
            return pass_on(matched.error());
        const auto merged = ims::merge(*with->kind.schema, shown(*with, *found), patch);
        if (!merged) return pass_on(merged.error());
        auto fields = check_body(*with, *merged);
        if (!fields) return pass_on(fields.error());
        if (auto checked = check_duplicates(*with, batch, *fields, found->id); !checked)
            return tl::unexpected(checked.error());
        found->fields = std::move(*fields);
        return store::update(batch, store::kSubscriptions, std::move(*found));
    };
    const auto changed = co_await with->services.change(request, change);
    if (!changed) co_return ims::refused(changed.error());
    auto response = http::Response::json(shown(*with, *changed));
    tag(*with, response, *changed);
    co_return response;
}

boost::asio::awaitable<http::Outcome> unsubscribe(const SharedSubscriptions& with,
                                                  const http::Request& request) {
    const std::string& id = request.parameter(with->kind.id_name);
    const auto erase = [&](store::Batch& batch) -> rouse::Outcome<void> {
        const auto found = find_subscription(*with, batch, id);
        if (!found) return tl::unexpected(found.error());
        const auto erased = store::erase(batch, store::kSubscriptions, found->id);
        if (!erased) return tl::unexpected(erased.error());
        if (auto ended = end_cursor(batch, with->delivery->tables(), found->id); !ended)
            return pass_on(ended.error());
        return {};
    };
    const auto gone = co_await with->services.change(request, erase);
    if (!gone) co_return ims::refused(gone.error());
    if (with->profile == Profile::strict) co_return http::Response::no_content();
    // 200 and an empty body: clients of the field take nothing else for success.
    co_return http::Response{.status = Status::ok, .headers = {}, .body = std::string()};
}

http::Outcome list_subscriptions(const Subscriptions& with, const http::Request& request) {
    const auto listing = Listing::parse(request, *with.kind.schema);
    if (!listing) return tl::unexpected(listing.error());
    const auto snapshot = with.services.snapshot();
    if (!snapshot) return ims::refused(snapshot.error());
    Result<void> trouble;
    auto answer = listing->answer([&](const std::string& after, const Listing::Take& take) {
        trouble = store::for_each(
            *snapshot, store::kSubscriptions, store::Id::parse(after), [&](const Document& one) {
                return one.text("service") != with.kind.service || take(shown(with, one));
            });
    });
    if (!trouble) return ims::refused(trouble.error());
    return answer;
}

http::Outcome read_subscription(const Subscriptions& with, const http::Request& request) {
    const auto snapshot = with.services.snapshot();
    if (!snapshot) return ims::refused(snapshot.error());
    const auto found = find_subscription(with, *snapshot, request.parameter(with.kind.id_name));
    if (!found) return ims::refused(found.error());
    auto answer = answer_one(request, *with.kind.schema, shown(with, *found));
    if (answer) tag(with, *answer, *found);
    return answer;
}

http::Route subscription_route(const SubscriptionKind& kind, Method method, bool is_one, std::string summary,
                               http::Roles roles) {
    http::Route out{.method = method,
                    .pattern = kind.path + (is_one ? "/{" + kind.id_name + "}" : ""),
                    .access = http::Access::of(roles),
                    .summary = std::move(summary)};
    out.response = kind.schema;
    return out;
}

}  // namespace

void add_subscriptions(Service& service, const Subscribing& with, SubscriptionKind kind) {
    constexpr http::Roles kReaders{Role::o2ims_reader, Role::o2ims_subscriber};
    const auto shared = std::make_shared<const Subscriptions>(
        Subscriptions{with.services, &with.delivery, with.profile, with.tests_callbacks, kind});

    auto listing = subscription_route(kind, Method::get, false, "List: each " + kind.noun, kReaders);
    listing.response_is_list = true;
    listing.query = listing_parameters();
    service.add(
        std::move(listing), [shared](http::Request& request) { return list_subscriptions(*shared, request); },
        kind.since);

    auto reading = subscription_route(kind, Method::get, true, "Read one " + kind.noun, kReaders);
    reading.query = selector_parameters();
    reading.has_tag = kind.patched_since != 0;
    service.add(
        std::move(reading), [shared](http::Request& request) { return read_subscription(*shared, request); },
        kind.since);

    auto creating =
        subscription_route(kind, Method::post, false, "Subscribe to notifications", Role::o2ims_subscriber);
    creating.body = http::BodyKind::json;
    creating.request = kind.schema;
    creating.success = Status::created;
    creating.failures = {Status::conflict, Status::insufficient_storage};
    service.add(std::move(creating),
                http::Handler([shared](http::Request& request) { return subscribe(shared, request); }),
                kind.since);

    if (kind.patched_since != 0) {
        auto patching =
            subscription_route(kind, Method::patch, true, "Change a subscription", Role::o2ims_subscriber);
        patching.body = http::BodyKind::patch;
        patching.request = kind.schema;
        patching.has_tag = true;
        patching.failures = {Status::conflict, Status::insufficient_storage};
        service.add(std::move(patching),
                    http::Handler([shared](http::Request& request) { return modify(shared, request); }),
                    kind.patched_since);
    }

    auto deleting = subscription_route(kind, Method::delete_, true, "Unsubscribe", Role::o2ims_subscriber);
    deleting.response = nullptr;
    deleting.success = with.profile == Profile::strict ? Status::no_content : Status::ok;
    deleting.failures = {Status::insufficient_storage};
    service.add(std::move(deleting),
                http::Handler([shared](http::Request& request) { return unsubscribe(shared, request); }),
                kind.since);
}

}  // namespace rouse::o2ims
