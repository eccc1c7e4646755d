#include "mgmt/cli/completion.hpp"

#include "mgmt/cli/completion_scripts.hpp"

#include <algorithm>
#include <memory>
#include <ostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace rouse::cli {
namespace {

using nlohmann::json;

constexpr long kPatienceSeconds = 2;

// Where in the command line the cursor is.
struct Place {
    const CLI::App* app;
    const CLI::Option* option = nullptr;  // whose value is being written
    bool more = false;                    // it may have had its values already
    std::size_t position = 0;
};

bool is_vector(const CLI::Option& option) {
    return option.get_items_expected_max() >= CLI::detail::expected_max_vector_size;
}

const CLI::Option* find_option(const CLI::App* app, const std::string& name) {
    for (; app != nullptr; app = app->get_parent())
        if (const auto* option = app->get_option_no_throw(name); option != nullptr) return option;
    return nullptr;
}

const CLI::App* find_subcommand(const CLI::App& app, const std::string& name) {
    for (const auto* command : app.get_subcommands({}))
        if (command->check_name(name)) return command;
    return nullptr;
}

// WORDS without the one that is being written.
Place walk(const CLI::App& app, const std::vector<std::string>& words) {
    Place place{&app};
    for (const auto& word : words) {
        if (word.starts_with('-') && word.size() > 1) {
            const auto* option = find_option(place.app, word);
            const bool takes = option != nullptr && option->get_items_expected_max() > 0;
            place.option = takes ? option : nullptr;
            place.more = false;
        } else if (place.option != nullptr) {
            place.more = is_vector(*place.option);
            if (!place.more) place.option = nullptr;
        } else if (const auto* command = find_subcommand(*place.app, word); command != nullptr) {
            place.app = command;
        } else {
            ++place.position;
        }
    }
    return place;
}

class Completer {
  public:
    Completer(Context& context, std::string word) : context_(context), word_(std::move(word)) {}

    void run(const Place& place) {
        const auto equals = word_.find('=');
        if (place.option != nullptr) values(*place.option);
        if (place.option != nullptr && !place.more) return;
        if (word_.starts_with("--") && equals != word_.npos) {
            const auto* option = find_option(place.app, word_.substr(0, equals));
            stem_ = word_.substr(0, equals + 1);
            word_.erase(0, equals + 1);
            if (option != nullptr) values(*option);
        } else if (word_.starts_with('-')) {
            options(place.app);
        } else {
            commands(*place.app);
            positions(place);
        }
    }

  private:
    void offer(const std::string& candidate, const std::string& description = {}) {
        if (candidate.starts_with(word_))
            context_.console.out << stem_ << candidate << '\t' << description << '\n';
    }

    void options(const CLI::App* app) {
        for (; app != nullptr; app = app->get_parent())
            for (const auto* option :
                 app->get_options([](const CLI::Option* o) { return o->nonpositional(); }))
                for (const auto& name : option->get_lnames()) offer("--" + name, option->get_description());
    }

    void commands(const CLI::App& app) {
        for (const auto* command : app.get_subcommands({}))
            if (!command->get_group().empty()) offer(command->get_name(), command->get_description());
    }

    void positions(const Place& place) {
        const auto all = place.app->get_options([](const CLI::Option* o) { return o->get_positional(); });
        if (all.empty()) return;
        if (place.position < all.size())
            values(*all[place.position]);
        else if (is_vector(*all.back()))
            values(*all.back());
    }

    void values(const CLI::Option& option) {
        const auto found = context_.suggestions.find(&option);
        if (found == context_.suggestions.end()) return;
        const Suggestion& suggestion = found->second;
        if (suggestion.file) context_.console.out << ":file\t\n";
        words(suggestion.words);
        if (suggestion.noun == "context")
            contexts();
        else if (const Kind* kind = find_kind(suggestion.noun); kind != nullptr)
            names(*kind);
    }

    // "a,b,": what is before the last comma is done.
    void words(const std::vector<std::string>& candidates) {
        if (candidates.empty()) return;
        const auto comma = word_.rfind(',');
        if (comma != word_.npos) {
            stem_ += word_.substr(0, comma + 1);
            word_.erase(0, comma + 1);
        }
        for (const auto& candidate : candidates) offer(candidate);
    }

    void contexts() {
        const auto config = load_config(context_.environment.config_dir);
        if (!config) return;
        for (const auto& [name, saved] : config->contexts) offer(name, saved.url);
    }

    void names(const Kind& kind) {
        auto session = Session::open(context_.environment);
        if (!session) return;
        session->wait_at_most(kPatienceSeconds);
        const auto objects = session->get_list(kind.path);
        if (!objects) return;
        const bool by_mac = kind.noun == "machine" && word_.find(':') != word_.npos;
        for (const auto& object : *objects) {
            const std::string name = by_mac ? plain_text(object, "mac") : kind.name_of(object);
            if (name != "-") offer(name, kind.noun);
        }
    }

    Context& context_;
    std::string word_;
    std::string stem_;  // what of the word is complete
};

}  // namespace

void complete(const CLI::App& app, Context& context, const std::vector<std::string>& words) {
    if (words.empty()) return;
    const auto place = walk(app, {words.begin(), words.end() - 1});
    Completer(context, words.back()).run(place);
}

void add_completion(CLI::App& app, Context& context) {
    auto* command = app.add_subcommand("completion", "Print the script that lets a shell complete rousectl");
    command->footer(
        "For this shell: source <(rousectl completion bash). For all to come, put it\n"
        "into /etc/bash_completion.d/rousectl, or for zsh as _rousectl into a directory\n"
        "of its fpath.");
    const auto shell = std::make_shared<std::string>();
    context.suggest(command->add_option("SHELL", *shell, "bash or zsh")
                        ->required()
                        ->check(CLI::IsMember({"bash", "zsh"})),
                    {{"bash", "zsh"}});
    command->callback([&context, shell] {
        context.action = [&context, shell]() -> OrFailure<void> {
            context.console.out << (*shell == "bash" ? kBashCompletion : kZshCompletion);
            return {};
        };
    });
}

}  // namespace rouse::cli
