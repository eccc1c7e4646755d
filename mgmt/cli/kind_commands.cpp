// The commands of all kinds, each with the verbs that it has.

#include "mgmt/cli/command.hpp"

#include <CLI/CLI.hpp>

namespace rouse::cli {

void add_kinds(CLI::App& app, Context& context) {
    for (const Kind& kind : kinds()) {
        auto* group = app.add_subcommand(kind.noun, kind.help);
        group->require_subcommand(1);
        if (kind.can(Verb::list)) add_list(*group, context, kind);
        if (kind.can(Verb::show)) add_show(*group, context, kind);
        add_edits(*group, context, kind);
        if (kind.can(Verb::remove)) add_delete(*group, context, kind);
        if (kind.noun == "image") add_images(*group, context);
        if (kind.noun == "machine") add_machine_import(*group, context);
        if (kind.noun == "worker") add_worker_enrolment(*group, context);
        if (kind.noun == "cluster") add_hand_back(*group, context);
        if (kind.noun == "oauth") add_client_rotation(*group, context);
    }
}

}  // namespace rouse::cli
