#include "mgmt/cli/command.hpp"
#include "shared/version.hpp"

#include <algorithm>
#include <map>
#include <ostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace rouse::cli {

void Context::act_with_session(CLI::App& command, std::function<OrFailure<void>(Session&)> work) {
    command.callback([this, work = std::move(work)] {
        action = [this, work]() -> OrFailure<void> {
            auto session = Session::open(environment);
            if (!session) return tl::unexpected(session.error());
            return work(*session);
        };
    });
}

void Context::print_list(const std::vector<Column>& columns, const nlohmann::json& objects) {
    if (format == Format::json)
        console.out << objects.dump(2) << '\n';
    else
        print_table(console.out, columns, objects);
}

void Context::print_done(const nlohmann::json& object, const std::string& sentence) {
    if (format == Format::json)
        console.out << object.dump(2) << '\n';
    else
        console.out << sentence << '\n';
}

int run(const std::vector<std::string>& arguments, Console& console, const Environment& environment) {
    Context context{console, environment, Format::table, {}};
    CLI::App app("Provisions bare machines with a rouse appliance.", "rousectl");
    app.set_version_flag("--version", std::string(kVersion));
    app.add_option("-o,--output", context.format, "table or json")
        ->transform(CLI::CheckedTransformer(
            std::map<std::string, Format>{{"table", Format::table}, {"json", Format::json}},
            CLI::ignore_case));
    app.fallthrough();
    app.require_subcommand(1);
    app.footer(
        "ROUSE_URL and ROUSE_TOKEN, when set, are used instead of the login.\n"
        "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not logged in, 4 appliance not reached.");
    add_login(app, context);
    add_machines(app, context);
    add_clusters(app, context);
    add_pools(app, context);
    add_leases(app, context);
    add_profiles(app, context);
    add_images(app, context);
    add_timeline(app, context);
    try {
        std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // as CLI11 wants them
        app.parse(std::move(reversed));
    } catch (const CLI::ParseError& error) {
        const int code = app.exit(error, console.out, console.err);
        return static_cast<int>(code == 0 ? ExitCode::done : ExitCode::usage);
    }
    const auto result = context.action();
    if (result) return static_cast<int>(ExitCode::done);
    console.err << "rousectl: " << result.error().message << std::endl;
    return static_cast<int>(result.error().code);
}

}  // namespace rouse::cli
