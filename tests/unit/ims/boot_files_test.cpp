#include "mgmt/boot/guest_leases.hpp"
#include "tests/unit/ims/api_fixture.hpp"

namespace rouse::ims {
namespace {

class BootFiles : public ApiTest {
  protected:
    BootFiles() {
        make("/api/ip-pools/", {{"cidr", "10.77.0.0/24"}});
        make("/api/boot-profiles/", {{"name", "live"}, {"kernel", "vmlinuz"}});
        make("/api/machines/", {{"hostname", "n1"}, {"mac", "02:00:00:00:00:01"}, {"boot_profile", "live"}});
        auto made = request(Method::put, "/api/images/dir/vmlinuz");
        tag_ =
            "\"" + send(api_, made, http::BodyText("0123456789")).body()["sha256"].get<std::string>() + "\"";
    }
    Answer fetch(const std::string& name, const char* peer = "10.77.0.2",
                 const std::vector<std::pair<std::string, std::string>>& headers = {}) {
        auto made = request(Method::get, "/boot/" + name);
        made.peer = *IpAddress::parse(peer);
        for (const auto& [header, value] : headers) made.headers.add(header, value);
        return send(rack_, made, http::BodyText(""));
    }
    std::string tag_;
};

TEST_F(BootFiles, AreForRegisteredMachinesOnly) {
    EXPECT_EQ(fetch("dir/vmlinuz").text, "0123456789");
    EXPECT_NE(fetch("boot.ipxe").text.find("#!ipxe"), std::string::npos);
    EXPECT_EQ(fetch("none").code, 404U);
    for (const char* stranger : {"10.77.0.3", "10.88.0.2", "127.0.0.1", "fe80::1"}) {
        EXPECT_EQ(fetch("dir/vmlinuz", stranger).code, 404U) << stranger;
        EXPECT_EQ(fetch("dir/vmlinuz", stranger).text, fetch("none").text) << "a stranger learns nothing";
    }
}

TEST_F(BootFiles, AreForItsIpv6AddressToo) {
    const auto pool = make("/api/ip-pools/", {{"cidr", "10.78.0.0/24"}, {"cidr6", "fd00:78::/64"}});
    const auto machine =
        make("/api/machines/", {{"hostname", "n2"}, {"mac", "02:00:00:00:00:02"}, {"ip", "10.78.0.9"}});
    const std::string address = machine["ip6"];
    EXPECT_EQ(fetch("dir/vmlinuz", address.c_str()).text, "0123456789");
    EXPECT_EQ(fetch("dir/vmlinuz", "fd00:78::ffff").code, 404U);
}

TEST_F(BootFiles, AreForGuestsOfANetworkThatServesThem) {
    make("/api/ip-pools/",
         {{"cidr", "10.79.0.0/24"}, {"unknown_machines", "serve"}, {"boot_profile", "live"}});
    const MacAddress mac = *MacAddress::parse("02:00:00:00:00:79");
    ASSERT_TRUE(writer_->run([&](store::Batch& batch) {
        return boot::GuestLeases(batch, appliance_).offer(mac, *Ipv4Address::parse("10.79.0.2"));
    }));
    const std::string address = host(mac.to_string())->address.to_string();
    EXPECT_EQ(fetch("dir/vmlinuz", address.c_str()).text, "0123456789");
    const auto script = fetch("boot.ipxe", address.c_str()).text;
    EXPECT_NE(script.find("BOOTIF=01-02-00-00-00-00-79"), std::string::npos) << script;
    patch(path("/api/boot-profiles/", get("/api/boot-profiles/").body()[0]), {{"cmdline", "changed"}});
    EXPECT_NE(fetch("boot.ipxe", address.c_str()).text.find("changed"), std::string::npos);
}

TEST_F(BootFiles, OnOurLinkAStrangerWhoTakesAMachinesAddressGetsNothing) {
    const IpAddress address = *IpAddress::parse("10.77.0.2");
    neighbours_[address] = *MacAddress::parse("02:66:00:00:00:66");
    EXPECT_EQ(fetch("boot.ipxe").code, 404U);
    EXPECT_EQ(fetch("dir/vmlinuz").code, 404U);
    neighbours_[address] = *MacAddress::parse("02:00:00:00:00:01");
    EXPECT_EQ(fetch("boot.ipxe").code, 200U);
}

// Another server gives the addresses: whatever the machine has, it is known by its hardware address.
TEST_F(BootFiles, WhereAnotherServerGivesTheAddressesTheHardwareAddressTells) {
    make("/api/ip-pools/", {{"cidr", "10.80.0.0/24"}, {"mode", "proxy"}});
    make("/api/machines/", {{"hostname", "n3"},
                            {"mac", "02:00:00:00:00:03"},
                            {"ip", "10.80.0.9"},
                            {"boot_profile", "live"}});
    const IpAddress address = *IpAddress::parse("10.80.0.200");
    EXPECT_EQ(fetch("boot.ipxe", "10.80.0.200").code, 404U) << "not on the link: anybody";
    neighbours_[address] = *MacAddress::parse("02:00:00:00:00:03");
    const auto script = fetch("boot.ipxe", "10.80.0.200");
    EXPECT_EQ(script.code, 200U);
    EXPECT_NE(script.text.find("BOOTIF=01-02-00-00-00-00-03"), std::string::npos) << script.text;
    neighbours_[address] = *MacAddress::parse("02:66:00:00:00:66");
    EXPECT_EQ(fetch("boot.ipxe", "10.80.0.200").code, 404U);
    // A machine that has its address from us is not known by its hardware address elsewhere.
    neighbours_[address] = *MacAddress::parse("02:00:00:00:00:01");
    EXPECT_EQ(fetch("boot.ipxe", "10.80.0.200").code, 404U);
    neighbours_[*IpAddress::parse("fe80::1")] = *MacAddress::parse("02:00:00:00:00:01");
    EXPECT_EQ(fetch("boot.ipxe", "fe80::1").code, 200U) << "but by a link-local one";
}

TEST_F(BootFiles, AForeignLeaseIsNoPassport) {
    // An address leased to a machine that is not registered.
    ASSERT_TRUE(writer_->run([](store::Batch& batch) -> Result<void> {
        store::LeaseRecord lease;
        lease.network = 1;
        lease.mac = *MacAddress::parse("02:00:00:00:00:77");
        return batch.put_record(batch.tables().leases, store::bytes_of(*Ipv4Address::parse("10.77.0.9")),
                                lease);
    }));
    EXPECT_EQ(fetch("dir/vmlinuz", "10.77.0.9").code, 404U);
}

TEST_F(BootFiles, ResumeByRange) {
    const auto part = fetch("dir/vmlinuz", "10.77.0.2", {{"Range", "bytes=4-6"}});
    EXPECT_EQ(part.code, 206U);
    EXPECT_EQ(part.text, "456");
    EXPECT_EQ(part.headers.get("Content-Range"), "bytes 4-6/10");
    EXPECT_EQ(part.headers.get("ETag"), tag_);
    EXPECT_EQ(fetch("dir/vmlinuz", "10.77.0.2", {{"Range", "bytes=4-6"}, {"If-Range", tag_}}).code, 206U);
    const auto changed =
        fetch("dir/vmlinuz", "10.77.0.2", {{"Range", "bytes=4-6"}, {"If-Range", "\"other\""}});
    EXPECT_EQ(changed.code, 200U);
    EXPECT_EQ(changed.text, "0123456789");
    const auto beyond = fetch("dir/vmlinuz", "10.77.0.2", {{"Range", "bytes=10-"}});
    EXPECT_EQ(beyond.code, 416U);
    EXPECT_EQ(beyond.headers.get("Content-Range"), "bytes */10");
}

TEST_F(BootFiles, AreNotSentAgainToWhoHasThem) {
    const auto same = fetch("dir/vmlinuz", "10.77.0.2", {{"If-None-Match", tag_}});
    EXPECT_EQ(same.code, 304U);
    EXPECT_EQ(same.text, "");
    EXPECT_EQ(fetch("dir/vmlinuz", "10.77.0.2", {{"If-None-Match", "\"x\", " + tag_}}).code, 304U);
    EXPECT_EQ(fetch("dir/vmlinuz", "10.77.0.2", {{"If-None-Match", "\"x\""}}).code, 200U);
}

TEST_F(BootFiles, AContentThatVanishedIsAMiss) {
    std::filesystem::remove_all(catalogue_.images_dir());
    EXPECT_EQ(fetch("dir/vmlinuz").code, 404U);
}

}  // namespace
}  // namespace rouse::ims
