#include "mgmt/cli/command.hpp"
#include "mgmt/cli/file_upload.hpp"
#include "mgmt/cli/tree_upload.hpp"
#include "mgmt/http/uri.hpp"

#include <filesystem>
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace rouse::cli {
namespace {

using nlohmann::json;

std::string path_of(const std::string& name) {
    return kind("image").path_of(name);
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
    context.print_done(
        *stored,
        "stored " + name + ", " + human_size(static_cast<double>((*upload)->size())) + ", SHA-256 " + sent,
        name);
    return {};
}

// What both ways of importing say at their end.
template <typename Upload>
OrFailure<void> send_archive(Context& context, Session& session, Upload& upload, const std::string& prefix) {
    const auto done = session.post("/api/image-imports/?as=" + http::percent_encode(prefix, "/"), upload);
    if (!done) return tl::unexpected(done.error());
    upload.finish();
    const auto skipped = done->value("skipped", json::array());
    for (const auto& entry : skipped)
        context.console.err << "left out: " << plain_text(entry, "path") << " " << plain_text(entry, "reason")
                            << '\n';
    context.print_done(*done, "imported " + std::to_string(done->value("files", 0)) + " images, " +
                                  human_size(done->value("bytes", 0.0)) +
                                  (skipped.empty() ? "" : "; left out " + std::to_string(skipped.size())));
    return {};
}

OrFailure<void> import(Context& context, Session& session, const std::string& source,
                       const std::string& prefix) {
    if (std::filesystem::is_directory(source)) {
        auto tree = TreeUpload::open(source, context.console);
        if (!tree) return tl::unexpected(tree.error());
        return send_archive(context, session, **tree, prefix);
    }
    auto file = FileUpload::open(source, std::filesystem::path(source).filename().string(), context.console);
    if (!file) return tl::unexpected(file.error());
    return send_archive(context, session, **file, prefix);
}

// Those NAMES, or all images. Fails when one of them is not what it was.
OrFailure<void> verify(Context& context, Session& session, std::vector<std::string> names) {
    if (names.empty()) {
        const auto images = session.get_list(kind("image").path);
        if (!images) return tl::unexpected(images.error());
        for (const auto& image : *images) names.push_back(plain_text(image, "name"));
    }
    json checks = json::array();
    std::size_t bad = 0;
    for (const auto& name : names) {
        const auto checked = session.post("/api/image-checks/" + http::percent_encode(name, "/"));
        if (!checked) return tl::unexpected(checked.error());
        if (plain_text(*checked, "state") != "good") ++bad;
        checks.push_back(*checked);
    }
    context.print_list({column("NAME", "name"), column("STATE", "state"), column("SHA-256", "sha256")},
                       checks);
    if (bad > 0)
        return failure(ExitCode::failed, std::to_string(bad) + " of " + std::to_string(names.size()) +
                                             " images are not what was stored; put them again");
    return {};
}

void add_import(CLI::App& group, Context& context) {
    struct Import {
        std::string source, prefix;
    };
    auto* importing = group.add_subcommand(
        "import", "Upload all files of a directory or an archive (tar, cpio, ISO 9660, zip), all or none");
    const auto what = std::make_shared<Import>();
    context.suggest(importing->add_option("SOURCE", what->source, "the directory or archive")->required(),
                    {.file = true});
    importing->add_option("--as", what->prefix, "serve them below this name: PREFIX/path/in/SOURCE");
    context.act_with_session(*importing, [&context, what](Session& session) {
        return import(context, session, what->source, what->prefix);
    });
}

void add_care(CLI::App& group, Context& context) {
    auto* verifying = group.add_subcommand("verify", "Read images' bytes again and compare their SHA-256");
    const auto names = std::make_shared<std::vector<std::string>>();
    context.suggest(verifying->add_option("NAME", *names, "their names (default: all)"), {{}, "image"});
    context.act_with_session(
        *verifying, [&context, names](Session& session) { return verify(context, session, *names); });

    auto* collecting =
        group.add_subcommand("gc", "Remove contents that no name stands for any more, at once");
    context.act_with_session(*collecting, [&context](Session& session) -> OrFailure<void> {
        const auto done = session.post("/api/image-collections/");
        if (!done) return tl::unexpected(done.error());
        context.print_done(*done, "removed " + std::to_string(done->value("removed", 0)) + " contents");
        return {};
    });
}

}  // namespace

void add_images(CLI::App& group, Context& context) {
    struct Put {
        std::string file, name;
    };
    auto* putting = group.add_subcommand("put", "Upload a file");
    const auto what = std::make_shared<Put>();
    context.suggest(putting->add_option("FILE", what->file, "the file")->required(), {.file = true});
    context.suggest(putting->add_option("NAME", what->name,
                                        "name to serve it as, may hold slashes (default: the file's)"),
                    {{}, "image"});
    context.act_with_session(*putting, [&context, what](Session& session) {
        return put(context, session, what->file, what->name);
    });
    add_import(group, context);
    add_care(group, context);
}

}  // namespace rouse::cli
