#pragma once
// Who may log in: the documents of users and of OAuth2 clients, and the first user.

#include "mgmt/http/auth.hpp"
#include "mgmt/store/writer.hpp"
#include "shared/result.hpp"

#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace rouse::ims {

// Those that FIELDS name as "role" and "roles" and that this build knows.
[[nodiscard]] http::Roles roles_of(const nlohmann::json& fields);

inline constexpr const char* kSecretHash = "_secret_hash";  // of a client's document

// Thread safe.
class Users : public http::UserStore {
  public:
    explicit Users(const store::Store& store) noexcept : store_(&store) {}
    [[nodiscard]] Result<std::optional<http::User>> find(std::string_view username) const override;
    [[nodiscard]] Result<std::optional<http::Client>> find_client(std::string_view client_id) const override;

  private:
    const store::Store* store_;
};

// Makes the user `admin` with a random password when there is no user at all, and writes the password to
// PASSWORD_FILE (0600) first. Returns whether it did. Blocking: at the start.
[[nodiscard]] Result<bool> ensure_first_user(store::Writer& writer, const std::string& password_file);

}  // namespace rouse::ims
