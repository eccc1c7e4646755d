#include "tests/unit/tftp/engine_fixture.hpp"

#include <random>

namespace rouse::tftp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// The definition, byte by byte (RFC 764: "CR LF" and "CR NUL").
std::string encode(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (c == '\n') out += "\r\n";
        if (c == '\r') out += std::string("\r\0", 2);
        if (c != '\n' && c != '\r') out += c;
    }
    return out;
}

class Netascii : public EngineTest {
  protected:
    // Fetches `name`; every `lose_every`-th block is sent again by its timer, 0: none.
    std::string fetch(const std::string& name, std::uint16_t block_size, unsigned lose_every) {
        std::string got;
        (void)receive(rrq(name, {.block_size = block_size}, "netascii"));
        engine_.run(now_ns_, host_, 10);
        if (host_.take().size() != 1) return "no offer";
        (void)receive(ack(0));
        for (unsigned block = 1;; ++block) {
            if (lose_every != 0 && block % lose_every == 0) {
                run();
                wait_ms(260);
            }
            engine_.run(now_ns_, host_, 10);
            const auto sent = host_.take();
            if (sent.size() != 1 || wire::tftp::read_block(sent[0].bytes()) != (block & 0xffff))
                return "wrong block";
            const auto bytes = sent[0].bytes().subspan(4);
            got.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
            (void)receive(ack(block));
            if (bytes.size() < block_size) return got;
        }
    }
};

TEST_F(Netascii, ConvertsLineEnds) {
    host_.file("motd").bytes = "one\ntwo\r\nthree\r";
    EXPECT_EQ(fetch("motd", 512, 0), std::string("one\r\ntwo\r\0\r\nthree\r\0", 19));
    EXPECT_EQ(events(EventKind::tftp_complete)[0].bytes, 15U);
}

TEST_F(Netascii, RandomTextsOfEverySizeAroundABlock) {
    std::mt19937 random(7);
    for (std::size_t size = 0; size < 70; ++size) {
        std::string& text = host_.file("f").bytes;
        text.assign(size, 'x');
        for (char& c : text) c = "x\r\n"[random() % 3];
        ASSERT_EQ(fetch("f", 8, size % 4), encode(text)) << ::testing::PrintToString(text);
        wait_ms(4000);
        run();
    }
    EXPECT_EQ(engine_.open_sessions(), 0U);
}

TEST_F(Netascii, LongerThanAChunk) {
    std::string& text = host_.file("f").bytes;
    for (int i = 0; i < 3000; ++i) text += "line " + std::to_string(i) + "\n";
    EXPECT_EQ(fetch("f", 1400, 5), encode(text));
}

// How long it gets is known at its end, and it goes block by block.
TEST_F(Netascii, OffersNeitherSizeNorWindow) {
    put("f", 5000);
    EXPECT_THAT(exchange(rrq("f", {.file_size = 0}, "netascii")), ElementsAre("DATA 1 512"));
    EXPECT_THAT(exchange(rrq("f", {.file_size = 0, .window_size = 8}, "NETASCII"), 2),
                ElementsAre("OACK windowsize=1"));
}

TEST_F(Netascii, ContentThatVanishesFailsTheTransfer) {
    put("f", 5000);
    exchange(rrq("f", {}, "netascii"));
    host_.file("f").is_gone = true;
    EXPECT_THAT(exchange(ack(1)), ElementsAre("ERROR 0 file went away, see the timeline"));
    EXPECT_EQ(engine_.open_sessions(), 0U);
}

}  // namespace
}  // namespace rouse::tftp
