#include "mgmt/boot/cmdline.hpp"

#include <algorithm>
#include <array>
#include <sstream>

#include <kainjow/mustache.hpp>

namespace rouse::boot {
namespace {

namespace mustache = kainjow::mustache;

struct Variable {
    const char* name;
    std::string CmdlineValues::*member;
};
constexpr auto kVariables = std::to_array<Variable>({{"hostname", &CmdlineValues::hostname},
                                                     {"mac", &CmdlineValues::mac},
                                                     {"ip", &CmdlineValues::ip},
                                                     {"netmask", &CmdlineValues::netmask},
                                                     {"gateway", &CmdlineValues::gateway},
                                                     {"cluster", &CmdlineValues::cluster},
                                                     {"url", &CmdlineValues::url},
                                                     {"token", &CmdlineValues::token}});

// The values, and a note of every name asked for that is not among them: mustache itself renders those as
// nothing, and a typing error would only show as a machine that does not boot.
class Context : public mustache::context<std::string> {
  public:
    explicit Context(const mustache::data* values) : mustache::context<std::string>(values) {}

    const mustache::data* get(const std::string& name) const override {
        const auto* found = mustache::context<std::string>::get(name);
        if (found == nullptr && unknown.empty()) unknown = name;
        return found;
    }
    const mustache::data* get_partial(const std::string& name) const override {
        if (unknown.empty()) unknown = "> " + name;
        return nullptr;
    }
    mutable std::string unknown;
};

mustache::data to_data(const CmdlineValues& values) {
    mustache::data data{mustache::data::type::object};
    for (const auto& variable : kVariables) {
        const std::string& value = values.*variable.member;
        // An empty one is false, so that a section around it disappears.
        if (value.empty())
            data.set(variable.name, mustache::data{mustache::data::type::bool_false});
        else
            data.set(variable.name, value);
    }
    return data;
}

std::string known_names() {
    std::string names;
    for (const auto& variable : kVariables) names += std::string(names.empty() ? "" : ", ") + variable.name;
    return names;
}

Result<void> check_words(std::string_view text) {
    if (std::any_of(text.begin(), text.end(),
                    [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }))
        return fail("must be one line without control characters");
    std::istringstream words{std::string(text)};
    for (std::string word; words >> word;)
        if (word == "||" || word == "&&" || word == ";" || word.starts_with('#'))
            return fail("must not hold the word \"" + word + "\", which iPXE would take for its own syntax");
    return {};
}

}  // namespace

Result<void> check_cmdline(std::string_view text) {
    CmdlineValues sample;
    for (const auto& variable : kVariables) sample.*variable.member = "x";
    const auto rendered = render_cmdline(text, sample);
    if (!rendered) return tl::unexpected(rendered.error());
    return {};
}

Result<std::string> render_cmdline(std::string_view text, const CmdlineValues& values) {
    if (auto checked = check_words(text); !checked) return tl::unexpected(checked.error());
    mustache::mustache parsed{std::string(text)};
    if (!parsed.is_valid()) return fail("is not a mustache template: " + parsed.error_message());
    parsed.set_custom_escape([](const std::string& value) { return value; });  // no HTML here
    const auto data = to_data(values);
    Context context(&data);
    std::string rendered = parsed.render(context);
    if (!context.unknown.empty())
        return fail("uses {{" + context.unknown + "}}, which no machine has; known are " + known_names());
    if (auto checked = check_words(rendered); !checked) return tl::unexpected(checked.error());
    return rendered;
}

}  // namespace rouse::boot
