// add and set, the same for every kind: options become the body's members.

#include "mgmt/cli/command.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace rouse::cli {
namespace {

using nlohmann::json;
using Texts = std::vector<std::string>;

struct Edit {
    json body = json::object();
    std::string object;  // of `set`
    bool asks_secret = false;
    bool secret_on_stdin = false;
};

// "NAME=REST" in two.
std::pair<std::string, std::string> split(const std::string& option, const std::string& pair,
                                          const std::string& example) {
    const auto equals = pair.find('=');
    if (equals == 0 || equals == std::string::npos)
        throw CLI::ValidationError(option, "\"" + pair + "\" is not " + example);
    return {pair.substr(0, equals), pair.substr(equals + 1)};
}

json file_entry(const std::string& option, const std::string& pair) {
    const auto [name, path] = split(option, pair, "NAME=FILE");
    if (path.empty()) return {{"name", name}, {"content", nullptr}};
    std::ifstream in(path, std::ios::binary);
    if (!in) throw CLI::ValidationError(option, "cannot read " + path);
    return {{"name", name}, {"content", std::string(std::istreambuf_iterator<char>(in), {})}};
}

// One option for MEMBER, under the name that it has in this command.
CLI::Option* add_member(CLI::App& command, const Member& member, const std::string& name,
                        const std::shared_ptr<Edit>& edit) {
    const auto text = [&](const auto& take) {
        return command.add_option_function<std::string>(name, take, member.help);
    };
    const auto texts = [&](const auto& take) {
        return command.add_option_function<Texts>(name, take, member.help);
    };
    const std::string field = member.field;
    switch (member.type) {
        case ValueType::text:
            return text([edit, field](const std::string& value) { edit->body[field] = value; });
        case ValueType::number:
            return command.add_option_function<std::int64_t>(
                name, [edit, field](std::int64_t value) { edit->body[field] = value; }, member.help);
        case ValueType::boolean:
            return command.add_option_function<bool>(
                name, [edit, field](bool value) { edit->body[field] = value; }, member.help);
        case ValueType::list:
            return texts([edit, field](const Texts& values) { edit->body[field] = values; });
        case ValueType::pairs:
            return texts([edit, field, name](const Texts& pairs) {
                for (const auto& pair : pairs) {
                    const auto [key, value] =
                        split(name, pair, "ARCHITECTURE=IMAGE, such as bios=undionly.kpxe");
                    edit->body[field][key] = value.empty() ? json() : json(value);
                }
            });
        case ValueType::files:
            return texts([edit, field, name](const Texts& pairs) {
                for (const auto& pair : pairs) edit->body[field].push_back(file_entry(name, pair));
            });
        case ValueType::secret:
            command.add_flag(name + "-stdin", edit->secret_on_stdin, "read it from standard input");
            return command.add_flag(name, edit->asks_secret, member.help);
    }
    return nullptr;
}

// " (MASTER, WORKER)", where the help does not say it already.
std::string words_of(const Member& member) {
    if (member.words.empty() || member.help.find(member.words.front()) != std::string::npos) return "";
    std::string out;
    for (const auto& word : member.words) out += (out.empty() ? " (" : ", ") + word;
    return out + ")";
}

void add_members(CLI::App& command, Context& context, const Kind& kind, const std::shared_ptr<Edit>& edit,
                 bool adding) {
    for (const auto& member : kind.members) {
        auto* option = add_member(command, member, adding ? member.option : member.flag(), edit);
        if (adding && member.is_position()) option->required();
        if (member.type == ValueType::number) option->type_name("NUMBER");
        if (member.type == ValueType::boolean) option->type_name("BOOLEAN");
        if (const auto words = words_of(member); !words.empty()) option->description(member.help + words);
        context.suggest(option, {member.words, member.refers, member.type == ValueType::files});
    }
}

OrFailure<void> add_secret(Context& context, const Kind& kind, Edit& edit, bool adding) {
    const auto secret = std::find_if(kind.members.begin(), kind.members.end(),
                                     [](const Member& m) { return m.type == ValueType::secret; });
    if (secret == kind.members.end() || !(adding || edit.asks_secret || edit.secret_on_stdin)) return {};
    const std::string of = adding ? kind.name_of(edit.body) : edit.object;
    const auto password =
        read_password(context.console, "New password of " + of + ": ", edit.secret_on_stdin);
    if (!password) return tl::unexpected(password.error());
    edit.body[secret->field] = *password;
    return {};
}

// A list of files is given in part: those of CURRENT that it does not name stay.
void merge_files(const Kind& kind, const json& current, json& body) {
    for (const auto& member : kind.members) {
        if (member.type != ValueType::files || !body.contains(member.field)) continue;
        json merged = json::array();
        const auto named = [&body, &member](const json& file) {
            return std::any_of(body[member.field].begin(), body[member.field].end(),
                               [&file](const json& given) { return given["name"] == file["name"]; });
        };
        for (const auto& file : current.value(member.field, json::array()))
            if (!named(file)) merged.push_back(file);
        for (const auto& file : body[member.field])
            if (!file["content"].is_null()) merged.push_back(file);
        body[member.field] = merged;
    }
}

OrFailure<void> add_object(Context& context, Session& session, const Kind& kind, Edit& edit) {
    if (auto asked = add_secret(context, kind, edit, true); !asked) return asked;
    if (auto resolved = resolve_references(session, kind, edit.body); !resolved) return resolved;
    merge_files(kind, json::object(), edit.body);
    const auto made = session.post(kind.path, edit.body);
    if (!made) return tl::unexpected(by_options(made.error(), kind, true));
    const std::string name = kind.name_of(*made);
    std::string sentence = "added the " + kind.title + " " + name;
    if (kind.noun == "machine") {
        const std::string ip = plain_text(*made, "ip");
        sentence = "registered " + name + " (" + plain_text(*made, "mac") + ")" +
                   (ip == "-" ? ", which has no address yet" : " with the address " + ip);
    }
    if (const std::string secret = plain_text(*made, "client_secret"); secret != "-")
        sentence += "; its secret, shown this once: " + secret;
    context.print_done(*made, sentence, name);
    return {};
}

OrFailure<void> set_object(Context& context, Session& session, const Kind& kind, Edit& edit) {
    if (auto asked = add_secret(context, kind, edit, false); !asked) return asked;
    if (edit.body.empty())
        return failure(ExitCode::usage,
                       "nothing to change was named; see rousectl " + kind.noun + " set --help");
    const auto id = kind.single ? OrFailure<std::string>("") : find_id(session, kind, edit.object);
    if (!id) return tl::unexpected(id.error());
    if (auto resolved = resolve_references(session, kind, edit.body); !resolved) return resolved;
    const bool has_files = std::any_of(kind.members.begin(), kind.members.end(), [&edit](const Member& m) {
        return m.type == ValueType::files && edit.body.contains(m.field) && edit.body[m.field].is_array();
    });
    if (has_files) {
        const auto current = session.get(kind.path_of(*id));
        if (!current) return tl::unexpected(current.error());
        merge_files(kind, *current, edit.body);
    }
    const auto changed = session.patch(kind.path_of(*id), edit.body);
    if (!changed) return tl::unexpected(by_options(changed.error(), kind, false));
    const std::string name = kind.name_of(*changed);
    context.print_done(*changed, "changed the " + kind.title + (kind.single ? "" : " " + name), name);
    return {};
}

void add_unset(CLI::App& command, Context& context, const Kind& kind, const std::shared_ptr<Edit>& edit) {
    const auto unset = [edit, &kind](const Texts& names) {
        for (const auto& name : names) {
            const auto member =
                std::find_if(kind.members.begin(), kind.members.end(),
                             [&name](const Member& m) { return m.field == name || m.flag() == "--" + name; });
            if (member == kind.members.end())
                throw CLI::ValidationError("--unset", "\"" + name + "\" is no option of this command");
            edit->body[member->field] = nullptr;
        }
    };
    Suggestion names;
    for (const auto& member : kind.members)
        if (!member.is_position() && member.type != ValueType::secret)
            names.words.push_back(member.flag().substr(2));
    context.suggest(
        command
            .add_option_function<Texts>(
                "--unset", unset, "OPTION, without its dashes, that is to have no value; may be repeated")
            ->expected(1)
            ->take_all(),
        names);
}

}  // namespace

void add_edits(CLI::App& group, Context& context, const Kind& kind) {
    if (kind.can(Verb::add)) {
        auto* adding = group.add_subcommand("add", "Add a " + kind.title);
        adding->alias("create");
        const auto edit = std::make_shared<Edit>();
        add_members(*adding, context, kind, edit, true);
        context.act_with_session(*adding, [&context, &kind, edit](Session& session) {
            return add_object(context, session, kind, *edit);
        });
    }
    if (!kind.can(Verb::set)) return;
    auto* setting = group.add_subcommand(
        "set", kind.single ? "Change the " + kind.title : "Change what is named of a " + kind.title);
    setting->alias("patch");
    const auto edit = std::make_shared<Edit>();
    if (!kind.single) {
        context.suggest(setting->add_option(kind.position(), edit->object, "its name or id")->required(),
                        {{}, kind.noun});
    }
    add_members(*setting, context, kind, edit, false);
    if (!kind.single) add_unset(*setting, context, kind, edit);
    context.act_with_session(*setting, [&context, &kind, edit](Session& session) {
        return set_object(context, session, kind, *edit);
    });
}

}  // namespace rouse::cli
