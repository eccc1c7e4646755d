// Every request that real clients sent (tests/fixtures) is answered with what it asked for, and its transfer
// ends equal.

#include "tests/support/netascii.hpp"
#include "tests/support/tftp_captures.hpp"
#include "tests/unit/tftp/engine_fixture.hpp"

#include <map>
#include <set>

namespace rouse::tftp {
namespace {

// Name, mode, and options as the client spelled them; read by other means than the server's.
struct Asked {
    std::string name;
    std::string mode;
    std::map<std::string, std::string> options;
};
Asked read(std::span<const std::byte> payload) {
    std::vector<std::string> strings(1);
    for (const std::byte byte : payload.subspan(2)) {
        if (byte == std::byte{0})
            strings.emplace_back();
        else
            strings.back() += static_cast<char>(byte);
    }
    Asked asked{strings[0], strings[1], {}};
    for (std::size_t i = 2; i + 1 < strings.size(); i += 2) asked.options[strings[i]] = strings[i + 1];
    return asked;
}

class Captures : public EngineTest {
  protected:
    // What the server must offer: nothing that was not asked for, the limits of an Ethernet, and our size.
    static std::string expected_offer(const Asked& asked, std::size_t size) {
        std::string offer;
        const auto add = [&](const char* name, std::size_t limit) {
            if (const auto value = asked.options.find(name); value != asked.options.end())
                offer += std::string(" ") + name + "=" +
                         std::to_string(std::min<std::size_t>(std::stoul(value->second), limit));
        };
        add("blksize", 1468);
        add("timeout", 255);
        if (asked.options.contains("tsize") && asked.mode == "octet")
            offer += " tsize=" + std::to_string(size);
        add("windowsize", 64);
        return offer.empty() ? "" : "OACK" + offer;
    }
    // The rest of a transfer by a client that loses nothing; its bytes.
    std::string fetch(const Asked& asked, std::uint16_t port, std::string& offer) {
        const std::size_t block_size =
            asked.options.contains("blksize") ? std::stoul(asked.options.at("blksize")) : 512;
        std::string got;
        for (std::uint64_t expected = 1;;) {
            engine_.run(now_ns_, host_, 64);
            const auto sent = host_.take();
            if (sent.empty()) return got;
            for (const auto& packet : sent) {
                if (*wire::tftp::read_opcode(packet.bytes()) == 6) {
                    offer = describe(packet.bytes());
                } else {
                    EXPECT_EQ(wire::tftp::read_block(packet.bytes()), expected & 0xffff);
                    const auto bytes = packet.bytes().subspan(4);
                    EXPECT_LE(bytes.size(), block_size);
                    got.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
                    ++expected;
                }
            }
            (void)receive(ack(expected - 1), port);
        }
    }
};

TEST_F(Captures, EveryRequestIsServed) {
    const auto packets = test::tftp_captures(ROUSE_FIXTURES);
    ASSERT_EQ(packets.size(), 169U);
    std::set<std::string> kinds;
    for (const auto& [capture, port, payload] : packets) {
        SCOPED_TRACE(capture + " port " + std::to_string(port));
        const Asked asked = read(payload);
        const std::string name(Name(asked.name).view());
        put(name, 20'000 + port % 3000);
        std::string kind = asked.mode;
        for (const auto& [option, value] : asked.options) kind += " " + option + "=" + value;
        kinds.insert(kind);
        ASSERT_EQ(receive(payload, port), DropReason::none);
        std::string offer;
        std::string got = fetch(asked, port, offer);
        EXPECT_EQ(offer, expected_offer(asked, host_.file(name).bytes.size()));
        const std::string& bytes = host_.file(name).bytes;
        EXPECT_TRUE(got == (asked.mode == "netascii" ? test::netascii(bytes) : bytes)) << asked.mode;
        EXPECT_EQ(engine_.open_sessions(), 0U);
        wait_ms(5000);
        run();
    }
    EXPECT_GE(kinds.size(), 15U)
        << "iPXE, pxelinux, EDK2 twice, GRUB, shim, U-Boot, curl, busybox, tftp-hpa, atftp";
}

// What each loader looked for and may do without is told from what it needs.
TEST_F(Captures, NothingThereButOnlyRealMissesAreFaults) {
    std::map<MissKind, std::set<std::string>> missing;
    for (const auto& [capture, port, payload] : test::tftp_captures(ROUSE_FIXTURES)) {
        (void)receive(payload, port);
        const auto text = std::string(host_.events.back().get_text());
        missing[static_cast<MissKind>(host_.events.back().detail)].insert(text);
        (void)run();
    }
    using ::testing::Contains;
    using ::testing::Not;
    EXPECT_EQ(missing[MissKind::config_search].size(), 18U);
    EXPECT_THAT(missing[MissKind::optional], Contains("revocations_sku.efi"));
    EXPECT_THAT(missing[MissKind::optional], Contains("dtb/"));
    for (const auto* needed :
         {"pxelinux.0", "ldlinux.c32", "ipxe.efi", "bootnetx64.efi", "grubx64.efi",
          "debian-installer/amd64/linux", "grub/grub.cfg", "pxelinux.cfg/default", "boot.ipxe"})
        EXPECT_THAT(missing[MissKind::real], Contains(needed));
}

}  // namespace
}  // namespace rouse::tftp
