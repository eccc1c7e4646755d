#pragma once
// What every command has at hand. Each group of commands adds itself to the command line; the chosen command
// leaves its action here, to be run once the whole line has been understood.

#include "mgmt/cli/console.hpp"
#include "mgmt/cli/failure.hpp"
#include "mgmt/cli/kind.hpp"
#include "mgmt/cli/session.hpp"
#include "mgmt/cli/table.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace rouse::cli {

// What may stand for an option's value or a position, for completion.
struct Suggestion {
    std::vector<std::string> words{};
    std::string noun{};  // of the kind whose objects it names
    bool file = false;
};

struct Context {
    Console& console;
    Environment environment;
    Format format = Format::table;
    std::function<OrFailure<void>()> action{};
    std::map<const CLI::Option*, Suggestion> suggestions{};

    // Runs WORK with a session when this command was chosen.
    void act_with_session(CLI::App& command, std::function<OrFailure<void>(Session&)> work);
    CLI::Option* suggest(CLI::Option* option, Suggestion suggestion);

    // OBJECTS in the format that was asked for. For -o name their first column, or the id where that is not
    // unique.
    void print_list(const std::vector<Column>& columns, const nlohmann::json& objects);
    // OBJECT with a line for each member, FIRST's first; NAME is what -o name says.
    void print_object(const nlohmann::json& object, const std::string& name,
                      const std::vector<std::string>& first = {});
    // OBJECT for programs, or SENTENCE for people; NAME is what -o name says.
    void print_done(const nlohmann::json& object, const std::string& sentence, const std::string& name = {});
    // True when OBJECT was asked for as JSON or YAML, and has been printed.
    [[nodiscard]] bool print_data(const nlohmann::json& object);
    [[nodiscard]] bool is_for_people() const { return format == Format::table || format == Format::wide; }
    [[nodiscard]] TableStyle style() const;
};

void add_login(CLI::App& app, Context& context);
void add_contexts(CLI::App& app, Context& context);
void add_kinds(CLI::App& app, Context& context);
void add_images(CLI::App& group, Context& context);            // to `image` of add_kinds
void add_machine_import(CLI::App& group, Context& context);    // to `machine` of add_kinds
void add_worker_enrolment(CLI::App& group, Context& context);  // to `worker` of add_kinds
void add_hand_back(CLI::App& group, Context& context);         // to `cluster` of add_kinds
void add_client_rotation(CLI::App& group, Context& context);   // to `oauth` of add_kinds
void add_backup(CLI::App& app, Context& context);              // and restore
void add_alarms(CLI::App& app, Context& context);
void add_timeline(CLI::App& app, Context& context);
void add_apply(CLI::App& app, Context& context);
void add_completion(CLI::App& app, Context& context);

// The verbs of a kind.
void add_list(CLI::App& group, Context& context, const Kind& kind);
void add_show(CLI::App& group, Context& context, const Kind& kind);
void add_edits(CLI::App& group, Context& context, const Kind& kind);  // add and set
void add_delete(CLI::App& group, Context& context, const Kind& kind);

// The id of the object of KIND that TEXT names: its id, natural name, or another of its names (a machine's
// MAC or IPv4 address). Several of that name are a failure (usage) that lists them.
[[nodiscard]] OrFailure<std::string> find_id(Session& session, const Kind& kind, const std::string& text);
[[nodiscard]] OrFailure<std::string> find_machine(Session& session, const std::string& text);
[[nodiscard]] OrFailure<std::string> find_cluster(Session& session, const std::string& text);
// What KIND's objects are called, by id.
[[nodiscard]] OrFailure<std::map<std::string, std::string>> names_by_id(Session& session, const Kind& kind);
// Puts ids in place of the names in BODY's references to other objects.
[[nodiscard]] OrFailure<void> resolve_references(Session& session, const Kind& kind, nlohmann::json& body);

// --ca, --cert and --key; FILES outlives the command line.
void add_tls_options(CLI::App& command, Context& context, TlsFiles& files);
// From standard input, or asked for with PROMPT. A failure (usage) when there is neither.
[[nodiscard]] OrFailure<std::string> read_password(Console& console, const std::string& prompt,
                                                   bool from_stdin);

// All of a file; "-" is standard input.
[[nodiscard]] OrFailure<std::string> read_input(Console& console, const std::string& path);

// A list shown again and again as it changes, until TIMEOUT_SECONDS are over (0: for ever).
struct Watch {
    std::function<OrFailure<nlohmann::json>()> read;
    std::vector<Column> columns;
    unsigned timeout_seconds = 0;
};
[[nodiscard]] OrFailure<void> watch(Context& context, const Watch& what);

// The whole command line, as the program and its completion know it.
void add_commands(CLI::App& app, Context& context);
// The whole program: ARGUMENTS without its name; returns an ExitCode.
[[nodiscard]] int run(const std::vector<std::string>& arguments, Console& console,
                      const Environment& environment);

}  // namespace rouse::cli
