// Contexts: the appliances that somebody works with, and which one is meant.

#include "mgmt/cli/command.hpp"

#include <filesystem>
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace rouse::cli {
namespace {

using nlohmann::json;

struct NewContext {
    std::string name;
    SavedContext saved;
};

tl::unexpected<Failure> unknown(const std::string& name) {
    return failure(ExitCode::not_found, "there is no context " + name + "; see rousectl context list");
}

OrFailure<void> list(Context& context) {
    const auto config = load_config(context.environment.config_dir);
    if (!config) return tl::unexpected(config.error());
    json objects = json::array();
    // Tokens are nobody's business.
    for (const auto& [name, saved] : config->contexts)
        objects.push_back({{"name", name},
                           {"current", name == config->current},
                           {"url", saved.url},
                           {"user", saved.user},
                           {"logged_in", !saved.access.empty()},
                           {"ca", saved.tls.ca},
                           {"certificate", saved.tls.certificate},
                           {"key", saved.tls.key}});
    const auto mark = [](const json& object) { return std::string(object.at("current") == true ? "*" : ""); };
    context.print_list({column("NAME", "name"),
                        {.heading = "CURRENT", .text = mark},
                        column("URL", "url"),
                        column("USER", "user"),
                        column("LOGGED IN", "logged_in"),
                        wide_column("CA", "ca"),
                        wide_column("CERTIFICATE", "certificate"),
                        wide_column("KEY", "key")},
                       objects);
    return {};
}

OrFailure<void> add(Context& context, const NewContext& made) {
    const auto saved =
        change_config(context.environment.config_dir, [&made](Config& config) -> OrFailure<void> {
            if (config.contexts.contains(made.name))
                return failure(ExitCode::conflict,
                               "there is a context " + made.name + " already; remove it first");
            config.contexts[made.name] = made.saved;
            config.contexts[made.name].url = without_slash(made.saved.url);
            if (config.current.empty()) config.current = made.name;
            return {};
        });
    if (!saved) return saved;
    context.print_done(
        {{"name", made.name}},
        "added the context " + made.name + "; log in with: rousectl login --context " + made.name, made.name);
    return {};
}

OrFailure<void> use(Context& context, const std::string& name) {
    const auto used =
        change_config(context.environment.config_dir, [&name](Config& config) -> OrFailure<void> {
            if (!config.contexts.contains(name)) return unknown(name);
            config.current = name;
            return {};
        });
    if (used) context.print_done({{"name", name}}, "the context is now " + name, name);
    return used;
}

OrFailure<void> remove(Context& context, const std::string& name) {
    const auto removed =
        change_config(context.environment.config_dir, [&name](Config& config) -> OrFailure<void> {
            if (config.contexts.erase(name) == 0) return unknown(name);
            if (config.current == name) config.current.clear();
            return {};
        });
    if (removed) context.print_done({{"name", name}}, "removed the context " + name, name);
    return removed;
}

// Without a session: ACTION needs no appliance.
void act(CLI::App& command, Context& context, std::function<OrFailure<void>()> action) {
    command.callback([&context, action = std::move(action)] { context.action = action; });
}

void add_one(CLI::App& group, Context& context) {
    auto* adding = group.add_subcommand("add", "Add an appliance, to log in later");
    const auto made = std::make_shared<NewContext>();
    adding->add_option("NAME", made->name, "what to call it")->required();
    adding->add_option("URL", made->saved.url, "such as https://rack7.example:30205")->required();
    adding->add_option("-u,--user", made->saved.user, "user name to log in with (default: admin)");
    add_tls_options(*adding, context, made->saved.tls);
    act(*adding, context, [&context, made] { return add(context, *made); });
}

}  // namespace

void add_tls_options(CLI::App& command, Context& context, TlsFiles& files) {
    const auto add_file = [&](const char* flag, std::string& file, const char* help) {
        auto* option = command.add_option_function<std::string>(
            flag,  // other commands run in other directories
            [&file](const std::string& path) { file = std::filesystem::absolute(path).string(); }, help);
        context.suggest(option->check(CLI::ExistingFile)->type_name("FILE"), {.file = true});
    };
    add_file("--ca", files.ca, "certificates to trust");
    add_file("--cert", files.certificate, "our own certificate, for appliances that ask for one");
    add_file("--key", files.key, "its private key");
}

void add_contexts(CLI::App& app, Context& context) {
    auto* group = app.add_subcommand("context", "Appliances that you work with: which one is meant");
    group->require_subcommand(1);
    auto* listing = group->add_subcommand("list", "List contexts");
    listing->alias("ls");
    act(*listing, context, [&context] { return list(context); });
    add_one(*group, context);
    const auto name = std::make_shared<std::string>();
    auto* using_one = group->add_subcommand("use", "Make a context the current one");
    context.suggest(using_one->add_option("NAME", *name, "its name")->required(), {{}, "context"});
    act(*using_one, context, [&context, name] { return use(context, *name); });
    auto* removing = group->add_subcommand("remove", "Forget a context and its login");
    removing->alias("rm");
    context.suggest(removing->add_option("NAME", *name, "its name")->required(), {{}, "context"});
    act(*removing, context, [&context, name] { return remove(context, *name); });
}

}  // namespace rouse::cli
