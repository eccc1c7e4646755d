#pragma once
// How every collection of O2ims is read (O2IMS 1.3): filter, attribute selectors and pages, the same for all.

#include "mgmt/http/request.hpp"
#include "mgmt/http/response.hpp"
#include "mgmt/http/router.hpp"
#include "mgmt/o2ims/query/filter.hpp"
#include "mgmt/o2ims/query/selection.hpp"

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace rouse::o2ims {

// Objects of a page, unless the query's `limit` says how many.
inline constexpr std::size_t kPage = 100;
inline constexpr std::size_t kLargestPage = 10'000;

// An object of a collection: a tree, or the text of one, which is taken apart only as far as it must be.
// Refers to what it was made from.
class Listed {
  public:
    Listed(const nlohmann::json& tree) noexcept : tree_(&tree) {}  // NOLINT(google-explicit-constructor)
    // TEXT as of object_text.hpp, with what identifies the object.
    Listed(std::string_view id, std::string_view text) noexcept : id_(id), text_(text) {}

    [[nodiscard]] bool matches(const Filter& filter) const;
    [[nodiscard]] std::string id(const http::Schema& schema) const;
    // Its part of SELECTION, as text.
    [[nodiscard]] std::string select(const Selection& selection) const;

  private:
    const nlohmann::json* tree_ = nullptr;
    std::string_view id_;
    std::string_view text_;
};

class Listing {
  public:
    // REQUEST's filter, fields, exclude_fields, all_fields, exclude_default, nextpage_opaque_marker and
    // limit; a 400 that names what is wrong, and for every other parameter. SCHEMA's first field is what
    // identifies an object. DEFAULTS: attributes that are left out unless they are asked for.
    [[nodiscard]] static http::OrProblem<Listing> parse(
        const http::Request& request, const http::Schema& schema,
        std::initializer_list<std::string_view> defaults = {});

    [[nodiscard]] const Filter& filter() const noexcept { return filter_; }

    // The one object, by its id in small letters, that the filter leaves; nothing: it does not say which.
    [[nodiscard]] std::optional<std::string> only_id() const;

    // Returns false when it has enough.
    using Take = std::function<bool(const Listed& object)>;
    // Calls TAKE with each object after the one of the id AFTER (empty: all), in the order of their ids.
    using Source = std::function<void(const std::string& after, const Take& take)>;
    // The page; a 400 when there is none of that number.
    [[nodiscard]] http::Outcome answer(const Source& source) const;

  private:
    Listing(const http::Request& request, const http::Schema& schema, Selection selection)
        : request_(&request), schema_(&schema), selection_(std::move(selection)) {}
    http::OrProblem<void> parse_marker(std::string_view marker);
    [[nodiscard]] std::string next_link(const std::string& last_id) const;

    const http::Request* request_;
    const http::Schema* schema_;
    Selection selection_;
    Filter filter_;
    std::size_t limit_ = kPage;
    std::size_t page_ = 1;
    std::string after_;  // where the page before ended; empty: it is found by its number
};

// OBJECT with the attributes that REQUEST selects. A 400 for those that it has not. DEFAULTS: see parse().
[[nodiscard]] http::Outcome answer_one(const http::Request& request, const http::Schema& schema,
                                       nlohmann::json object,
                                       std::initializer_list<std::string_view> defaults = {});

// For the documentation.
[[nodiscard]] std::vector<http::QueryParameter> listing_parameters();
[[nodiscard]] std::vector<http::QueryParameter> selector_parameters();

}  // namespace rouse::o2ims
