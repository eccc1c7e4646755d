// apply: objects as a file says. Those that are there are changed where they differ, those that are not are
// added; nothing is deleted.

#include "mgmt/cli/command.hpp"
#include "mgmt/cli/yaml.hpp"

#include <algorithm>
#include <memory>
#include <ostream>
#include <set>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace rouse::cli {
namespace {

using nlohmann::json;

struct Wanted {
    const Kind* kind;
    json fields;
    std::string name;
};

tl::unexpected<Failure> bad(const std::string& where, const std::string& detail) {
    return failure(ExitCode::usage, where + " " + detail);
}

std::string lower_case(std::string text) {
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return text;
}

// By noun or by the API's name: pool, IpPool.
const Kind* kind_called(const std::string& name) {
    const auto found =
        std::find_if(kinds().begin(), kinds().end(), [wanted = lower_case(name)](const Kind& k) {
            return k.noun == wanted || lower_case(k.schema) == wanted;
        });
    return found == kinds().end() ? nullptr : &*found;
}

OrFailure<Wanted> understand(json object, const std::string& where) {
    if (!object.is_object() || !object.contains("kind") || !object["kind"].is_string())
        return bad(where, "is no object with a kind, such as kind: machine");
    const std::string called = object["kind"];
    const Kind* kind = kind_called(called);
    if (kind == nullptr || !kind->can(Verb::set))
        return bad(where, "has the kind " + called + ", which cannot be applied");
    object.erase("kind");
    Wanted wanted{kind, json::object(), kind->noun};
    for (const auto& [field, value] : object.items()) {
        const bool shown_only =
            std::find(kind->fields.begin(), kind->fields.end(), field) != kind->fields.end();
        if (kind->find(field) != nullptr)
            wanted.fields[field] = value;
        else if (field != "id" && field != "created_at" && field != "updated_at" && !shown_only)
            return bad(where, "has the field " + field + ", which a " + kind->title + " does not have");
    }
    if (kind->single) return wanted;
    const auto& key = kind->names.front();
    if (!wanted.fields.contains(key) || !wanted.fields[key].is_string())
        return bad(where, "does not say its " + key);
    wanted.name = wanted.fields[key];
    return wanted;
}

OrFailure<std::vector<Wanted>> read_file(Context& context, const std::string& path) {
    const auto text = read_input(context.console, path);
    if (!text) return tl::unexpected(text.error());
    const std::string where = path == "-" ? "standard input" : path;
    auto documents = from_yaml(*text);
    if (!documents) return failure(ExitCode::usage, where + ": " + documents.error().message);
    std::vector<Wanted> all;
    for (auto& document : *documents) {
        if (!document.is_array()) document = json::array({std::move(document)});
        for (auto& object : document) {
            auto wanted = understand(std::move(object), where + ": object " + std::to_string(all.size() + 1));
            if (!wanted) return tl::unexpected(wanted.error());
            all.push_back(std::move(*wanted));
        }
    }
    if (all.empty()) return failure(ExitCode::usage, where + " holds no objects");
    return all;
}

// What of WANTED is not so in CURRENT, as a merge-patch.
json difference(const json& current, const json& wanted) {
    json patch = json::object();
    for (const auto& [field, value] : wanted.items()) {
        const json now = current.value(field, json());
        if (now == value) continue;
        patch[field] = value;
        if (!now.is_object() || !value.is_object()) continue;
        for (const auto& [key, old] : now.items())
            if (!value.contains(key)) patch[field][key] = nullptr;
    }
    return patch;
}

class Applier {
  public:
    Applier(Context& context, Session& session, bool dry) : context_(context), session_(session), dry_(dry) {}

