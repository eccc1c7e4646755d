#include "mgmt/ims/users.hpp"

#include "mgmt/boot/boot_token.hpp"
#include "mgmt/http/password.hpp"
#include "mgmt/http/role.hpp"
#include "mgmt/ims/api.hpp"
#include "mgmt/ims/resource.hpp"
#include "mgmt/ims/words.hpp"
#include "mgmt/store/documents.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace rouse::ims {

using namespace store;  // NOLINT(google-build-using-namespace): documents and what is done with them
using nlohmann::json;

namespace {

constexpr const char* kFirstUser = "admin";
constexpr const char* kPasswordHash = "_password_hash";

const http::Schema& user_schema() {
    static const http::Schema schema(
        "User", "Somebody who may log in",
        {http::uuid("id", "identifies the user").read_only(),
         http::string("username", "unique").length(1, 100).required(),
         http::string("password", "at least 8 characters")
             .length(8, http::kMaxPasswordBytes)
             .required()
             .write_only(),
         http::choice("role", "what the user may do", words(http::kRoleNames)).required(),
         http::array(http::choice("roles", "further roles that the user holds", words(http::kRoleNames))
                         .items(0, http::kRoleNames.size())
                         .default_to(json::array())),
         http::timestamp("created_at", "when it was made").read_only(),
         http::timestamp("updated_at", "when it last changed").read_only()});
    return schema;
}

bool is_administrator(const json& fields) {
    return roles_of(fields).has(http::Role::administrator);
}

// Whoever is left without an administrator has locked himself out.
Outcome<void> check_not_last(const View& view, const Document& leaving) {
    if (!is_administrator(leaving.fields)) return {};
    bool another = false;
    const auto listed = for_each(view, kUsers, std::nullopt, [&](const Document& user) {
        another = user.id != leaving.id && is_administrator(user.fields);
        return !another;
    });
    if (!listed) return pass_on(listed.error());
    if (another) return {};
    return refuse(Failure::Kind::conflict, "this is the last administrator; make another one first", "/role");
}

Result<void> write_secret(const std::string& path, const std::string& text) {
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0) return fail_errno("cannot write " + path);
    const bool written = ::fchmod(descriptor, 0600) == 0 &&
                         ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                         ::fsync(descriptor) == 0;
    const int error = errno;
    ::close(descriptor);
    if (!written) return fail_errno("cannot write " + path, error);
    return {};
}

}  // namespace

http::Roles roles_of(const json& fields) {
    http::Roles roles;
    json names = fields.value("roles", json::array());
    if (const auto role = fields.find("role"); role != fields.end()) names.push_back(*role);
    for (const auto& name : names)
        if (const auto role = name.is_string() ? http::parse_role(name.get<std::string>()) : std::nullopt)
            roles.add(*role);
    return roles;
}

Result<std::optional<http::User>> Users::find(std::string_view username) const {
    const auto snapshot = store_->snapshot();
    if (!snapshot) return tl::unexpected(snapshot.error());
    const auto user = find_by(*snapshot, kUsers, kUserByUsername, username);
    if (!user) return tl::unexpected(user.error());
    if (!*user) return std::optional<http::User>{};
    const auto roles = roles_of((*user)->fields);
    if (roles.empty()) return fail("the stored user " + std::string(username) + " has no role that is known");
    return std::optional(http::User{(*user)->text(kPasswordHash), roles});
}

Result<std::optional<http::Client>> Users::find_client(std::string_view client_id) const {
    const auto snapshot = store_->snapshot();
    if (!snapshot) return tl::unexpected(snapshot.error());
    const auto client = find_by(*snapshot, kOauthClients, kOauthClientByClientId, client_id);
    if (!client) return tl::unexpected(client.error());
    if (!*client) return std::optional<http::Client>{};
    return std::optional(http::Client{.secret_hash = (*client)->text(kSecretHash),
                                      .roles = roles_of((*client)->fields),
                                      .certificate = (*client)->text("certificate_thumbprint")});
}

Result<bool> ensure_first_user(Writer& writer, const std::string& password_file) {
    {
        const auto snapshot = writer.store().snapshot();
        if (!snapshot) return tl::unexpected(snapshot.error());
        const auto users = count(*snapshot, kUsers);
        if (!users) return tl::unexpected(users.error());
        if (*users > 0) return false;
    }
    const std::string password = boot::make_token().substr(0, 32);
    const auto hash = http::hash_password(password);
    if (!hash) return tl::unexpected(hash.error());
    if (auto written = write_secret(password_file, password + "\n"); !written)
        return tl::unexpected(written.error());
    const auto made = writer.run([&](Batch& batch) {
        return insert(batch, kUsers,
                      {{"username", kFirstUser},
                       {"role", http::to_string(http::Role::administrator)},
                       {kPasswordHash, *hash}});
    });
    if (!made) return fail(made.error().message);
    return true;
}

void add_users(http::Router& router, const Services& services) {
    Resource resource{.paths = {"/api/users"},
                      .tag = "Users",
                      .collection = kUsers,
                      .schema = user_schema(),
                      .reads = http::Role::administrator,
                      .writes = http::Role::administrator,
                      .indexed = {{"username", &kUserByUsername}}};
    resource.prepare = [&auth = services.auth](json fields) -> boost::asio::awaitable<http::OrProblem<json>> {
        const auto password = fields.find("password");
        if (password == fields.end() || !password->is_string()) co_return fields;
        auto secret = password->get<std::string>();
        auto hash = co_await auth.hash_password(std::move(secret));
        if (!hash) co_return http::problem(http::Status::internal_server_error, hash.error().message);
        fields.erase("password");
        fields[kPasswordHash] = std::move(*hash);
        co_return fields;
    };
    resource.create = [](Batch& batch, json fields) { return insert(batch, kUsers, std::move(fields)); };
    resource.change = [](Batch& batch, const Document& current, json fields) -> Outcome<Document> {
        if (!is_administrator(fields))
            if (auto left = check_not_last(batch, current); !left) return pass_on(left.error());
        return update(batch, kUsers, Document{current.id, current.revision, std::move(fields)});
    };
    resource.remove = [](Batch& batch, const Document& current, bool) -> Outcome<void> {
        if (auto left = check_not_last(batch, current); !left) return left;
        if (auto erased = erase(batch, kUsers, current.id); !erased) return pass_on(erased.error());
        return {};
    };
    resource.committed = [&auth = services.auth] { auth.forget(); };
    add_resource(router, services, std::move(resource));
}

}  // namespace rouse::ims
