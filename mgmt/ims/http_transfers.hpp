#pragma once
// Transfers by HTTP as machines make them: counted for the metrics, and told to the machines' timelines.

#include "mgmt/events/consumer.hpp"
#include "mgmt/http/response.hpp"
#include "shared/addresses.hpp"
#include "shared/event.hpp"

#include <atomic>
#include <cstdint>
#include <string_view>

namespace rouse::ims {

// Thread safe. Outlives the connections that it follows.
class HttpTransfers {
  public:
    struct Client {
        MacAddress mac;
        IpAddress address;
    };
    // Monotonic, but for `open`.
    struct Statistics {
        std::atomic<std::uint64_t> complete{0};
        std::atomic<std::uint64_t> failed{0};
        std::atomic<std::uint64_t> missing{0};          // names that nobody put here
        std::atomic<std::uint64_t> expected_misses{0};  // names that loaders can do without
        std::atomic<std::uint64_t> bytes{0};
        std::atomic<std::uint64_t> open{0};
    };

    explicit HttpTransfers(events::Consumer& consumer) noexcept : consumer_(&consumer) {}

    // RESPONSE is about to carry a file of that NAME, or a range of it: what becomes of it is noted. A
    // "not modified" carries none and is passed over.
    void follow(const Client& client, std::string_view name, http::Response& response);
    // The client asked for the file's size alone (HEAD).
    void probed(const Client& client, std::string_view name, const http::Response& response);
    void missed(const Client& client, std::string_view name);

    [[nodiscard]] const Statistics& statistics() const noexcept { return statistics_; }

  private:
    void ended(Event event, std::uint64_t began_ns, const http::Delivery& delivery);
    events::Consumer* consumer_;
    Statistics statistics_;
};

}  // namespace rouse::ims
