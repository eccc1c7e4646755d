#pragma once
// The declaration of a resource's fields: the single source from which bodies are checked (POST, PUT, PATCH)
// and the OpenAPI document is written.
//
//   const Schema kPool("IpPool", "Addresses of one network", {
//       prefix("cidr", "the network").required(),
//       ipv4("gateway", "its router"),
//       integer("lease_seconds", "life of a lease").range(60, 31'536'000).default_to(86400),
//       array(ipv4("dns_servers", "resolvers")).items(0, 4),
//       uuid("id", "identifies the pool").read_only(),
//   });

#include "mgmt/http/problem.hpp"

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace rouse::http {

enum class FieldType : std::uint8_t {
    string,
    integer,
    number,
    boolean,
    mac,        // canonical: lower case, colons
    ipv4,       //
    prefix,     // IPv4 network, host bits zero
    choice,     // one of a list of words
    uuid,       // canonical: lower case
    timestamp,  // RFC 3339
    array,      // of one element type
    map,        // any keys of a kind, values of one type
    object,     // of another schema
    any,        // any JSON
};

// One field: what it holds, and how it may be used. Built by the functions below, refined by chaining.
class Field {
  public:
    Field(FieldType type, std::string name, std::string description);

    // Must be in a POST and PUT, cannot be removed by a PATCH.
    Field required() &&;
    // Set by the server: dropped from what clients send, so that they may send back what they got.
    Field read_only() &&;
    // Taken from clients, never to be sent to them (passwords).
    Field write_only() &&;
    // The value of an absent field after POST and PUT.
    Field default_to(const nlohmann::json& value) &&;
    // string: length in characters. Without it: at most 1024.
    Field length(std::size_t minimum, std::size_t maximum) &&;
    // string: may hold line ends and tabs; all other control characters are always refused.
    Field multiline() &&;
    // integer, number: inclusive bounds.
    Field range(std::int64_t minimum, std::int64_t maximum) &&;
    // array, map: number of elements. Without it: at most 1024.
    Field items(std::size_t minimum, std::size_t maximum) &&;
    // string: a further condition; EXPECTATION reads on after the field's name: "must be a host name".
    Field check(bool (*predicate)(std::string_view), std::string expectation) &&;

    static constexpr std::size_t kDefaultMaximumSize = 1024;

    [[nodiscard]] FieldType type() const noexcept { return type_; }
    // What an array or a map holds; of nothing else.
    [[nodiscard]] const Field& element() const noexcept { return *element_; }
    // What a list can be filtered by: not an object, and no array of such.
    [[nodiscard]] bool has_one_value() const noexcept {
        const FieldType of = type_ == FieldType::array ? element_->type() : type_;
        return of != FieldType::map && of != FieldType::object && of != FieldType::any;
    }
    // Of an object; null for anything else.
    [[nodiscard]] const class Schema* schema() const noexcept { return schema_; }
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] bool is_required() const noexcept { return required_; }
    [[nodiscard]] bool is_read_only() const noexcept { return read_only_; }
    [[nodiscard]] bool is_write_only() const noexcept { return write_only_; }
    // Null when there is none.
    [[nodiscard]] const nlohmann::json* default_value() const noexcept { return default_.get(); }

  private:
    friend class Schema;
    friend class FieldCheck;
    friend nlohmann::json describe_field(const Field& field);
    friend Field choice(std::string name, std::string description, std::vector<std::string> words);
    friend Field array(Field element);
    friend Field map(std::string name, std::string description, std::vector<std::string> keys, Field value);
    friend Field object(std::string name, std::string description, const class Schema& schema);

    FieldType type_;
    std::string name_;
    std::string description_;
    bool required_ = false;
    bool read_only_ = false;
    bool write_only_ = false;
    bool multiline_ = false;
    std::shared_ptr<const nlohmann::json> default_;
    std::size_t minimum_size_ = 0;
    std::size_t maximum_size_ = kDefaultMaximumSize;
    std::optional<std::int64_t> minimum_, maximum_;
    std::vector<std::string> words_;  // choice: values; map: keys (empty: any)
    bool (*predicate_)(std::string_view) = nullptr;
    std::string expectation_;
    std::shared_ptr<const Field> element_;
    const class Schema* schema_ = nullptr;
};

[[nodiscard]] Field string(std::string name, std::string description);
[[nodiscard]] Field integer(std::string name, std::string description);
[[nodiscard]] Field number(std::string name, std::string description);
[[nodiscard]] Field boolean(std::string name, std::string description);
[[nodiscard]] Field mac(std::string name, std::string description);
[[nodiscard]] Field ipv4(std::string name, std::string description);
[[nodiscard]] Field prefix(std::string name, std::string description);
[[nodiscard]] Field uuid(std::string name, std::string description);
[[nodiscard]] Field timestamp(std::string name, std::string description);
[[nodiscard]] Field any(std::string name, std::string description);
[[nodiscard]] Field choice(std::string name, std::string description, std::vector<std::string> words);
// ELEMENT carries the array's name, description and use as well as its elements' type and limits.
[[nodiscard]] Field array(Field element);
// KEYS: those allowed; empty: any. VALUE's own name does not matter.
[[nodiscard]] Field map(std::string name, std::string description, std::vector<std::string> keys,
                        Field value);
// SCHEMA is not owned.
[[nodiscard]] Field object(std::string name, std::string description, const Schema& schema);

// Lives as long as the program, usually a constant next to its resource's service.
class Schema {
  public:
    Schema(std::string name, std::string description, std::vector<Field> fields);

    // Unknown fields are dropped instead of refused: for senders that may be newer than we are.
    [[nodiscard]] Schema tolerant() && {
        tolerant_ = true;
        return std::move(*this);
    }
    [[nodiscard]] bool is_tolerant() const noexcept { return tolerant_; }

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] const std::string& description() const noexcept { return description_; }
    [[nodiscard]] const std::vector<Field>& fields() const noexcept { return fields_; }

    // BODY as a new object (POST) or a whole new version (PUT): canonical values, defaults filled in,
    // read-only fields dropped. Or a 400 with every error in it. null counts as absent.
    [[nodiscard]] OrProblem<nlohmann::json> accept(const nlohmann::json& body) const;
    // BODY as a merge-patch (RFC 7396): present members checked and canonical, null only where a field may be
    // absent.
    [[nodiscard]] OrProblem<nlohmann::json> accept_patch(const nlohmann::json& body) const;
    // CURRENT after an accepted PATCH: its writable members checked as a whole, all others as they were.
    [[nodiscard]] OrProblem<nlohmann::json> merge(const nlohmann::json& current,
                                                  const nlohmann::json& patch) const;

    // JSON Schema (2020-12, as in OpenAPI 3.1) of this object alone; other schemas by reference.
    [[nodiscard]] nlohmann::json describe() const;
    // The schemas that describe() refers to.
    [[nodiscard]] std::vector<const Schema*> references() const;

    [[nodiscard]] const Field* find(std::string_view field) const noexcept;

  private:
    std::string name_;
    std::string description_;
    std::vector<Field> fields_;
    bool tolerant_ = false;
};

}  // namespace rouse::http
