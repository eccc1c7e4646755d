// Reading and writing packets, beyond what the engine's tests go through.

#include "dataplane/wire/tftp.hpp"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace rouse::wire::tftp {
namespace {

using namespace std::string_view_literals;

Bytes bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

TEST(TftpWire, ARequestIsReadAsItWasWritten) {
    const Options options{.block_size = 1468, .timeout = 5, .file_size = 0, .window_size = 16};
    std::array<std::byte, 100> room{};
    const std::size_t size = write_request(room, Opcode::rrq, "boot/x.efi", "octet", options);
    const auto request = read_request(Bytes(room).first(size));
    ASSERT_TRUE(request);
    EXPECT_EQ(request->name, "boot/x.efi");
    EXPECT_EQ(request->mode, Mode::octet);
    EXPECT_EQ(request->options, options);
    EXPECT_EQ(read_opcode(room), 1);
}

// RFC 2349's own example has no NUL to spare; the bytes are those of a capture (tests/fixtures/cli.pcap).
TEST(TftpWire, TheBytesOfAtftp) {
    const auto request = read_request(
        bytes_of("\0\1big.bin\0octet\0tsize\0000\0timeout\0002\0blksize\0001428\0windowsize\00016\0"sv));
    ASSERT_TRUE(request);
    EXPECT_EQ(request->options,
              (Options{.block_size = 1428, .timeout = 2, .file_size = 0, .window_size = 16}));
}

TEST(TftpWire, PacketsByteForByte) {
    std::array<std::byte, 64> room{};
    const auto written = [&](std::size_t size) {
        return std::string(reinterpret_cast<const char*>(room.data()), size);
    };
    EXPECT_EQ(written(write_ack(room, 0x1234)), "\0\4\x12\x34"sv);
    EXPECT_EQ(written(write_data_header(room, 65535)), "\0\3\xff\xff"sv);
    EXPECT_EQ(written(write_error(room, ErrorCode::file_not_found, "file not found")),
              "\0\5\0\1file not found\0"sv);
    EXPECT_EQ(written(write_oack(room, {.block_size = 8, .file_size = ~std::uint64_t{0}, .window_size = 64})),
              "\0\6blksize\0008\0tsize\00018446744073709551615\0windowsize\00064\0"sv);
    EXPECT_EQ(written(write_oack(room, {})), "\0\6"sv);
}

TEST(TftpWire, WhatDoesNotFitIsNotWritten) {
    std::vector<std::byte> room(40, std::byte{0xee});
    for (std::size_t size = 0; size < room.size(); ++size) {
        const Room small = Room(room).first(size);
        const std::size_t error = write_error(small, ErrorCode::not_defined, "0123456789");
        EXPECT_EQ(error, size < 15 ? 0U : 15U);
        const std::size_t oack = write_oack(small, {.block_size = 1468, .timeout = 255});
        EXPECT_EQ(oack, size < 27 ? 0U : 27U);
        EXPECT_EQ(write_ack(small, 1), size < 4 ? 0U : 4U);
        EXPECT_EQ(room[size], std::byte{0xee}) << "nothing behind the room";
    }
}

TEST(TftpWire, AnErrorsTextEndsAtItsNulOrItsPacket) {
    EXPECT_EQ(read_error(bytes_of("\0\5\0\0closed\0junk"sv))->text, "closed");
    EXPECT_EQ(read_error(bytes_of("\0\5\0\0closed"sv))->text, "closed");
    EXPECT_EQ(read_error(bytes_of("\0\5\0\010"sv))->code, 8);
    EXPECT_FALSE(read_error(bytes_of("\0\5\0"sv)));
    EXPECT_FALSE(read_block(bytes_of("\0\4\1"sv)));
    EXPECT_FALSE(read_opcode(bytes_of("\1"sv)));
}

TEST(TftpWire, AnOfferIsReadLikeARequest) {
    EXPECT_EQ(read_oack(bytes_of("\0\6BLKSIZE\0512\0"sv))->block_size, std::nullopt);
    EXPECT_EQ(read_oack(bytes_of("\0\6BLKSIZE\000512\0"sv))->block_size, 512);
    EXPECT_FALSE(read_oack(bytes_of("\0\6blksize\000512"sv)));
}

// Every prefix of a good request, and every one with a byte changed: read or refused, nothing else. Buffers
// are exactly as long as the packet, so that the address sanitizer sees a byte too many.
TEST(TftpWire, CutAndChangedRequests) {
    const auto good = "\0\1a/b\0octet\0blksize\0001428\0windowsize\0004\0tsize\0000\0"sv;
    for (std::size_t size = 0; size <= good.size(); ++size) {
        const std::vector<std::byte> cut(bytes_of(good).begin(),
                                         bytes_of(good).begin() + static_cast<std::ptrdiff_t>(size));
        const auto request = read_request(cut);
        // Whole pairs of strings are a request; anything in between is not.
        const std::string_view text(reinterpret_cast<const char*>(cut.data()), cut.size());
        const auto strings = size < 2 ? 0 : std::ranges::count(text.substr(2), '\0');
        EXPECT_EQ(request.has_value(), strings > 0 && strings % 2 == 0 && text.back() == '\0') << size;
    }
    std::mt19937 random(3);
    for (int i = 0; i < 20'000; ++i) {
        std::vector<std::byte> changed(bytes_of(good).begin(), bytes_of(good).end());
        for (int n = 0; n < 3; ++n) changed[random() % changed.size()] = static_cast<std::byte>(random());
        if (const auto request = read_request(changed)) {
            EXPECT_FALSE(request->name.empty());
            EXPECT_GE(request->options.block_size.value_or(8), 8);
            EXPECT_GE(request->options.window_size.value_or(1), 1);
        }
    }
}

}  // namespace
}  // namespace rouse::wire::tftp
