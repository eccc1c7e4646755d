#pragma once
// Keys and values of table `indices`.

#include "mgmt/store/collections.hpp"
#include "mgmt/store/id.hpp"

#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace rouse::store {

// LMDB's keys end at 511 bytes; the longest value that an index can hold beside kind, number and Id.
inline constexpr std::size_t kMaxIndexedBytes = 400;

// Kind, number, value, NUL; for an index that is not unique also the Id. No value holds a NUL, so no value's
// keys are within another's.
[[nodiscard]] inline std::string index_prefix(const Index& index, std::string_view value) {
    std::string key;
    key.reserve(3 + value.size() + sizeof(Id));
    key += static_cast<char>(index.kind);
    key += static_cast<char>(index.number);
    key += value;
    key += '\0';
    return key;
}
[[nodiscard]] inline std::string index_key(const Index& index, std::string_view value, const Id& id) {
    std::string key = index_prefix(index, value);
    if (!index.unique) key += text_of(bytes_of(id));
    return key;
}

// The Id that VALUE is, if it is one.
[[nodiscard]] inline std::optional<Id> to_id(Bytes value) {
    Id id;
    if (value.size() != sizeof id) return std::nullopt;
    std::memcpy(&id, value.data(), sizeof id);
    return id;
}

}  // namespace rouse::store
