// machine import: a table of machines at once, all or none.

#include "mgmt/cli/command.hpp"

#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace rouse::cli {
namespace {

struct MachineTable {
    std::string file;
    bool update = false, dry = false;
};

// No CSV's first column is called so.
bool is_json(const std::string& text) {
    const auto first = text.find_first_not_of(" \t\r\n");
    return first != std::string::npos && (text[first] == '[' || text[first] == '{');
}

OrFailure<void> import_machines(Context& context, Session& session, const MachineTable& what) {
    auto text = read_input(context.console, what.file);
    if (!text) return tl::unexpected(text.error());
    const char* type = is_json(*text) ? "application/json" : "text/csv";
    const auto done =
        session.post_text(std::string("/api/machines/import/?upsert=") + (what.update ? "true" : "false") +
                              "&dry_run=" + (what.dry ? "true" : "false"),
                          std::move(*text), type);
    if (!done) return tl::unexpected(done.error());
    const auto count = [&done](const char* name) { return std::to_string(done->value(name, 0)); };
    const std::string waiting =
        done->value("waiting", 0) == 0 ? "" : "; no pool has an address for " + count("waiting") + " of them";
    context.print_done(
        *done,
        (what.dry ? "would add " : "added ") + count("created") + " machines" + waiting +
            (what.update ? "; changed " + count("updated") + ", " + count("unchanged") + " were so already"
                         : ""));
    return {};
}

}  // namespace

void add_machine_import(CLI::App& group, Context& context) {
    auto* importing =
        group.add_subcommand("import", "Add machines as a table (CSV or JSON) says, all or none");
    importing->footer(
        "The first line of CSV names the fields as the API does, such as\n"
        "hostname,mac,role,cluster; JSON is an array of machines. A cluster is named by\n"
        "its id.");
    const auto what = std::make_shared<MachineTable>();
    context.suggest(importing->add_option("FILE", what->file, "the file; - is standard input")->required(),
                    {.file = true});
    importing->add_flag("--update", what->update, "change machines whose MAC address is registered");
    importing->add_flag("--dry-run", what->dry, "only say what would be done");
    context.act_with_session(*importing,
                             [&context, what](Session& session) { return import_machines(context, session, *what); });
}

}  // namespace rouse::cli
