#pragma once
// One O2ims service on a router: each of its routes under every major version that has it, with what all of
// them have in common: the Version header (SOL013 9.4) and api_versions (SOL013 9.3).

#include "mgmt/http/router.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace rouse::o2ims {

// Whoever has anything to do with O2ims.
inline constexpr http::Roles kAnyO2ims{http::Role::o2ims_reader, http::Role::o2ims_subscriber,
                                       http::Role::o2ims_maintainer, http::Role::o2ims_provisioner,
                                       http::Role::o2ims_deployer};

struct Version {
    unsigned major = 1;
    std::string full;  // "1.3.0"
};

class Service {
  public:
    // NAME: "infrastructureInventory". Adds api_versions.
    Service(http::Router& router, std::string name, std::vector<Version> versions);

    // ROUTE's pattern is what follows the version: "/resourcePools/{resourcePoolId}". From major version
    // SINCE on.
    void add(http::Route route, http::Handler handler, unsigned since = 1);
    template <http::PlainHandler F>
    void add(http::Route route, F handler, unsigned since = 1) {
        add(std::move(route),
            http::Handler([handler = std::move(handler)](http::Request& request)
                              -> boost::asio::awaitable<http::Outcome> { co_return handler(request); }),
            since);
    }
    // In major version MAJOR alone, where versions show the same thing by other names.
    template <http::PlainHandler F>
    void add_to(unsigned major, http::Route route, F handler) {
        add(std::move(route),
            http::Handler([handler = std::move(handler)](http::Request& request)
                              -> boost::asio::awaitable<http::Outcome> { co_return handler(request); }),
            major, major);
    }

  private:
    void add(http::Route route, http::Handler handler, unsigned since, unsigned until);

    http::Router* router_;
    std::string name_;
    std::vector<Version> versions_;
};

// Answers all spellings of O2ims paths of ROUTER as the canonical ones.
void accept_spellings(http::Router& router);

}  // namespace rouse::o2ims
