#pragma once
// What a list's query asks for: "?status=ACTIVE&sort=-updated_at,hostname&limit=100&after=ID". Every field of
// one value (or a list of such) is a filter; several filters must all match.

#include "mgmt/http/request.hpp"
#include "mgmt/http/schema.hpp"
#include "mgmt/store/documents.hpp"

#include <cstddef>
#include <optional>
#include <string>
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
    // Or a 400 that names the parameter.
    [[nodiscard]] static http::OrProblem<ListQuery> parse(const http::Schema& schema,
                                                          const http::Request& request,
                                                          PageLimits limits = {});

    // One page of COLLECTION. The visitor's documents match and come in order.
    struct Page {
        std::vector<store::Document> documents;
        bool has_more = false;
    };
    [[nodiscard]] Outcome<Page> run(const store::View& view, const store::Collection& collection,
                                    const std::vector<IndexedField>& indexed) const;

    // Where the page after PAGE is, for the Link field (RFC 8288): REQUEST's path and query, further on.
    [[nodiscard]] static std::string next(const http::Request& request, const Page& page);

  private:
    struct Condition {
        const http::Field* field;
        nlohmann::json value;
    };
    struct Order {
        const http::Field* field;
        bool descending;
    };

    http::OrProblem<void> add(const http::Schema& schema, const std::string& name, const std::string& value);
    http::OrProblem<void> add_moment(const std::string& name, const std::string& value);
    http::OrProblem<void> add_order(const http::Schema& schema, std::string_view names);
    [[nodiscard]] bool matches(const store::Document& document) const;
    [[nodiscard]] bool precedes(const store::Document& a, const store::Document& b) const;
    [[nodiscard]] Outcome<void> visit(const store::View& view, const store::Collection& collection,
                                      const std::vector<IndexedField>& indexed,
                                      const store::Visit& visitor) const;
    [[nodiscard]] Outcome<Page> in_order(const store::View& view, const store::Collection& collection,
                                         const std::vector<IndexedField>& indexed) const;

    std::vector<Condition> conditions_;
    std::vector<Order> orders_;
    std::optional<store::Id> after_;
    std::string since_, until_;            // bounds of created_at, as it is written; empty: none
    std::optional<store::Id> not_before_;  // nothing up to it was made after since_
    std::size_t limit_;
};

}  // namespace rouse::ims
