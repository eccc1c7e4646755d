// From what people call things to the ids that the API wants.

#include "mgmt/cli/command.hpp"
#include "mgmt/http/uri.hpp"
#include "shared/addresses.hpp"

#include <nlohmann/json.hpp>

namespace rouse::cli {
namespace {

using nlohmann::json;

bool is_id(const std::string& text) {
    return text.size() == 36 && text[8] == '-' && text[13] == '-' &&
           text.find_first_not_of("0123456789abcdefABCDEF-") == std::string::npos;
}

// The one object of a list that was asked for by name.
OrFailure<std::string> only_id(const json& found, const std::string& what, const std::string& how_to_list) {
    if (found.empty()) return failure(ExitCode::failed, "there is no " + what + "; see " + how_to_list);
    if (found.size() > 1)
        return failure(ExitCode::failed, "there are " + std::to_string(found.size()) + " of " + what +
                                             "; use the id that " + how_to_list + " shows");
    return plain_text(found.front(), "id");
}

}  // namespace

OrFailure<std::string> find_machine(Session& session, const std::string& text) {
    if (is_id(text)) return text;
    const auto mac = MacAddress::parse(text);
    const std::string query =
        mac ? "mac=" + http::percent_encode(mac->to_string()) : "hostname=" + http::percent_encode(text);
    const auto found = session.get("/api/machines/?" + query);
    if (!found) return tl::unexpected(found.error());
    return only_id(*found, "machine " + text, "rousectl machine list");
}

OrFailure<std::string> find_cluster(Session& session, const std::string& text) {
    if (is_id(text)) return text;
    const auto clusters = session.get("/api/cluster/");
    if (!clusters) return tl::unexpected(clusters.error());
    json found = json::array();
    for (const auto& cluster : *clusters)
        if (plain_text(cluster, "name") == text) found.push_back(cluster);
    return only_id(found, "cluster " + text, "rousectl cluster list");
}

}  // namespace rouse::cli
