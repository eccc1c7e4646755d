#include "dataplane/port/capture.hpp"

#include "shared/clock.hpp"

#include <pcap/pcap.h>

namespace rouse::port {
namespace {

constexpr int kLongestFrame = 65535;

}  // namespace

void Capture::Close::operator()(pcap* handle) const noexcept {
    pcap_close(handle);
}

void Capture::Close::operator()(pcap_dumper* file) const noexcept {
    pcap_dump_close(file);
}

Result<Capture> Capture::open(const std::string& path) {
    Capture capture;
    capture.format_.reset(
        pcap_open_dead_with_tstamp_precision(DLT_EN10MB, kLongestFrame, PCAP_TSTAMP_PRECISION_NANO));
    if (!capture.format_) return fail("cannot prepare a capture: out of memory");
    capture.file_.reset(pcap_dump_open(capture.format_.get(), path.c_str()));
    if (!capture.file_)
        return fail("cannot capture to a file: " + std::string(pcap_geterr(capture.format_.get())));
    return capture;
}

void Capture::write(std::span<const std::byte> frame) noexcept {
    const std::uint64_t now = realtime_ns();
    pcap_pkthdr header{};
    header.ts.tv_sec = static_cast<time_t>(now / kNanosPerSecond);
    header.ts.tv_usec = static_cast<suseconds_t>(now % kNanosPerSecond);  // nanoseconds, as asked for above
    header.caplen = header.len = static_cast<bpf_u_int32>(frame.size());
    pcap_dump(reinterpret_cast<u_char*>(file_.get()), &header, reinterpret_cast<const u_char*>(frame.data()));
    pcap_dump_flush(file_.get());
}

}  // namespace rouse::port
