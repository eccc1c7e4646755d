#include "mgmt/boot/image_name.hpp"

#include "shared/store/records.hpp"

#include <algorithm>

namespace rouse::boot {

Result<void> check_image_name(std::string_view name) {
    if (name.empty()) return fail("an image's name must not be empty");
    if (name.size() > store::ImageName::kMaxLength)
        return fail("an image's name has at most " + std::to_string(store::ImageName::kMaxLength) + " bytes");
    for (const char c : name)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '\\')
            return fail("an image's name must not hold control characters or backslashes");
    for (std::string_view rest = name;;) {
        const auto slash = rest.find('/');
        const auto segment = rest.substr(0, slash);
        if (segment.empty() || segment == "." || segment == "..")
            return fail("an image's name is a relative path without empty, \".\" or \"..\" segments");
        if (slash == std::string_view::npos) return {};
        rest.remove_prefix(slash + 1);
    }
}

}  // namespace rouse::boot
