#pragma once
// Where notifications may go. A subscriber says it, so that it could name what only we can reach: of each URL
// the host is checked when it is told, and the address that its name has each time a connection is made.

#include "shared/addresses.hpp"
#include "shared/result.hpp"

#include <string>
#include <vector>

#include <curl/curl.h>

namespace rouse::o2ims {

struct CallbackPolicy {
    std::vector<std::string> hosts = {};  // names or addresses, ".example.com" for all below; empty: any
    bool allows_http = false;             // https alone otherwise
    bool allows_loopback = false;         // 127.0.0.0/8, ::1
    bool allows_link_local = false;       // 169.254.0.0/16 and fe80::/10, where clouds have their metadata
    std::string smo_url = {};             // the SMO's own; empty: there is none

    // What is wrong with URL, for its subscriber.
    [[nodiscard]] Result<void> check(const std::string& url) const;
    // Whether what proves to the SMO who we are (token, client certificate) may be shown there: to the SMO's
    // own host and to those that are listed, not to whoever subscribes.
    [[nodiscard]] bool trusts(const std::string& url) const;
    [[nodiscard]] bool allows(const IpAddress& address) const noexcept;
    // Connections of HANDLE are made to what is allowed alone, and through no proxy. This outlives them.
    void guard(CURL* handle) const;
};

}  // namespace rouse::o2ims
