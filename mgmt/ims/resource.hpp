#pragma once
// The routes that every resource kept as documents has: list (ListQuery), create, read, replace (PUT), change
// (PATCH), delete. An object's entity tag is its revision: who sends it back in If-Match changes or deletes
// what it saw, or gets a 412 (RFC 9110 13.1.1). A resource says what is special about it in hooks.

#include "mgmt/http/router.hpp"
#include "mgmt/http/schema.hpp"
#include "mgmt/ims/list_query.hpp"
#include "mgmt/ims/services.hpp"
#include "mgmt/store/documents.hpp"
#include "mgmt/store/failure.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <nlohmann/json.hpp>

namespace rouse::ims {

// Objects under the path of their owner: "/api/cluster/{id}/machines".
struct Scope {
    std::string parameter;  // of the path: the owner's id
    std::string field;      // of the object: likewise
    const store::Collection& owner;
};

struct Resource {
    std::vector<std::string> paths;  // "/api/machines": the first is the one in Location
    std::string tag;                 // in the documentation: "Machines"
    const store::Collection& collection;
    const http::Schema& schema;
    http::Role reads = http::Role::viewer;
    http::Role writes = http::Role::operator_;
    std::vector<IndexedField> indexed{};  // what lists are often filtered by
    std::optional<Scope> scope{};
    std::string id_parameter = "id";  // of the paths that name one object
    std::string location{};           // what comes before the id in Location; the first path when empty
    std::string force{};              // what ?force=true does to a deletion; empty: nothing
    // Fields that a PUT which does not mention them leaves as they are.
    std::vector<std::string> sticky{};

    // Inside operations of the Writer:
    std::function<Outcome<store::Document>(store::Batch&, nlohmann::json fields)> create{};
    std::function<Outcome<store::Document>(store::Batch&, const store::Document& current,
                                           nlohmann::json fields)>
        change{};
    std::function<Outcome<void>(store::Batch&, const store::Document& current, bool force)> remove{};

    // Optional. Before the operation, where waiting is allowed:
    std::function<boost::asio::awaitable<http::OrProblem<nlohmann::json>>(nlohmann::json fields)> prepare{};
    // After it was committed, before the answer: what follows from it for other objects. BEFORE: null for a
    // new object; it must be repeatable, since a crash may come in between.
    std::function<boost::asio::awaitable<Outcome<void>>(const store::Document* before,
                                                        const store::Document& now)>
        follow_up{};
    // After anything was committed.
    std::function<void()> committed{};
    // Adds to the answer of a creation what is shown this once, from what prepare() made.
    std::function<void(const nlohmann::json& prepared, nlohmann::json& answer)> reveal{};
    // Adds to an answer what is not stored.
    ListQuery::Decorate decorate{};
};

void add_resource(http::Router& router, const Services& services, Resource resource);

// A document as clients see it: without the appliance's own fields.
[[nodiscard]] nlohmann::json visible(nlohmann::json fields);

// The document that a path names, or a 404.
[[nodiscard]] Outcome<store::Document> require(const store::View& view, const store::Collection& collection,
                                               const std::string& id);
// Refuses when the request's If-Match is for another version than the one with TAG.
[[nodiscard]] Outcome<void> check_match(const http::Request& request, const std::string& tag);
// CURRENT after an accepted PATCH, checked as a whole.
[[nodiscard]] Outcome<nlohmann::json> merge(const http::Schema& schema, const nlohmann::json& current,
                                            const nlohmann::json& patch);
// ?force=true
[[nodiscard]] bool is_forced(const http::Request& request);

// Creates one object and answers 201: the POST of RESOURCE, also for routes of other shapes.
boost::asio::awaitable<http::Outcome> create(const Services& services, const Resource& resource,
                                             const http::Request& request, nlohmann::json fields);

// The same with a request's checked body; where RESOURCE has a scope, for the owner that the path names.
boost::asio::awaitable<http::Outcome> create_in(const Services& services, const Resource& resource,
                                                const http::Request& request);

}  // namespace rouse::ims
