#include "dataplane/tftp/name.hpp"

namespace rouse::tftp {

Name::Name(std::string_view as_sent) noexcept {
    std::size_t segment = 0;  // where the current one begins in bytes_
    const auto segment_is_dots = [&] {
        const std::string_view text(bytes_.data() + segment, length_ - segment);
        return text == "." || text == "..";
    };
    for (const char sent : as_sent) {
        const char c = sent == '\\' ? '/' : sent;
        const bool is_control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
        if (c == '/' && length_ == segment) continue;
        if (is_control || length_ == bytes_.size() || (c == '/' && segment_is_dots())) {
            length_ = 0;
            return;
        }
        bytes_[length_++] = c;
        if (c == '/') segment = length_;
    }
    if (segment_is_dots()) length_ = 0;
}

}  // namespace rouse::tftp
