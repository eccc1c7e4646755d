#pragma once
// The XDP program, run by the kernel on frames from memory (BPF_PROG_TEST_RUN): no interface is needed.

#include "ebpf/loader.hpp"
#include "tests/support/packet_builder.hpp"
#include "tests/support/privileges.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <vector>

#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <sys/socket.h>
#include <unistd.h>

namespace rouse::ebpf {

// What the kernel says is in a map, ascending.
template <typename Key>
std::vector<Key> keys_in(int map) {
    std::vector<Key> keys;
    Key key;
    for (int found = bpf_map_get_next_key(map, nullptr, &key); found == 0;
         found = bpf_map_get_next_key(map, &key, &key))
        keys.push_back(key);
    std::ranges::sort(keys);
    return keys;
}

class FilterFixture : public ::testing::Test {
  protected:
    void SetUp() override { load(kDefaultAllowListSize); }
    void TearDown() override {
        if (socket_ >= 0) ::close(socket_);
    }

    void load(std::uint32_t allow_list_size) {
        auto loaded = XdpProgram::load(allow_list_size);
        const bool refused = !loaded && loaded.error().message.find("CAP_BPF") != std::string::npos;
        ROUSE_NEEDS_PRIVILEGES(!refused, loaded.error().message);
        ASSERT_TRUE(loaded) << loaded.error().message;
        program_ = std::move(*loaded);
        serve_queue(0);
    }
    // A socket that is bound to nothing is enough for the program to redirect to it.
    void serve_queue(std::uint32_t queue) {
        if (socket_ >= 0) ::close(socket_);
        socket_ = ::socket(AF_XDP, SOCK_RAW, 0);
        ASSERT_GE(socket_, 0) << std::strerror(errno);
        ASSERT_EQ(bpf_map_update_elem(program_->sockets_map_fd(), &queue, &socket_, BPF_ANY), 0);
    }
    // What the program returns for FRAME, which it must leave as it is.
    std::uint32_t run(const test::Bytes& frame) {
        test::Bytes after(frame.size() + 256);
        bpf_test_run_opts options{};
        options.sz = sizeof options;
        options.data_in = frame.data();
        options.data_size_in = static_cast<std::uint32_t>(frame.size());
        options.data_out = after.data();
        options.data_size_out = static_cast<std::uint32_t>(after.size());
        EXPECT_EQ(bpf_prog_test_run_opts(program_->program_fd(), &options), 0) << std::strerror(errno);
        after.resize(options.data_size_out);
        EXPECT_EQ(after, frame);
        return options.retval;
    }
    [[nodiscard]] XdpCounters counted() const {
        const auto counters = program_->counters();
        if (!counters) throw std::runtime_error(counters.error().message);
        return *counters;
    }

    std::optional<XdpProgram> program_;
    int socket_ = -1;
};

}  // namespace rouse::ebpf
