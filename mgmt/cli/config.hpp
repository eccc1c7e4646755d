#pragma once
// The appliances that somebody works with, each under a name (a context): a file that only its owner can
// read, for the tokens that logins left in it.

#include "mgmt/cli/failure.hpp"

#include <functional>
#include <map>
#include <string>

namespace rouse::cli {

// Files of TLS, in PEM; empty: the system's certificates, no certificate of our own.
struct TlsFiles {
    std::string ca = {};           // certificates to trust
    std::string certificate = {};  // ours, for appliances that ask for one
    std::string key = {};          // its private key
};

struct SavedContext {
    std::string url = {};
    std::string user = {};
    std::string access = {};  // tokens of the last login
    std::string refresh = {};
    TlsFiles tls = {};
};

struct Config {
    std::string current = {};  // name of a context, or empty
    std::map<std::string, SavedContext> contexts = {};

    // Null when there is none of that name.
    [[nodiscard]] const SavedContext* find(const std::string& name) const;
};

// DIRECTORY/config; one without contexts when nobody has logged in yet.
[[nodiscard]] OrFailure<Config> load_config(const std::string& directory);
// CHANGE under a lock, so that commands which run at once lose nothing of each other's. Mode 0600 in a
// directory of mode 0700; the old file stays until the new one is complete, or when CHANGE fails.
[[nodiscard]] OrFailure<void> change_config(const std::string& directory,
                                            const std::function<OrFailure<void>(Config&)>& change);

}  // namespace rouse::cli
