#include "mgmt/cli/help.hpp"

#include <algorithm>

#include <CLI/CLI.hpp>

namespace rouse::cli {
namespace {

constexpr std::size_t kWidth = 80;
constexpr std::size_t kColumn = 28;  // where descriptions begin

// TEXT's words, from COLUMN of a line that has been begun on; further lines begin at INDENT.
std::string wrapped(const std::string& text, std::size_t column, std::size_t indent) {
    std::string out;
    bool fresh = true;
    for (std::size_t begin = 0; begin < text.size();) {
        const auto end = std::min(text.find(' ', begin), text.size());
        const std::string word = text.substr(begin, end - begin);
        begin = end + 1;
        if (word.empty()) continue;
        if (!fresh && column + 1 + word.size() > kWidth) {
            out += "\n" + std::string(indent, ' ');
            column = indent;
            fresh = true;
        }
        out += fresh ? word : " " + word;
        column += word.size() + (fresh ? 0 : 1);
        fresh = false;
    }
    return out;
}

// "  --gateway TEXT            its router"
std::string entry(const std::string& name, const std::string& description) {
    std::string out = "  " + name;
    if (description.empty()) return out + "\n";
    out +=
        out.size() + 2 > kColumn ? "\n" + std::string(kColumn, ' ') : std::string(kColumn - out.size(), ' ');
    return out + wrapped(description, kColumn, kColumn) + "\n";
}

// "UINT:POSITIVE" says to programmers what NUMBER says to everybody.
std::string type_of(const CLI::Option& option) {
    const std::string whole = option.get_type_name();
    std::string name = whole.substr(0, whole.find(':'));
    return name == "UINT" || name == "INT" ? "NUMBER" : name;
}

class HelpFormatter final : public CLI::Formatter {
  public:
    std::string make_option(const CLI::Option* option, bool is_position) const override {
        std::string name = make_option_name(option, is_position);
        std::replace(name.begin(), name.end(), ',', ' ');
        if (!is_position && option->get_type_size() != 0) name += " " + type_of(*option);
        if (option->get_items_expected_max() >= CLI::detail::expected_max_vector_size) name += "...";
        return entry(name, option->get_description());
    }
    std::string make_subcommand(const CLI::App* command) const override {
        std::string name = command->get_name();
        for (const auto& alias : command->get_aliases()) name += ", " + alias;
        return entry(name, command->get_description());
    }
    std::string make_description(const CLI::App* app) const override {
        return wrapped(app->get_description(), 0, 0) + "\n\n";
    }
    std::string make_footer(const CLI::App* app) const override {
        std::string footer = app->get_footer();
        const bool is_leaf = app->get_subcommands([](const CLI::App*) { return true; }).empty();
        if (!footer.empty()) footer += "\n";
        return is_leaf ? footer + "Everywhere: -o FORMAT, --context NAME; see rousectl --help.\n" : footer;
    }
    std::string make_usage(const CLI::App* app, std::string name) const override {
        return wrapped(CLI::Formatter::make_usage(app, std::move(name)), 0, 7);
    }
};

// PARENT: the words before the command's own.
void describe(const CLI::App& app, const std::string& parent, std::string& out) {
    const std::string name = parent.empty() ? app.get_name() : parent + " " + app.get_name();
    const auto commands = app.get_subcommands([](const CLI::App* c) { return !c->get_group().empty(); });
    if (commands.empty() || parent.empty()) out += "\n### " + name + "\n\n```\n" + app.help(parent) + "```\n";
    for (const auto* command : commands) describe(*command, name, out);
}

}  // namespace

std::shared_ptr<CLI::FormatterBase> help_formatter() {
    auto formatter = std::make_shared<HelpFormatter>();
    formatter->label("Positionals", "Arguments");
    formatter->label("SUBCOMMAND", "COMMAND");
    return formatter;
}

std::string reference(const CLI::App& app) {
    std::string out;
    describe(app, "", out);
    return out;
}

}  // namespace rouse::cli