    OrFailure<void> apply(const Wanted& wanted) {
        json fields = wanted.fields;
        if (auto resolved = resolve(*wanted.kind, fields); !resolved) return resolved;
        const auto current = find(wanted);
        if (!current) return tl::unexpected(current.error());
        const bool is_new = current->is_null();
        const json patch = is_new ? fields : difference(*current, fields);
        OrFailure<json> done{json()};
        if (!dry_ && is_new) done = session_.post(wanted.kind->path, fields);
        if (!dry_ && !is_new && !patch.empty())
            done = session_.patch(wanted.kind->path_of(plain_text(*current, "id")), patch);
        if (!done) {
            Failure why = done.error();
            why.message = wanted.kind->title + " " + wanted.name + ": " + why.message;
            return tl::unexpected(std::move(why));
        }
        if (is_new) made_.insert(wanted.kind->noun + " " + wanted.name);
        tell(wanted,
             is_new          ? "added"
             : patch.empty() ? "unchanged"
                             : "changed",
             is_new ? json::object() : patch);
        return {};
    }
    [[nodiscard]] const json& results() const { return results_; }

  private:
    // References to what this very run would have made cannot be looked up when it is dry.
    OrFailure<void> resolve(const Kind& kind, json& fields) {
        json known = fields;
        for (const auto& member : kind.members) {
            const auto value = fields.find(member.field);
            if (dry_ && value != fields.end() && value->is_string() &&
                made_.contains(member.refers + " " + value->get<std::string>()))
                known.erase(member.field);
        }
        if (auto resolved = resolve_references(session_, kind, known); !resolved) return resolved;
        fields.update(known);
        return {};
    }

    // The object as it is; null when there is none.
    OrFailure<json> find(const Wanted& wanted) {
        if (wanted.kind->single) return session_.get(wanted.kind->path);
        const auto id = find_id(session_, *wanted.kind, wanted.name);
        if (id) return session_.get(wanted.kind->path_of(*id));
        if (id.error().code == ExitCode::not_found) return json();
        return tl::unexpected(id.error());
    }

    void tell(const Wanted& wanted, const std::string& what, const json& patch) {
        std::string fields;
        for (const auto& [field, value] : patch.items()) fields += (fields.empty() ? "" : ",") + field;
        results_.push_back({{"kind", wanted.kind->noun}, {"name", wanted.name}, {"result", what}});
        if (context_.is_for_people())
            context_.console.out << wanted.kind->title << " "
                                 << (wanted.kind->single ? "" : wanted.name + " ")
                                 << (dry_ && what != "unchanged" ? "would be " : "") << what
                                 << (fields.empty() ? "" : " (" + fields + ")") << std::endl;
        else if (context_.format == Format::name)
            context_.console.out << wanted.name << std::endl;
    }

    Context& context_;
    Session& session_;
    bool dry_;
    std::set<std::string> made_;  // "cluster edge"
    json results_ = json::array();
};

OrFailure<void> apply(Context& context, Session& session, const std::string& path, bool dry) {
    const auto all = read_file(context, path);
    if (!all) return tl::unexpected(all.error());
    Applier applier(context, session, dry);
    OrFailure<void> result;
    for (const auto& wanted : *all) {
        result = applier.apply(wanted);
        if (!result) break;
    }
    static_cast<void>(context.print_data(applier.results()));
    if (!result && applier.results().size() > 0) {
        Failure why = result.error();
        why.message += "\nthe " + std::to_string(applier.results().size()) + " of " +
                       std::to_string(all->size()) +
                       " objects before it are done; mend it and apply the file again";
        return tl::unexpected(std::move(why));
    }
    return result;
}

}  // namespace

void add_apply(CLI::App& app, Context& context) {
    auto* command =
        app.add_subcommand("apply", "Add or change objects as a file of YAML or JSON says, in its order");
    command->footer(
        "Each object says its kind (machine, cluster, pool, profile, user, dhcp-config,\n"
        "tftp-config) and fields as the API names them; its name decides whether it is\n"
        "added or changed. Nothing is deleted.");
    struct Options {
        std::string file;
        bool dry = false;
    };
    const auto options = std::make_shared<Options>();
    context.suggest(command->add_option("-f,--file", options->file, "the file; - is standard input")
                        ->required()
                        ->type_name("FILE"),
                    {.file = true});
    command->add_flag("--dry-run", options->dry, "only say what would be done");
    context.act_with_session(*command, [&context, options](Session& session) {
        return apply(context, session, options->file, options->dry);
    });
}

}  // namespace rouse::cli
