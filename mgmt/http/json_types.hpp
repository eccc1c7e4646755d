#pragma once
// The project's address types in nlohmann::json: `body.at("mac").get<MacAddress>()`, `json(address)`. For
// members that a Schema has accepted; elsewhere a malformed value throws std::invalid_argument.

#include "shared/addresses.hpp"

#include <stdexcept>
#include <string>

#include <nlohmann/json.hpp>

namespace rouse {

template <typename T>
concept TextAddress = requires(const T value, std::string_view text) {
    { T::parse(text) } -> std::same_as<std::optional<T>>;
    { value.to_string() } -> std::same_as<std::string>;
};

template <TextAddress T>
void to_json(nlohmann::json& out, const T& value) {
    out = value.to_string();
}

template <TextAddress T>
void from_json(const nlohmann::json& in, T& value) {
    const auto parsed = T::parse(in.get_ref<const std::string&>());
    if (!parsed) throw std::invalid_argument("not an address: " + in.dump());
    value = *parsed;
}

}  // namespace rouse
