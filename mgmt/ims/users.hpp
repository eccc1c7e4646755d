#pragma once
// The users that may log in: their documents, and the first one.

#include "mgmt/http/auth.hpp"
#include "mgmt/store/writer.hpp"
#include "shared/result.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace rouse::ims {

// Thread safe.
class Users : public http::UserStore {
  public:
    explicit Users(const store::Store& store) noexcept : store_(&store) {}
    [[nodiscard]] Result<std::optional<http::User>> find(std::string_view username) const override;

  private:
    const store::Store* store_;
};

// Makes the user `admin` with a random password when there is no user at all, and writes the password to
// PASSWORD_FILE (0600) first. Returns whether it did. Blocking: at the start.
[[nodiscard]] Result<bool> ensure_first_user(store::Writer& writer, const std::string& password_file);

}  // namespace rouse::ims
