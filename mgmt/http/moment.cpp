#include "mgmt/http/moment.hpp"

#include <algorithm>
#include <cstdlib>
#include <ctime>

namespace rouse::http {
namespace {

// Whether TEXT begins with what FORM shows, where 0 is any digit.
bool begins_like(std::string_view text, std::string_view form) {
    return text.size() >= form.size() &&
           std::equal(form.begin(), form.end(), text.begin(),
                      [](char f, char t) { return f == '0' ? t >= '0' && t <= '9' : t == f; });
}

}  // namespace

std::optional<std::uint64_t> parse_moment(const std::string& text) {
    std::tm utc{};
    if (!begins_like(text, "0000-00-00T00:00:00") ||
        ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &utc) == nullptr)
        return std::nullopt;
    std::tm minute = utc;
    minute.tm_sec = 0;
    ::timegm(&minute);
    if (minute.tm_mday != utc.tm_mday) return std::nullopt;  // 30 February
    std::int64_t millis = std::int64_t{::timegm(&utc)} * 1000;
    std::string_view rest = std::string_view(text).substr(19);
    if (begins_like(rest, ".0")) {
        rest.remove_prefix(1);
        for (int scale = 100; begins_like(rest, "0"); scale /= 10, rest.remove_prefix(1))
            millis += (rest[0] - '0') * scale;
    }
    if (rest.size() == 6 && std::string_view("+- ").find(rest[0]) != std::string_view::npos &&
        begins_like(rest.substr(1), "00:00")) {
        const int offset = std::atoi(rest.data() + 1) * 60 + std::atoi(rest.data() + 4);
        millis +=
            (rest[0] == '-' ? 1 : -1) * std::int64_t{offset} * 60'000;  // a bare + in a query is a space
    } else if (rest != "Z") {
        return std::nullopt;
    }
    if (millis < 0) return std::nullopt;
    return static_cast<std::uint64_t>(millis);
}

}  // namespace rouse::http
