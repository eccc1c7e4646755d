// delete, the same for every kind. It asks on a terminal; in scripts it needs --yes when more goes than was
// named.

#include "mgmt/cli/command.hpp"

#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace rouse::cli {
namespace {

using nlohmann::json;

struct Deletion {
    std::vector<std::string> names;
    bool yes = false;
    bool force = false;
};

// How many objects go with the one that has this id.
OrFailure<std::size_t> count_along(Session& session, const Kind& kind, const std::string& id) {
    if (kind.takes_along.empty()) return 0;
    const auto along = session.get_list(cli::kind(kind.takes_along).path + "?" + kind.noun + "=" + id);
    if (!along) return tl::unexpected(along.error());
    return along->size();
}

// Failure (usage) when nobody said yes.
OrFailure<void> confirm(Context& context, const Kind& kind, const Deletion& deletion, std::size_t along) {
    if (deletion.yes) return {};
    std::string what =
        "the " + kind.title + (deletion.names.size() == 1 ? " " + deletion.names.front() : "s");
    if (deletion.names.size() > 1) what = std::to_string(deletion.names.size()) + " " + kind.title + "s";
    if (along > 0)
        what += " and with it the " + std::to_string(along) + " " + kind.takes_along +
                (along == 1 ? "" : "s") + " in it";
    const auto answer =
        context.console.ask ? context.console.ask("Delete " + what + "? [y/N] ") : std::nullopt;
    if (!answer && along == 0) return {};
    if (!answer) return failure(ExitCode::usage, "this deletes " + what + "; say --yes to do so");
    if (*answer == "y" || *answer == "Y" || *answer == "yes") return {};
    return failure(ExitCode::failed, "nothing was deleted");
}

OrFailure<void> remove(Context& context, Session& session, const Kind& kind, const Deletion& deletion) {
    std::vector<std::string> ids;
    std::size_t along = 0;
    for (const auto& name : deletion.names) {
        const auto id = find_id(session, kind, name);
        if (!id) return tl::unexpected(id.error());
        const auto count = deletion.yes ? OrFailure<std::size_t>(0) : count_along(session, kind, *id);
        if (!count) return tl::unexpected(count.error());
        along += *count;
        ids.push_back(*id);
    }
    if (auto confirmed = confirm(context, kind, deletion, along); !confirmed) return confirmed;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const auto removed = session.remove(kind.path_of(ids[i]) + (deletion.force ? "?force=true" : ""));
        if (!removed) {
            Failure why = removed.error();
            if (why.code == ExitCode::conflict && !kind.force.empty())
                why.message += "\nrousectl " + kind.noun + " delete --force does: " + kind.force;
            return tl::unexpected(std::move(why));
        }
        context.print_done(json{{"id", ids[i]}}, "deleted " + deletion.names[i], deletion.names[i]);
    }
    return {};
}

}  // namespace

void add_delete(CLI::App& group, Context& context, const Kind& kind) {
    auto* command = group.add_subcommand("delete", "Delete " + kind.title + "s");
    command->alias(kind.noun == "lease" ? "end" : "rm");
    const auto deletion = std::make_shared<Deletion>();
    context.suggest(command->add_option(kind.position(), deletion->names, "their names or ids")->required(),
                    {{}, kind.noun});
    command->add_flag("-y,--yes", deletion->yes, "do not ask");
    if (!kind.force.empty()) command->add_flag("--force", deletion->force, kind.force);
    context.act_with_session(*command, [&context, &kind, deletion](Session& session) {
        return remove(context, session, kind, *deletion);
    });
}

}  // namespace rouse::cli
