#include "mgmt/ims/file_response.hpp"

#include "mgmt/http/entity_tag.hpp"
#include "mgmt/ims/content_digest.hpp"

#include <algorithm>
#include <charconv>
#include <memory>

#include <fcntl.h>

namespace rouse::ims {
namespace {

std::optional<std::uint64_t> number(std::string_view digits) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    return value;
}

}  // namespace

RangeAnswer parse_range(std::string_view header, std::uint64_t size) {
    constexpr std::string_view kUnit = "bytes=";
    if (!header.starts_with(kUnit)) return {};
    header.remove_prefix(kUnit.size());
    const auto dash = header.find('-');
    if (dash == std::string_view::npos) return {};
    const auto last = number(header.substr(dash + 1));
    if (dash == 0) {  // "-n": the last n bytes
        if (!last) return {};
        if (*last == 0 || size == 0) return {RangeKind::unsatisfiable, {}};
        const std::uint64_t length = std::min(*last, size);
        return {RangeKind::part, {size - length, length}};
    }
    const auto first = number(header.substr(0, dash));
    const bool open = dash + 1 == header.size();
    if (!first || (!open && (!last || *last < *first))) return {};
    if (*first >= size) return {RangeKind::unsatisfiable, {}};
    const std::uint64_t end = open ? size : std::min(*last, size - 1) + 1;
    return {RangeKind::part, {*first, end - *first}};
}

http::Outcome image_response(const boot::Catalogue& catalogue, const http::Request& request,
                             const store::Sha256& hash, std::uint64_t size) {
    const std::string tag = "\"" + boot::to_hex(hash) + "\"";
    http::Response response;
    response.headers.set("ETag", tag);
    response.headers.set("Accept-Ranges", "bytes");
    response.headers.set("Repr-Digest", digest_field(hash));  // RFC 9530 3
    if (http::lists_tag(request.headers.get("If-None-Match"), tag)) {
        response.status = http::Status::not_modified;
        return response;
    }
    // A range of another version than the client has would be spliced into it.
    const auto if_range = request.headers.find("If-Range");
    const RangeAnswer asked =
        if_range && *if_range != tag ? RangeAnswer{} : parse_range(request.headers.get("Range"), size);
    if (asked.kind == RangeKind::unsatisfiable) {
        http::Problem problem{http::Status::range_not_satisfiable, "the range is outside the file", {}, {}};
        problem.headers.set("Content-Range", "bytes */" + std::to_string(size));
        return tl::unexpected(std::move(problem));
    }
    const int descriptor = ::open(catalogue.path_of(hash).c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return http::problem(http::Status::not_found, "the file's content is not there");
    http::FileRange range{std::make_shared<http::File>(descriptor), 0, size};
    if (asked.kind == RangeKind::part) {
        range.offset = asked.range.first;
        range.length = asked.range.length;
        response.status = http::Status::partial_content;
        response.headers.set("Content-Range", "bytes " + std::to_string(range.offset) + "-" +
                                                  std::to_string(range.offset + range.length - 1) + "/" +
                                                  std::to_string(size));
    }
    response.headers.set("Content-Type", "application/octet-stream");
    response.body = std::move(range);
    return response;
}

}  // namespace rouse::ims
