#include "perf/load/boot_files.hpp"

#include "perf/load/crc.hpp"

#include <array>
#include <fstream>

namespace rouse::load {

Result<Content> read_content(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return fail_errno("cannot read " + path);
    Content content;
    std::array<char, 1 << 16> buffer{};
    while (file.read(buffer.data(), buffer.size()) || file.gcount() > 0) {
        const auto count = static_cast<std::size_t>(file.gcount());
        content.crc = extend_crc(content.crc, std::as_bytes(std::span(buffer).first(count)));
        content.bytes += count;
    }
    if (file.bad()) return fail("cannot read all of " + path);
    return content;
}

Result<BootFile> parse_boot_file(std::string_view text) {
    const auto equals = text.find('=');
    BootFile file{.name = std::string(text.substr(0, equals))};
    if (file.name.empty()) return fail("'" + std::string(text) + "' names no file to fetch");
    if (equals == std::string_view::npos) return file;
    const auto content = read_content(std::string(text.substr(equals + 1)));
    if (!content) return tl::unexpected(content.error());
    file.content = *content;
    return file;
}

}  // namespace rouse::load
