// Transfers by HTTP on their machine's timeline.

#include "mgmt/events/timeline.hpp"
#include "shared/client_kind.hpp"
#include "shared/clock.hpp"
#include "tests/unit/ims/api_fixture.hpp"

namespace rouse::ims {
namespace {

class HttpTransfersTest : public ApiTest {
  protected:
    HttpTransfersTest() {
        make("/api/ip-pools/", {{"cidr", "10.77.0.0/24"}});
        make("/api/boot-profiles/", {{"name", "live"}, {"kernel", "vmlinuz"}});
        machine_ = make("/api/machines/",
                        {{"hostname", "n1"}, {"mac", "02:00:00:00:00:01"}, {"boot_profile", "live"}});
        auto made = request(Method::put, "/api/images/dir/vmlinuz");
        send(api_, made, http::BodyText("0123456789"));
    }
    // The response, whose body is not yet sent.
    http::Response fetch(const std::string& name, const std::string& range = {},
                         Method method = Method::get) {
        auto made = request(method, "/boot/" + name);
        made.peer = *IpAddress::parse("10.77.0.2");
        if (!range.empty()) made.headers.add("Range", range);
        http::BodyText nothing("");
        made.set_body(nothing);
        return http::run_to_end(rack_.dispatch(made));
    }
    json timeline() {
        static_cast<void>(consumer_->turn());
        const auto page = events::read_timeline(*store_->snapshot(), consumer_->tables(),
                                                *store::Id::parse(machine_["id"].get<std::string>()), 0, 100);
        return json::parse(page->json);
    }
    events::BootStage stage() {
        const auto boot = events::read_boot(*store_->snapshot(), consumer_->tables(),
                                            *store::Id::parse(machine_["id"].get<std::string>()));
        return (*boot)->stage;
    }
    json machine_;
};

TEST_F(HttpTransfersTest, ATransferHasABeginningAndAnEnd) {
    const auto response = fetch("dir/vmlinuz");
    ASSERT_TRUE(response.on_end);
    EXPECT_EQ(transfers_->statistics().open, 1U);
    response.on_end({.bytes = 10, .complete = true});
    const json entries = timeline();
    ASSERT_EQ(entries.size(), 2U);
    EXPECT_EQ(entries[0]["event"], "http_request");
    EXPECT_EQ(entries[0]["details"]["bytes"], 10);
    EXPECT_EQ(entries[1]["event"], "http_complete");
    EXPECT_EQ(entries[1]["details"]["file"], "dir/vmlinuz");
    EXPECT_EQ(entries[1]["details"]["part"], "whole");
    EXPECT_EQ(entries[1]["details"]["ip"], "10.77.0.2");
    EXPECT_EQ(transfers_->statistics().open, 0U);
    EXPECT_EQ(transfers_->statistics().complete, 1U);
    EXPECT_EQ(transfers_->statistics().bytes, 10U);
}

TEST_F(HttpTransfersTest, ABrokenOneAndItsResumption) {
    fetch("dir/vmlinuz").on_end({.bytes = 4, .complete = false});
    fetch("dir/vmlinuz", "bytes=4-").on_end({.bytes = 6, .complete = true});
    fetch("dir/vmlinuz", "bytes=2-3").on_end({.bytes = 2, .complete = true});
    const json entries = timeline();
    ASSERT_EQ(entries.size(), 6U);
    EXPECT_EQ(entries[1]["event"], "http_failed");
    EXPECT_EQ(entries[1]["details"]["reason"], "closed");
    EXPECT_EQ(entries[1]["details"]["bytes"], 4);
    EXPECT_EQ(entries[3]["details"]["part"], "rest");
    EXPECT_EQ(entries[5]["details"]["part"], "part");
    EXPECT_EQ(transfers_->statistics().failed, 1U);
}

TEST_F(HttpTransfersTest, AskingForTheSizeIsAProbe) {
    EXPECT_FALSE(fetch("dir/vmlinuz", {}, Method::head).on_end);
    const json entries = timeline();
    ASSERT_EQ(entries.size(), 1U);
    EXPECT_EQ(entries[0]["event"], "http_probe");
    EXPECT_EQ(entries[0]["details"]["bytes"], 10);
}

TEST_F(HttpTransfersTest, AMissingNameIsOnTheTimelineOfWhoAsked) {
    EXPECT_EQ(fetch("none").status, http::Status::not_found);
    const json entries = timeline();
    ASSERT_EQ(entries.size(), 1U);
    EXPECT_EQ(entries[0]["event"], "http_missing");
    EXPECT_EQ(transfers_->statistics().missing, 1U);
}

TEST_F(HttpTransfersTest, ALoadersSearchIsNoFault) {
    EXPECT_EQ(fetch("pxelinux.cfg/C0A8").status, http::Status::not_found);
    EXPECT_EQ(fetch("deb/revocations_sku.efi").status, http::Status::not_found);
    const json entries = timeline();
    EXPECT_EQ(entries[0]["details"]["kind"], "config_search");
    EXPECT_EQ(entries[1]["details"]["kind"], "optional");
    EXPECT_EQ(transfers_->statistics().missing, 0U);
    EXPECT_EQ(transfers_->statistics().expected_misses, 2U);
    EXPECT_EQ(stage(), events::BootStage::idle);
}

TEST_F(HttpTransfersTest, TheirRatesAreCountedOnceTheyMeanSomething) {
    fetch("dir/vmlinuz").on_end({.bytes = 10, .complete = true});
    static_cast<void>(timeline());
    EXPECT_EQ(consumer_->rates().http().bytes, 0U);
    fetch("dir/vmlinuz").on_end({.bytes = 1 << 20, .complete = true});
    fetch("dir/vmlinuz").on_end({.bytes = 1 << 20, .complete = false});
    static_cast<void>(timeline());
    EXPECT_EQ(consumer_->rates().http().bytes, 1U << 20);
    EXPECT_EQ(consumer_->rates().tftp().bytes, 0U);
}

TEST_F(HttpTransfersTest, RenderedFilesAreTransfersToo) {
    fetch("boot.ipxe").on_end({.bytes = 100, .complete = true});
    EXPECT_EQ(timeline()[1]["details"]["file"], "boot.ipxe");
}

TEST_F(HttpTransfersTest, ABootByHttpMakesProgress) {
    // What OVMF does (tests/fixtures/c_ovmf_http.pcap): an address, HEAD, GET.
    Event discover;
    discover.kind = EventKind::dhcp_discover;
    discover.detail = static_cast<std::uint16_t>(ClientKind::http);
    discover.mac = *MacAddress::parse("02:00:00:00:00:01");
    discover.time_ns = realtime_ns();
    consumer_->report(discover);
    fetch("dir/vmlinuz", {}, Method::head);
    const auto response = fetch("dir/vmlinuz");
    static_cast<void>(timeline());
    EXPECT_EQ(stage(), events::BootStage::transferring);
    response.on_end({.bytes = 10, .complete = true});
    static_cast<void>(timeline());
    EXPECT_EQ(stage(), events::BootStage::delivered);
}

}  // namespace
}  // namespace rouse::ims
