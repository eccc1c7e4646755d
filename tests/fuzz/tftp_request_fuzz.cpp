// Any bytes as a TFTP packet, through every reader; what is read is written and read again.

#include "dataplane/tftp/name.hpp"
#include "dataplane/wire/tftp.hpp"
#include "shared/miss.hpp"

#include <cstdlib>

namespace {

void require(bool truth) {
    if (!truth) std::abort();
}

void check_name(std::string_view as_sent) {
    using namespace rouse::tftp;
    const Name name(as_sent);
    const std::string_view view = name.view();
    require(view.size() <= kMaxNameBytes);
    require(!view.starts_with('/') && view.find('\\') == view.npos && view.find("//") == view.npos);
    for (std::size_t at = 0; at <= view.size();) {
        const auto end = std::min(view.find('/', at), view.size());
        const auto segment = view.substr(at, end - at);
        require(segment != "." && segment != "..");
        at = end + 1;
    }
    require(Name(view).view() == view);
    (void)rouse::classify_miss(view);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace tftp = rouse::wire::tftp;
    const tftp::Bytes packet = std::as_bytes(std::span(data, size));
    (void)tftp::read_opcode(packet);
    (void)tftp::read_block(packet);
    (void)tftp::read_error(packet);
    if (const auto options = tftp::read_oack(packet)) {
        std::array<std::byte, 128> room;
        const std::size_t length = tftp::write_oack(room, *options);
        require(length > 0);
        require(tftp::read_oack(tftp::Bytes(room).first(length)) == options);
    }
    if (const auto request = tftp::read_request(packet)) {
        require(!request->name.empty() && size <= tftp::kMaxRequestBytes);
        check_name(request->name);
        if (request->mode != tftp::Mode::octet) return 0;
        std::array<std::byte, 700> room;
        const std::size_t length =
            tftp::write_request(room, tftp::Opcode::rrq, request->name, "octet", request->options);
        // A canonical request may be longer than the one it came from only by its options' spelling.
        if (length > tftp::kMaxRequestBytes) return 0;
        const auto again = tftp::read_request(tftp::Bytes(room).first(length));
        require(again && again->name == request->name && again->options == request->options);
    }
    return 0;
}
