#include "mgmt/boot/template.hpp"

#include <array>

#include <kainjow/mustache.hpp>

namespace rouse::boot {
namespace {

namespace mustache = kainjow::mustache;

struct Variable {
    const char* name;
    std::string MachineValues::*member;
};
// "mac-dashes" as in a loader's name, see dataplane/dhcp/boot_file.hpp.
constexpr auto kVariables = std::to_array<Variable>({{"hostname", &MachineValues::hostname},
                                                     {"mac", &MachineValues::mac},
                                                     {"mac-dashes", &MachineValues::mac_dashes},
                                                     {"ip", &MachineValues::ip},
                                                     {"netmask", &MachineValues::netmask},
                                                     {"gateway", &MachineValues::gateway},
                                                     {"cluster", &MachineValues::cluster},
                                                     {"profile", &MachineValues::profile},
                                                     {"server", &MachineValues::server},
                                                     {"url", &MachineValues::url},
                                                     {"token", &MachineValues::token}});

// The values, and a note of every name asked for: mustache itself renders unknown ones as nothing, and a
// typing error would only show as a machine that does not boot.
class Context : public mustache::context<std::string> {
  public:
    explicit Context(const mustache::data* values) : mustache::context<std::string>(values) {}

    const mustache::data* get(const std::string& name) const override {
        const auto* found = mustache::context<std::string>::get(name);
        if (found == nullptr && unknown.empty()) unknown = name;
        used = true;
        return found;
    }
    const mustache::data* get_partial(const std::string& name) const override {
        if (unknown.empty()) unknown = "> " + name;
        return nullptr;
    }
    mutable std::string unknown;
    mutable bool used = false;
};

mustache::data to_data(const MachineValues& values) {
    mustache::data data{mustache::data::type::object};
    for (const auto& variable : kVariables) {
        const std::string& value = values.*variable.member;
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

MachineValues sample() {
    MachineValues values;
    for (const auto& variable : kVariables) values.*variable.member = "x";
    return values;
}

Result<std::string> render(std::string_view text, const MachineValues& values, bool& used) {
    mustache::mustache parsed{std::string(text)};
    if (!parsed.is_valid()) return fail("is not a mustache template: " + parsed.error_message());
    parsed.set_custom_escape([](const std::string& value) { return value; });
    const auto data = to_data(values);
    Context context(&data);
    std::string rendered = parsed.render(context);
    used = context.used;
    if (!context.unknown.empty())
        return fail("uses {{" + context.unknown + "}}, which no machine has; known are " + known_names());
    return rendered;
}

}  // namespace

Result<void> check_template(std::string_view text) {
    const auto rendered = render_template(text, sample());
    if (!rendered) return tl::unexpected(rendered.error());
    return {};
}

Result<std::string> render_template(std::string_view text, const MachineValues& values) {
    bool used = false;
    return render(text, values, used);
}

bool is_same_for_all(std::string_view text) {
    bool used = false;
    return render(text, sample(), used) && !used;
}

}  // namespace rouse::boot
