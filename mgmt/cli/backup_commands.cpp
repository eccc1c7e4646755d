// backup and restore: all that an appliance holds, as one file.

#include "mgmt/cli/command.hpp"
#include "mgmt/cli/file_download.hpp"

#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace rouse::cli {
namespace {

struct BackupOptions {
    std::string file;
    bool with_images = false;
};

OrFailure<void> back_up(Context& context, Session& session, const BackupOptions& options) {
    auto file = FileDownload::open(options.file, context.console);
    if (!file) return tl::unexpected(file.error());
    const auto done =
        session.download(std::string("/api/backup/") + (options.with_images ? "?images=true" : ""), **file);
    if (!done && !(*file)->trouble().empty()) return failure(ExitCode::failed, (*file)->trouble());
    if (!done) return done;
    if (auto finished = (*file)->finish(); !finished) return finished;
    const auto size = (*file)->size();
    context.print_done({{"file", options.file}, {"size", size}},
                       "saved " + options.file + ", " + human_size(static_cast<double>(size)), options.file);
    return {};
}

// What is stored cannot be replaced beneath a dataplane that answers from it, so no request does it.
OrFailure<void> explain_restore(const std::string& file) {
    return failure(ExitCode::failed,
                   "nothing was restored: an appliance is restored on its own host, while it is stopped. "
                   "There,\n"
                   "  1. bring " +
                       file +
                       " and stop rouse-mgmt and rouse-dataplane\n"
                       "  2. run: rouse-mgmt --config CONFIGURATION --restore " +
                       file +
                       "\n"
                       "  3. start both again\n"
                       "It looks at all of the backup first and keeps the former store; see "
                       "docs/operations.md.");
}

}  // namespace

void add_backup(CLI::App& app, Context& context) {
    auto* backup = app.add_subcommand("backup", "Save all that the appliance holds in a file");
    backup->footer(
        "The appliance goes on serving. FILE has hashes of all secrets and is for its\n"
        "owner's eyes only; one that is there is replaced when the new one is whole.");
    const auto options = std::make_shared<BackupOptions>();
    context.suggest(backup->add_option("FILE", options->file, "where to, such as rouse.tar")->required(),
                    {.file = true});
    backup->add_flag("--images", options->with_images, "with the contents of all images");
    context.act_with_session(
        *backup, [&context, options](Session& session) { return back_up(context, session, *options); });

    auto* restore = app.add_subcommand("restore", "Tell how an appliance becomes what a backup says");
    const auto file = std::make_shared<std::string>();
    context.suggest(restore->add_option("FILE", *file, "the backup")->required(), {.file = true});
    restore->callback([&context, file] { context.action = [file] { return explain_restore(*file); }; });
}

}  // namespace rouse::cli
