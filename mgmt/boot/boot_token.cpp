#include "mgmt/boot/boot_token.hpp"

#include "mgmt/boot/sha256.hpp"

#include <array>
#include <stdexcept>

#include <nlohmann/json.hpp>
#include <openssl/rand.h>

namespace rouse::boot {

using namespace store;  // NOLINT(google-build-using-namespace): this folder is about what is stored

std::string make_token() {
    std::array<std::uint8_t, 32> bytes{};
    if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
        throw std::runtime_error("the system has no randomness to give");
    return to_hex(bytes);
}

std::string hash_token(std::string_view token) {
    return to_hex(sha256(bytes_of(token)));
}

Outcome<Document> machine_of_token(const View& view, std::string_view token, std::uint64_t now_unix) {
    const std::string hash = hash_token(token);
    std::optional<Document> entry;
    for (const auto* index : {&kBootTokenByHash, &kBootTokenByPreviousHash, &kBootTokenBySpentHash}) {
        auto found = find_by(view, kBootTokens, *index, hash);
        if (!found) return pass_on(found.error());
        if (!*found) continue;
        if (index == &kBootTokenBySpentHash)
            return refuse(Failure::Kind::gone,
                          "this token has been used; boot the machine again for a new one");
        entry = std::move(*found);
        break;
    }
    if (!entry) return refuse(Failure::Kind::not_found, "this token is no machine's");
    if (entry->fields.value("made_unix", std::uint64_t{0}) + kTokenSeconds < now_unix)
        return refuse(Failure::Kind::gone, "this token is too old; boot the machine again for a new one");
    const auto id = Id::parse(entry->text("machine"));
    if (!id) return pass_on(Error{"a stored boot token names no machine; restore a backup"});
    auto machine = find(view, kMachines, *id);
    if (!machine) return pass_on(machine.error());
    if (!*machine) return refuse(Failure::Kind::not_found, "this token's machine does not exist any more");
    return std::move(**machine);
}

}  // namespace rouse::boot
