#pragma once
// What every command has at hand. Each group of commands adds itself to the command line; the chosen command
// leaves its action here, to be run once the whole line has been understood.

#include "mgmt/cli/console.hpp"
#include "mgmt/cli/failure.hpp"
#include "mgmt/cli/session.hpp"
#include "mgmt/cli/table.hpp"

#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace CLI {
class App;
}

namespace rouse::cli {

struct Context {
    Console& console;
    Environment environment;
    Format format = Format::table;
    std::function<OrFailure<void>()> action;

    // Runs WORK with a session when this command was chosen.
    void act_with_session(CLI::App& command, std::function<OrFailure<void>(Session&)> work);

    // OBJECTS as a table, or as they are for -o json.
    void print_list(const std::vector<Column>& columns, const nlohmann::json& objects);
    // OBJECT as JSON for -o json, else SENTENCE.
    void print_done(const nlohmann::json& object, const std::string& sentence);
};

void add_login(CLI::App& app, Context& context);
void add_machines(CLI::App& app, Context& context);
void add_clusters(CLI::App& app, Context& context);
void add_pools(CLI::App& app, Context& context);
void add_leases(CLI::App& app, Context& context);
void add_profiles(CLI::App& app, Context& context);
void add_images(CLI::App& app, Context& context);
void add_timeline(CLI::App& app, Context& context);

// The id of the machine that TEXT names: its id, MAC address or hostname.
[[nodiscard]] OrFailure<std::string> find_machine(Session& session, const std::string& text);
// The id of the cluster that TEXT names: its id or name.
[[nodiscard]] OrFailure<std::string> find_cluster(Session& session, const std::string& text);

// The whole program: ARGUMENTS without its name; returns an ExitCode.
[[nodiscard]] int run(const std::vector<std::string>& arguments, Console& console,
                      const Environment& environment);

}  // namespace rouse::cli
