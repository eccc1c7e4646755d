#include "mgmt/cli/command.hpp"

#include <istream>
#include <memory>
#include <ostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace rouse::cli {
namespace {

struct Options {
    std::string url, user;
    TlsFiles tls;
    bool password_stdin = false;
};

// "https://rack7.example:30205/x" as "rack7.example".
std::string host_of(const std::string& url) {
    const auto scheme = url.find("://");
    const auto begin = scheme == url.npos ? 0 : scheme + 3;
    const auto end = url.find_first_of("/", begin);
    const std::string authority = url.substr(begin, end == url.npos ? url.npos : end - begin);
    const auto colon = authority.rfind(':');
    return colon == authority.npos || authority.ends_with(']') ? authority : authority.substr(0, colon);
}

// The context that a login is for: the named one, else the one that has this URL, else a new one called by
// its host.
std::string context_for(const Config& config, const Environment& environment, const std::string& url) {
    if (!environment.context.empty()) return environment.context;
    const auto* current = config.find(config.current);
    if (url.empty() || (current != nullptr && current->url == url)) return config.current;
    for (const auto& [name, saved] : config.contexts)
        if (saved.url == url) return name;
    const std::string host = host_of(url);
    return config.contexts.contains(host) ? url.substr(url.find("://") + 3) : host;
}

OrFailure<void> log_in_and_save(Context& context, const Options& options) {
    const auto& environment = context.environment;
    const auto config = load_config(environment.config_dir);
    if (!config) return tl::unexpected(config.error());
    const std::string url = without_slash(options.url.empty() ? environment.url : options.url);
    const std::string name = context_for(*config, environment, url);
    const SavedContext* saved = config->find(name);
    SavedContext where = saved == nullptr ? SavedContext{} : *saved;
    const auto replace = [](std::string& value, const std::string& given) {
        if (!given.empty()) value = given;
    };
    replace(where.url, url);
    replace(where.user, options.user);
    replace(where.tls.ca, environment.ca);
    replace(where.tls.ca, options.tls.ca);
    replace(where.tls.certificate, options.tls.certificate);
    replace(where.tls.key, options.tls.key);
    if (where.user.empty()) where.user = "admin";
    if (where.url.empty())
        return failure(ExitCode::usage,
                       "which appliance? rousectl login URL, such as http://127.0.0.1:30205");
    const auto password =
        read_password(context.console, "Password of " + where.user + ": ", options.password_stdin);
    if (!password) return tl::unexpected(password.error());
    const auto logged_in = log_in(where, *password);
    if (!logged_in) return tl::unexpected(logged_in.error());
    const auto kept = change_config(environment.config_dir, [&](Config& changed) -> OrFailure<void> {
        changed.contexts[name] = *logged_in;
        changed.current = name;
        return {};
    });
    if (!kept) return kept;
    context.print_done({{"context", name}, {"url", where.url}, {"user", where.user}},
                       "logged in to " + where.url + " as " + where.user, name);
    return {};
}

}  // namespace

OrFailure<std::string> read_password(Console& console, const std::string& prompt, bool from_stdin) {
    if (from_stdin) {
        std::string password;
        std::getline(console.in, password);
        if (password.ends_with('\r')) password.pop_back();
        if (password.empty()) return failure(ExitCode::usage, "there is no password on standard input");
        return password;
    }
    auto password = console.ask_secret ? console.ask_secret(prompt) : std::nullopt;
    if (!password)
        return failure(ExitCode::usage,
                       "there is no terminal to ask for the password on; use --password-stdin");
    return *password;
}

void add_login(CLI::App& app, Context& context) {
    auto* command = app.add_subcommand("login", "Log in to an appliance and remember it");
    const auto options = std::make_shared<Options>();
    command->add_option("URL", options->url, "the appliance's, such as http://127.0.0.1:30205");
    command->add_option("-u,--user", options->user, "user name (default: admin)");
    add_tls_options(*command, context, options->tls);
    command->add_flag("--password-stdin", options->password_stdin, "read the password from standard input");
    command->callback([&context, options] {
        context.action = [&context, options] { return log_in_and_save(context, *options); };
    });
}

}  // namespace rouse::cli
