#pragma once
// Requests to the appliance in the name of who is logged in.

#include "mgmt/cli/config.hpp"
#include "mgmt/cli/console.hpp"
#include "mgmt/cli/failure.hpp"
#include "mgmt/cli/http_client.hpp"

#include <cstddef>
#include <limits>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace rouse::cli {

class Session {
  public:
    // From the environment, else from the context that it names, else from the current one. A failure
    // (not_allowed) says how to log in.
    [[nodiscard]] static OrFailure<Session> open(const Environment& environment);

    // PATH begins with "/". Answers that are not 2xx are failures whose message is the problem's details.
    // A token that has expired is refreshed once.
    [[nodiscard]] OrFailure<nlohmann::json> get(const std::string& path);
    // The body goes to SINK, whatever time it takes; answers that are not good leave SINK alone.
    [[nodiscard]] OrFailure<void> download(const std::string& path, DownloadSink& sink);
    // The pages of a list one after the other, until there are LIMIT objects. PATH may have a query, without
    // limit.
    [[nodiscard]] OrFailure<nlohmann::json> get_list(
        const std::string& path, std::size_t limit = std::numeric_limits<std::size_t>::max());
    [[nodiscard]] OrFailure<nlohmann::json> post(const std::string& path, const nlohmann::json& body);
    [[nodiscard]] OrFailure<nlohmann::json> put(const std::string& path, UploadSource& upload);
    [[nodiscard]] OrFailure<nlohmann::json> post(const std::string& path, UploadSource& upload);
    // TEXT of the media type TYPE; takes the time that it takes.
    [[nodiscard]] OrFailure<nlohmann::json> post_text(const std::string& path, std::string text,
                                                      const char* type);
    // Without a body; takes the time that it takes.
    [[nodiscard]] OrFailure<nlohmann::json> post(const std::string& path);
    // A merge-patch (RFC 7396).
    [[nodiscard]] OrFailure<nlohmann::json> patch(const std::string& path, const nlohmann::json& changes);
    [[nodiscard]] OrFailure<void> remove(const std::string& path);

    // For requests without a body; the default is a minute.
    void wait_at_most(long seconds) { timeout_seconds_ = seconds; }

  private:
    Session(SavedContext context, std::string name, const Environment& environment);
    [[nodiscard]] OrFailure<nlohmann::json> upload(const char* method, const std::string& path,
                                                   UploadSource& source);
    [[nodiscard]] OrFailure<nlohmann::json> send(HttpRequest request, const std::string& path,
                                                 std::string* next = nullptr);
    [[nodiscard]] OrFailure<void> refresh();

    SavedContext context_;
    std::string name_;  // of the context, or empty: the environment's appliance
    std::string config_dir_;
    bool token_is_given_;  // by the environment
    bool may_refresh_;
    long timeout_seconds_ = 60;
    HttpClient client_;
};

// POST /api/token/ with a password: WHERE with its tokens.
[[nodiscard]] OrFailure<SavedContext> log_in(SavedContext where, const std::string& password);

[[nodiscard]] std::string without_slash(std::string url);

// What an answer that is not 2xx says, in sentences that name the fields.
[[nodiscard]] Failure failure_of(const HttpReply& reply);

}  // namespace rouse::cli
