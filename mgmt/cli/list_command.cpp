// list and show, the same for every kind.

#include "mgmt/cli/command.hpp"
#include "mgmt/http/uri.hpp"

#include <algorithm>
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace rouse::cli {
namespace {

using nlohmann::json;

struct Asked {
    std::vector<std::pair<std::string, std::string>> filters;  // fields and values, before names became ids
    std::string sort;
    std::size_t limit = std::numeric_limits<std::size_t>::max();
    std::vector<std::string> columns;
    bool watch = false;
    unsigned timeout_seconds = 0;
};

// The kind whose objects FIELD names by id; null when it is no such field.
const Kind* referred_by(const Kind& kind, const std::string& field) {
    std::string noun;
    for (const auto& filter : kind.filters)
        if (filter.field == field) noun = filter.refers;
    if (const Member* member = kind.find(field); member != nullptr) noun = member->refers;
    const Kind* found = noun.empty() ? nullptr : find_kind(noun);
    return found != nullptr && found->sent_by_id ? found : nullptr;
}

OrFailure<std::string> query_of(Session& session, const Kind& kind, const Asked& asked) {
    std::string query;
    for (const auto& [field, value] : asked.filters) {
        std::string wanted = value;
        if (const Kind* referred = referred_by(kind, field); referred != nullptr) {
            auto id = find_id(session, *referred, value);
            if (!id) return id;
            wanted = std::move(*id);
        }
        query += "&" + http::percent_encode(field) + "=" + http::percent_encode(wanted);
    }
    if (!asked.sort.empty()) query += "&sort=" + http::percent_encode(asked.sort, ",");
    if (!query.empty()) query[0] = '?';
    return query;
}

// What to show of each object. Clusters and pools are told by their names.
OrFailure<std::vector<Column>> columns_of(Context& context, Session& session, const Kind& kind,
                                          const Asked& asked) {
    std::vector<Column> columns = kind.columns;
    if (!asked.columns.empty()) {
        columns.clear();
        for (const auto& field : asked.columns) columns.push_back(column(upper_case(field), field));
    }
    if (!context.is_for_people()) return columns;
    for (Column& one : columns) {
        if (one.wide && context.format != Format::wide) continue;
        const Kind* referred = referred_by(kind, one.member);
        if (referred == nullptr) continue;
        auto names = names_by_id(session, *referred);
        if (!names) return tl::unexpected(names.error());
        one.text = [names = std::move(*names), text = one.text](const json& object) {
            const auto name = names.find(text(object));
            return name == names.end() ? text(object) : name->second;
        };
    }
    return columns;
}

// Names in place of the ids by which OBJECT refers to others, as far as they can be had.
void name_references(Session& session, const Kind& kind, json& object) {
    for (const auto& [field, value] : object.items()) {
        const Kind* referred = value.is_string() ? referred_by(kind, field) : nullptr;
        if (referred == nullptr) continue;
        if (const auto found = session.get(referred->path_of(value.get<std::string>())))
            value = referred->name_of(*found);
    }
}

OrFailure<void> list_kind(Context& context, Session& session, const Kind& kind, const Asked& asked) {
    const auto query = query_of(session, kind, asked);
    if (!query) return tl::unexpected(query.error());
    const auto columns = columns_of(context, session, kind, asked);
    if (!columns) return tl::unexpected(columns.error());
    const auto read = [&session, path = kind.path + *query, limit = asked.limit] {
        return session.get_list(path, limit);
    };
    if (asked.watch) return watch(context, {read, *columns, asked.timeout_seconds});
    const auto objects = read();
    if (!objects) return tl::unexpected(objects.error());
    context.print_list(*columns, *objects);
    return {};
}

// Fields that lists may be filtered by and sorted by, and that columns may show.
std::vector<std::string> fields_of(const Kind& kind) {
    std::vector<std::string> fields = kind.fields;
    const auto add = [&fields](const std::string& field) {
        if (std::find(fields.begin(), fields.end(), field) == fields.end()) fields.push_back(field);
    };
    for (const auto& member : kind.members)
        if (member.type != ValueType::secret) add(member.field);
    for (const char* always : {"id", "created_at", "updated_at"}) add(always);
    return fields;
}

void add_filters(CLI::App& command, Context& context, const Kind& kind, const std::shared_ptr<Asked>& asked) {
    for (const auto& filter : kind.filters) {
        auto* option = command.add_option_function<std::string>(
            filter.option,
            [asked, field = filter.field](const std::string& value) {
                asked->filters.emplace_back(field, value);
            },
            filter.help);
        context.suggest(option, {filter.words, filter.refers});
    }
    const auto add_pairs = [asked](const std::vector<std::string>& pairs) {
        for (const auto& pair : pairs) {
            const auto equals = pair.find('=');
            if (equals == 0 || equals == std::string::npos)
                throw CLI::ValidationError("--filter",
                                           "\"" + pair + "\" is not FIELD=VALUE, such as status=ACTIVE");
            asked->filters.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
        }
    };
    Suggestion fields;
    for (const auto& field : fields_of(kind)) fields.words.push_back(field + "=");
    context.suggest(command
                        .add_option_function<std::vector<std::string>>(
                            "--filter", add_pairs, "FIELD=VALUE, only those; may be repeated, all must match")
                        ->expected(1)
                        ->take_all(),
                    fields);
}

}  // namespace

void add_list(CLI::App& group, Context& context, const Kind& kind) {
    auto* command = group.add_subcommand("list", "List " + kind.title + "s");
    command->alias("ls");
    const auto asked = std::make_shared<Asked>();
    add_filters(*command, context, kind, asked);
    const Suggestion fields{fields_of(kind)};
    context.suggest(command->add_option("--sort", asked->sort,
                                        "order by these fields, with commas between; -FIELD: the last first"),
                    fields);
    command->add_option("--limit", asked->limit, "at most so many")
        ->check(CLI::PositiveNumber)
        ->default_str("");
    context.suggest(command->add_option("--columns", asked->columns, "show these fields, with commas between")
                        ->delimiter(',')
                        ->expected(1)
                        ->take_all(),
                    fields);
    auto* watching = command->add_flag("-w,--watch", asked->watch, "show it again as it changes");
    command->add_option("--timeout", asked->timeout_seconds, "watch for so many seconds")
        ->needs(watching)
        ->default_str("");
    context.act_with_session(*command, [&context, &kind, asked](Session& session) {
        return list_kind(context, session, kind, *asked);
    });
}

void add_show(CLI::App& group, Context& context, const Kind& kind) {
    auto* command = group.add_subcommand(
        "show", kind.single ? "Show the " + kind.title : "Show all that is known of a " + kind.title);
    command->alias("get");
    const auto name = std::make_shared<std::string>();
    if (!kind.single)
        context.suggest(command->add_option(kind.position(), *name, "its name or id")->required(),
                        {{}, kind.noun});
    context.act_with_session(*command, [&context, &kind, name](Session& session) -> OrFailure<void> {
        const auto id = kind.single ? OrFailure<std::string>("") : find_id(session, kind, *name);
        if (!id) return tl::unexpected(id.error());
        auto object = session.get(kind.path_of(*id));
        if (!object) return tl::unexpected(object.error());
        if (context.is_for_people()) name_references(session, kind, *object);
        context.print_object(*object, kind.name_of(*object), kind.fields);
        return {};
    });
}

}  // namespace rouse::cli
