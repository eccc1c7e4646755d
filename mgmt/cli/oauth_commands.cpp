// oauth rotate: what only programs with secrets of their own need.

#include "mgmt/cli/command.hpp"

#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace rouse::cli {
namespace {

OrFailure<void> rotate(Context& context, Session& session, const std::string& client) {
    const auto id = find_id(session, kind("oauth"), client);
    if (!id) return tl::unexpected(id.error());
    const auto renewed = session.post("/api/oauth-clients/" + *id + "/renew-secret/");
    if (!renewed) return tl::unexpected(renewed.error());
    const std::string secret = plain_text(*renewed, "client_secret");
    context.print_done(*renewed, "the new secret of " + client + ", shown this once: " + secret, secret);
    return {};
}

}  // namespace

void add_client_rotation(CLI::App& group, Context& context) {
    auto* command =
        group.add_subcommand("rotate", "Give a client a new secret; the old one and its tokens are void");
    command->footer("With -o name the secret alone is printed, for a file or a vault.");
    const auto client = std::make_shared<std::string>();
    context.suggest(command->add_option("CLIENT", *client, "its name or id")->required(), {{}, "oauth"});
    context.act_with_session(
        *command, [&context, client](Session& session) { return rotate(context, session, *client); });
}

}  // namespace rouse::cli
