#pragma once
// What a list's query asks for: "?status=ACTIVE&sort=-updated_at,hostname&limit=100&after=CURSOR". Every
// field of one value (or a list of such) is a filter; several filters must all match. A page's Link header
// names the next one by where this one ended, so what is made or deleted meanwhile moves nothing else.

#include "mgmt/http/request.hpp"
#include "mgmt/http/response.hpp"
#include "mgmt/http/router.hpp"
#include "mgmt/http/schema.hpp"
#include "mgmt/store/documents.hpp"

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace rouse::ims {

// An index by which a filter on FIELD finds its documents without looking at all.
struct IndexedField {
    std::string field;
    const store::Index* index;
};

// Objects of one page.
struct PageLimits {
    std::size_t usual = 1'000'000;  // when the query does not say how many
    std::size_t most = 1'000'000;
};

class ListQuery {
  public:
    // Or a 400 that names the parameter. SCHEMA's first field is the one that identifies an object. OTHERS:
    // parameters that the caller understands itself.
    // ORDER: as in "sort", for requests that say none.
    [[nodiscard]] static http::OrProblem<ListQuery> parse(const http::Schema& schema,
                                                          const http::Request& request,
                                                          std::initializer_list<std::string_view> others = {},
                                                          PageLimits limits = {},
                                                          std::string_view order = {});
    // For the documentation.
    [[nodiscard]] static std::vector<http::QueryParameter> parameters(const http::Schema& schema);

    // One more filter, which the path asks for.
    void also(std::string_view field, nlohmann::json value);

    // Returns false when it has enough.
    using Take = std::function<bool(nlohmann::json object)>;
    // Where the objects come from: calls TAKE with each, in the order of the schema's first field, those
    // after AFTER (null: all).
    using Source = std::function<Outcome<void>(const nlohmann::json& after, const Take& take)>;
    // Adds to an object what is not stored.
    using Decorate = std::function<Outcome<void>(const store::View& view, nlohmann::json& object)>;

    struct Page {
        nlohmann::json objects = nlohmann::json::array();
        std::string next;  // the cursor of the page after it; empty: it is the last
    };
    [[nodiscard]] Outcome<Page> run(const Source& source) const;
    [[nodiscard]] Outcome<Page> run(const store::View& view, const store::Collection& collection,
                                    const std::vector<IndexedField>& indexed,
                                    const Decorate& decorate = {}) const;

    // Says in RESPONSE's Link field (RFC 8288) where the next page is: REQUEST's path and query, after
    // CURSOR.
    static void add_next(http::Response& response, const http::Request& request, const std::string& cursor);
    // A page as an answer.
    [[nodiscard]] static http::Response answer(const http::Request& request, const Page& page);

  private:
    struct Condition {
        const http::Field* field;
        nlohmann::json value;
    };
    struct Order {
        const http::Field* field;
        bool descending;
    };
    // What an object is sorted by: a value for each order, then what identifies it.
    using Keys = std::vector<nlohmann::json>;

    explicit ListQuery(const http::Schema& schema) : schema_(&schema) {}
    http::OrProblem<void> add(const std::string& name, const std::string& value);
    http::OrProblem<void> add_moment(const std::string& name, const std::string& value);
    http::OrProblem<void> add_order(std::string_view names);
    http::OrProblem<void> begin_after(const std::string& cursor);
    [[nodiscard]] bool matches(const nlohmann::json& object) const;
    [[nodiscard]] Keys keys_of(const nlohmann::json& object) const;
    [[nodiscard]] bool precedes(const Keys& a, const Keys& b) const;
    [[nodiscard]] Outcome<Page> as_they_come(const Source& source) const;
    [[nodiscard]] Outcome<Page> in_order(const Source& source) const;

    const http::Schema* schema_;
    std::vector<Condition> conditions_;
    std::vector<Order> orders_;
    nlohmann::json after_;                 // null; without orders the identifying field's value; else Keys
    std::string since_, until_;            // bounds of created_at, as it is written; empty: none
    std::optional<store::Id> not_before_;  // nothing up to it was made after since_
    std::size_t limit_ = 0;
};

}  // namespace rouse::ims
