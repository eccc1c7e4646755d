#include "mgmt/cli/command.hpp"

#include <istream>
#include <memory>
#include <ostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace rouse::cli {
namespace {

struct Options {
    std::string url;
    std::string user = "admin";
    std::string ca;
    bool password_stdin = false;
};

OrFailure<std::string> get_password(Console& console, const Options& options) {
    if (options.password_stdin) {
        std::string password;
        std::getline(console.in, password);
        if (password.ends_with('\r')) password.pop_back();
        if (password.empty()) return failure(ExitCode::usage, "there is no password on standard input");
        return password;
    }
    auto password = console.ask_secret("Password of " + options.user + ": ");
    if (!password)
        return failure(ExitCode::usage,
                       "there is no terminal to ask for the password on; use --password-stdin");
    return *password;
}

OrFailure<void> log_in_and_save(Context& context, const Options& options) {
    std::string url = options.url.empty() ? context.environment.url : options.url;
    if (url.empty()) {
        const auto saved = load_profile(context.environment.config_dir);
        if (saved && *saved) url = (*saved)->url;
    }
    if (url.empty())
        return failure(ExitCode::usage,
                       "which appliance? rousectl login URL, such as http://127.0.0.1:30205");
    const auto password = get_password(context.console, options);
    if (!password) return tl::unexpected(password.error());
    const auto profile = log_in(url, options.user, *password, options.ca);
    if (!profile) return tl::unexpected(profile.error());
    if (auto saved = save_profile(context.environment.config_dir, *profile); !saved) return saved;
    context.print_done({{"url", profile->url}, {"user", profile->user}},
                       "logged in to " + profile->url + " as " + profile->user);
    return {};
}

}  // namespace

void add_login(CLI::App& app, Context& context) {
    auto* command = app.add_subcommand("login", "Log in to an appliance and remember it");
    const auto options = std::make_shared<Options>();
    command->add_option("URL", options->url, "the appliance's, such as http://127.0.0.1:30205");
    command->add_option("-u,--user", options->user, "user name")->capture_default_str();
    command->add_option("--ca", options->ca, "file of the certificates to trust")->check(CLI::ExistingFile);
    command->add_flag("--password-stdin", options->password_stdin, "read the password from standard input");
    command->callback([&context, options] {
        context.action = [&context, options] { return log_in_and_save(context, *options); };
    });
}

}  // namespace rouse::cli
