#pragma once
// On whose behalf an operation of the Writer changes documents: what it inserts, updates and erases is then
// on the audit log, in the same transaction. What the appliance does by itself has no author.

#include <string>
#include <vector>

namespace rouse::store {

struct Author {
    std::string user;        // or the client's id
    bool is_client = false;  // an OAuth2 client's, no user's
    std::vector<std::string> roles;
    std::string address;  // where the request came from
    std::string request_id;
    std::string method;
    std::string path;
};

}  // namespace rouse::store
