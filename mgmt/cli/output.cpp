// The one place where results are printed.

#include "mgmt/cli/command.hpp"
#include "mgmt/cli/yaml.hpp"

#include <map>
#include <ostream>

#include <nlohmann/json.hpp>

namespace rouse::cli {

using nlohmann::json;

TableStyle Context::style() const {
    return {.width = format == Format::wide ? 0 : console.width, .colours = console.colours};
}

bool Context::print_data(const json& object) {
    if (format == Format::json) console.out << object.dump(2) << '\n';
    if (format == Format::yaml) console.out << to_yaml(object);
    return format == Format::json || format == Format::yaml;
}

void Context::print_list(const std::vector<Column>& columns, const json& objects) {
    if (print_data(objects)) return;
    if (format == Format::name) {
        std::map<std::string, int> times;
        for (const auto& object : objects) ++times[columns.front().text(object)];
        for (const auto& object : objects) {
            const std::string name = columns.front().text(object);
            console.out << (times[name] > 1 && object.contains("id") ? plain_text(object, "id") : name)
                        << '\n';
        }
        return;
    }
    std::vector<Column> shown;
    for (const auto& column : columns)
        if (!column.wide || format == Format::wide) shown.push_back(column);
    print_table(console.out, shown, objects, style());
}

void Context::print_object(const json& object, const std::string& name,
                           const std::vector<std::string>& first) {
    if (print_data(object)) return;
    if (format == Format::name)
        console.out << name << '\n';
    else
        print_members(console.out, object, first);
}

void Context::print_done(const json& object, const std::string& sentence, const std::string& name) {
    if (print_data(object)) return;
    console.out << (format == Format::name && !name.empty() ? name : sentence) << '\n';
}

}  // namespace rouse::cli
