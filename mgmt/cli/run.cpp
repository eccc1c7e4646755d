#include "mgmt/cli/command.hpp"
#include "mgmt/cli/completion.hpp"
#include "mgmt/cli/help.hpp"
#include "shared/version.hpp"

#include <algorithm>
#include <map>
#include <ostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace rouse::cli {
namespace {

const std::map<std::string, Format>& formats() {
    static const std::map<std::string, Format> all{{"table", Format::table},
                                                   {"wide", Format::wide},
                                                   {"json", Format::json},
                                                   {"yaml", Format::yaml},
                                                   {"name", Format::name}};
    return all;
}

// The command that the line names, for "see … --help".
std::string command_of(const CLI::App& app) {
    std::string name = app.get_name();
    for (const auto* at = &app; !at->get_subcommands().empty();) {
        at = at->get_subcommands().front();
        name += " " + at->get_name();
    }
    return name;
}

}  // namespace

void Context::act_with_session(CLI::App& command, std::function<OrFailure<void>(Session&)> work) {
    command.callback([this, work = std::move(work)] {
        action = [this, work]() -> OrFailure<void> {
            auto session = Session::open(environment);
            if (!session) return tl::unexpected(session.error());
            return work(*session);
        };
    });
}

CLI::Option* Context::suggest(CLI::Option* option, Suggestion suggestion) {
    suggestions[option] = std::move(suggestion);
    return option;
}

void add_commands(CLI::App& app, Context& context) {
    app.formatter(help_formatter());
    app.set_help_flag("-h,--help", "print this help");
    app.set_version_flag("--version", std::string(kVersion), "print the version");
    context.suggest(app.add_option("-o,--output", context.format, "table, wide, json, yaml or name")
                        ->transform(CLI::CheckedTransformer(formats(), CLI::ignore_case))
                        ->type_name("FORMAT"),
                    {{"table", "wide", "json", "yaml", "name"}});
    const auto use_context = [&context](const std::string& name) {
        context.environment.context = name;
        // Who names an appliance here means it, whatever the environment says.
        context.environment.url.clear();
        context.environment.token.clear();
    };
    context.suggest(app.add_option_function<std::string>("--context", use_context,
                                                         "the appliance that is meant; see rousectl context")
                        ->type_name("NAME"),
                    {{}, "context"});
    app.fallthrough();
    app.require_subcommand(1);
    add_login(app, context);
    add_contexts(app, context);
    add_kinds(app, context);
    add_timeline(app, context);
    add_alarms(app, context);
    add_apply(app, context);
    add_backup(app, context);
    add_completion(app, context);
    // After the commands, which would have it too.
    app.footer(
        "ROUSE_CONTEXT names the context; ROUSE_URL, ROUSE_TOKEN and ROUSE_CA, when set,\n"
        "are used instead of what it says. NO_COLOR turns colours off.\n\n"
        "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 not logged in or not\n"
        "allowed, 5 conflict, 6 appliance not reached.");
}

int run(const std::vector<std::string>& arguments, Console& console, const Environment& environment) {
    Context context{console, environment};
    CLI::App app("Provisions bare machines with a rouse appliance.", "rousectl");
    add_commands(app, context);
    // Both are for programs: completion scripts, and who writes docs/rousectl.md.
    if (!arguments.empty() && arguments.front() == "__complete") {
        complete(app, context, {arguments.begin() + 1, arguments.end()});
        return static_cast<int>(ExitCode::done);
    }
    if (arguments == std::vector<std::string>{"__reference"}) {
        console.out << reference(app);
        return static_cast<int>(ExitCode::done);
    }
    try {
        std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // as CLI11 wants them
        app.parse(std::move(reversed));
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == 0) return app.exit(error, console.out, console.err);
        const auto unknown = app.remaining(true);
        console.err << "rousectl: "
                    << (unknown.empty() ? std::string(error.what())
                                        : "\"" + unknown.front() + "\" is not understood")
                    << "\nSee " << command_of(app) << " --help." << std::endl;
        return static_cast<int>(ExitCode::usage);
    }
    const auto result = context.action();
    if (result) return static_cast<int>(ExitCode::done);
    console.err << "rousectl: " << result.error().message << std::endl;
    return static_cast<int>(result.error().code);
}

}  // namespace rouse::cli
