#pragma once
// An appliance as rousectl sees it: the API's routes over lists in memory, on a real socket.

#include "tests/unit/http/server.hpp"

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace rouse::cli {

class FakeAppliance {
  public:
    static constexpr const char* kPassword = "secret";

    FakeAppliance();
    [[nodiscard]] std::string url() const;

    // State, to be touched only between requests.
    std::string good_token = "access-1";
    bool refresh_works = true;
    int refreshes = 0;
    bool damages_uploads = false;
    nlohmann::json machines = nlohmann::json::array();
    nlohmann::json clusters = nlohmann::json::array();
    nlohmann::json last_body;                     // of the last POST that made something
    std::string last_image;                       // name of the last upload
    std::string last_content;                     // and its bytes
    std::string last_prefix;                      // of the last import
    std::string last_type;                        // media type of the last import of machines
    std::vector<http::FieldError> import_faults;  // what is wrong with the next
    std::string backup;                           // what it says is one
    std::string damaged_image;                    // name of one whose check says so
    std::vector<std::string> deleted;             // paths
    std::vector<std::string> queries;             // of timelines and imports of machines
    std::vector<std::string> asked;               // queries of lists
    std::size_t page_size = 1000;                 // objects that a list sends at once, whatever is asked for

    // CHANGES the state while requests may come; any thread.
    void change(const std::function<void()>& changes) {
        const std::lock_guard lock(mutex_);
        changes();
    }

    // Appends to every machine's timeline; any thread.
    void happen(const std::string& event);
    // Closes its socket: nobody answers any more.
    void vanish() { server_.reset(); }

  private:
    void add_tokens();
    void add_lists();
    http::Outcome list(const nlohmann::json& objects, const http::Request& request);
    void add_images();
    void add_timeline();
    boost::asio::awaitable<http::Outcome> upload(http::Request& request);
    boost::asio::awaitable<http::Outcome> import(http::Request& request);
    boost::asio::awaitable<http::Outcome> import_machines(http::Request& request);
    static boost::asio::awaitable<http::OrProblem<std::string>> body_of(http::Request& request);

    http::Router router_;
    std::mutex mutex_;
    nlohmann::json timeline_ = nlohmann::json::array();
    std::optional<http::Server> server_;
    std::uint16_t port_ = 0;
};

}  // namespace rouse::cli
