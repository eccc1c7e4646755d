#pragma once
// Requests to the appliance in the name of who is logged in.

#include "mgmt/cli/console.hpp"
#include "mgmt/cli/failure.hpp"
#include "mgmt/cli/http_client.hpp"
#include "mgmt/cli/profile.hpp"

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace rouse::cli {

class Session {
  public:
    // From the environment, else from the profile. A failure (not_logged_in) says how to log in.
    [[nodiscard]] static OrFailure<Session> open(const Environment& environment);

    // PATH begins with "/api/". Answers that are not 2xx are failures whose message is the problem's details.
    // A token that has expired is refreshed once.
    [[nodiscard]] OrFailure<nlohmann::json> get(const std::string& path);
    [[nodiscard]] OrFailure<nlohmann::json> post(const std::string& path, const nlohmann::json& body);
    [[nodiscard]] OrFailure<nlohmann::json> put(const std::string& path, UploadSource& upload);
    [[nodiscard]] OrFailure<nlohmann::json> post(const std::string& path, UploadSource& upload);
    // Without a body; takes the time that it takes.
    [[nodiscard]] OrFailure<nlohmann::json> post(const std::string& path);
    [[nodiscard]] OrFailure<void> remove(const std::string& path);

  private:
    Session(Profile profile, std::string config_dir, bool may_refresh);
    [[nodiscard]] OrFailure<nlohmann::json> upload(const char* method, const std::string& path,
                                                   UploadSource& source);
    [[nodiscard]] OrFailure<nlohmann::json> send(HttpRequest request, const std::string& path);
    [[nodiscard]] OrFailure<void> refresh();

    Profile profile_;
    std::string config_dir_;
    bool may_refresh_;
    HttpClient client_;
};

// POST /api/token/ with a password: a profile to save.
[[nodiscard]] OrFailure<Profile> log_in(const std::string& url, const std::string& user,
                                        const std::string& password, const std::string& ca);

// What an answer that is not 2xx says, in sentences that name the fields.
[[nodiscard]] std::string describe(const HttpReply& reply);

}  // namespace rouse::cli
