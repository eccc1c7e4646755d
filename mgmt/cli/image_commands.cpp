#include "mgmt/cli/command.hpp"
#include "mgmt/cli/file_upload.hpp"
#include "mgmt/http/uri.hpp"

#include <filesystem>
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace rouse::cli {
namespace {

using nlohmann::json;

std::string path_of(const std::string& name) {
    return "/api/images/" + http::percent_encode(name, "/");
}

OrFailure<void> put(Context& context, Session& session, const std::string& file, std::string name) {
    if (name.empty()) name = std::filesystem::path(file).filename().string();
    auto upload = FileUpload::open(file, name, context.console);
    if (!upload) return tl::unexpected(upload.error());
    const auto stored = session.put(path_of(name), **upload);
    if (!stored) return tl::unexpected(stored.error());
    (*upload)->finish();
    const std::string sent = (*upload)->sha256();
    if (plain_text(*stored, "sha256") != sent)
        return failure(ExitCode::failed, name + " was damaged on its way: its SHA-256 is " + sent +
                                             " here and " + plain_text(*stored, "sha256") +
                                             " there; put it again");
    context.print_done(*stored, "stored " + name + ", " + human_size(static_cast<double>((*upload)->size())) +
                                    ", SHA-256 " + sent);
    return {};
}

OrFailure<void> list(Context& context, Session& session) {
    const auto images = session.get("/api/images/");
    if (!images) return tl::unexpected(images.error());
    const auto size = [](const json& image) {
        const auto found = image.find("size");
        return found != image.end() && found->is_number() ? human_size(found->get<double>())
                                                          : std::string("-");
    };
    context.print_list({column("NAME", "name"), {"SIZE", size, true}, column("SHA-256", "sha256")}, *images);
    return {};
}

}  // namespace

void add_images(CLI::App& app, Context& context) {
    auto* group = app.add_subcommand("image", "Files that machines load: loaders, kernels, ramdisks");
    group->require_subcommand(1);

    struct Put {
        std::string file, name;
    };
    auto* putting = group->add_subcommand("put", "Upload a file");
    const auto what = std::make_shared<Put>();
    putting->add_option("FILE", what->file, "the file")->required();
    putting->add_option("NAME", what->name, "name to serve it as, may hold slashes (default: the file's)");
    context.act_with_session(*putting, [&context, what](Session& session) {
        return put(context, session, what->file, what->name);
    });

    auto* listing = group->add_subcommand("list", "List images");
    context.act_with_session(*listing, [&context](Session& session) { return list(context, session); });

    auto* deleting = group->add_subcommand("delete", "Delete images");
    const auto names = std::make_shared<std::vector<std::string>>();
    deleting->add_option("NAME", *names, "their names")->required();
    context.act_with_session(*deleting, [&context, names](Session& session) -> OrFailure<void> {
        for (const auto& name : *names) {
            if (auto removed = session.remove(path_of(name)); !removed) return removed;
            context.print_done({{"name", name}}, "deleted " + name);
        }
        return {};
    });
}

}  // namespace rouse::cli
