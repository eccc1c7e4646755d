// Which file a machine gets under which name: its own, its profile's, and what the two cost in the store.

#include "mgmt/boot/own_files.hpp"
#include "shared/clock.hpp"
#include "shared/store/framed_text.hpp"
#include "tests/unit/boot/boot_fixture.hpp"

namespace rouse::boot {
namespace {

class ProfileFiles : public BootTest {
  protected:
    void SetUp() override { ASSERT_TRUE(add_pool({{"cidr", "10.77.0.0/16"}})); }
    Document profile(json more = json::object()) {
        json fields = {{"name", "live"}, {"kernel", "vmlinuz"}, {"cmdline", "host={{hostname}}"}};
        fields.update(more);
        return add_profile(fields).value();
    }
    Document booting(unsigned n) {
        json fields = machine(n);
        fields["boot_profile"] = "live";
        return add_machine(fields).value();
    }
    static json templated(const std::string& name, const std::string& content) {
        return {{"templates", json::array({{{"name", name}, {"content", content}}})}};
    }
    Outcome<void> project(const Document& profile) {
        return writer_->run([&](Batch& batch) { return project_profile(batch, profile); });
    }
    Outcome<void> project_again(const Document& machine) {
        return writer_->run([&](Batch& batch) { return project_machine(batch, appliance_, machine); });
    }
};

TEST_F(ProfileFiles, EveryLoaderFindsTheMachinesOwnLine) {
    profile();
    booting(1);
    booting(2);
    for (const char* name :
         {"boot.ipxe", "autoexec.ipxe", "pxelinux.cfg/01-02-00-00-00-00-01", "pxelinux.cfg/default",
          "grub/grub.cfg-01-02-00-00-00-00-01", "grub.cfg", "debian-installer/amd64/grub/grub.cfg"}) {
        const auto text = file(mac_text(1), name);
        ASSERT_TRUE(text) << name;
        EXPECT_NE(text->find("host=node1 BOOTIF=01-02-00-00-00-00-01"), std::string::npos) << *text;
    }
    EXPECT_NE(file(mac_text(2), "boot.ipxe")->find("host=node2"), std::string::npos);
    EXPECT_FALSE(file(mac_text(2), "grub.cfg-01-02-00-00-00-00-01")) << "another machine's";
    EXPECT_FALSE(file(mac_text(1), "grub.cfg-02-02-00-00-00-00-01")) << "another hardware type";
}

TEST_F(ProfileFiles, AMachineCostsItsLineWhateverTheLoaders) {
    profile();
    const auto names = entries(store_->tables().names), texts = entries(store_->tables().rendered);
    EXPECT_EQ(texts, 3U) << "one for each loader";
    for (unsigned n = 1; n <= 10; ++n) booting(n);
    EXPECT_EQ(entries(store_->tables().names), names);
    EXPECT_EQ(entries(store_->tables().rendered), texts + 10);
}

TEST_F(ProfileFiles, AMachineTakesLessThanAKibibyteOfWhatTheDataplaneReads) {
    profile();
    auto pages = [this] {
        const auto snapshot = store_->snapshot();
        const Tables& tables = store_->tables();
        std::size_t count = 0;
        for (const Table table : {tables.hosts, tables.leases, tables.names, tables.rendered}) {
            MDB_stat stat{};
            EXPECT_EQ(mdb_stat(snapshot->txn().raw(), table.handle, &stat), 0);
            count += stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages;
        }
        return count;
    };
    constexpr unsigned kMachines = 500;
    const std::size_t before = pages();
    for (unsigned n = 1; n <= kMachines; ++n) booting(n);
    const std::size_t each = (pages() - before) * 4096 / kMachines;
    RecordProperty("bytes_per_machine", static_cast<int>(each));
    EXPECT_LE(each, 1024U);
}

TEST_F(ProfileFiles, AChangedKernelTouchesNoMachine) {
    auto changed = profile();
    const auto made = booting(1);
    const std::string token = token_in(script(mac_text(1)));
    changed.fields["kernel"] = "vmlinuz-2";
    ASSERT_TRUE(writer_->run([&](Batch& batch) { return update(batch, kBootProfiles, changed); }));
    ASSERT_TRUE(project(changed));
    ASSERT_TRUE(writer_->run([&](Batch& batch) -> Outcome<void> {
        const auto projected = project_machine(batch, appliance_, made);
        EXPECT_EQ(batch.txn().writes(), 0U);
        return projected;
    }));
    EXPECT_NE(script(mac_text(1)).find("/vmlinuz-2 "), std::string::npos);
    EXPECT_EQ(token_in(script(mac_text(1))), token);
}

TEST_F(ProfileFiles, ProjectingAProfileAgainWritesNothing) {
    const auto made = profile(templated("motd", "hello"));
    ASSERT_TRUE(writer_->run([&](Batch& batch) -> Outcome<void> {
        const auto projected = project_profile(batch, made);
        EXPECT_EQ(batch.txn().writes(), 0U);
        return projected;
    }));
}

TEST_F(ProfileFiles, TemplatesMakeFilesOfTheMachine) {
    profile(templated("preseed/{{hostname}}.cfg", "ip {{ip}}\ntoken {{token}}\n"));
    const auto made = booting(1);
    booting(2);
    const auto text = file(mac_text(1), "preseed/node1.cfg");
    ASSERT_TRUE(text);
    EXPECT_EQ(text->substr(0, text->find("token")), "ip " + made.text("ip") + "\n");
    EXPECT_EQ(text->substr(text->find("token ") + 6, 64), token_in(script(mac_text(1))))
        << "one token a boot";
    EXPECT_FALSE(file(mac_text(2), "preseed/node1.cfg")) << "nobody else's";
}

TEST_F(ProfileFiles, ASpentTokenIsReplacedInEveryFile) {
    profile(templated("preseed.cfg", "{{token}}"));
    booting(1);
    const std::string first = *file(mac_text(1), "preseed.cfg");
    ASSERT_TRUE(writer_->run([&](Batch& batch) { return spend_token(batch, appliance_, first); }));
    EXPECT_NE(*file(mac_text(1), "preseed.cfg"), first);
    EXPECT_EQ(*file(mac_text(1), "preseed.cfg"), token_in(script(mac_text(1))));
}

TEST_F(ProfileFiles, ATemplateThatIsTheSameForAllIsStoredOnce) {
    profile(templated("preseed.cfg", "d-i x y\n"));
    const auto before = entries(store_->tables().names);
    booting(1);
    booting(2);
    EXPECT_EQ(entries(store_->tables().names), before);
    EXPECT_EQ(file(mac_text(2), "preseed.cfg"), "d-i x y\n");
}

TEST_F(ProfileFiles, AnOwnConfigurationReplacesAllOfThatLoaders) {
    profile(templated("grub/grub.cfg", "chainloader +1\n"));
    booting(1);
    EXPECT_EQ(file(mac_text(1), "grub/grub.cfg"), "chainloader +1\n");
    EXPECT_FALSE(file(mac_text(1), "grub/grub.cfg-01-02-00-00-00-00-01")) << "GRUB asks for it first";
    EXPECT_TRUE(file(mac_text(1), "pxelinux.cfg/default"));
}

TEST_F(ProfileFiles, OneForEachMachineDoesToo) {
    profile(templated("pxelinux.cfg/01-{{mac-dashes}}", "say {{hostname}}"));
    booting(1);
    EXPECT_EQ(file(mac_text(1), "pxelinux.cfg/01-02-00-00-00-00-01"), "say node1");
    EXPECT_FALSE(file(mac_text(1), "pxelinux.cfg/default"));
}

TEST_F(ProfileFiles, WithoutAKernelTemplatesAreAllThereIs) {
    profile(
        {{"kernel", nullptr}, {"cmdline", nullptr}, {"templates", templated("a/{{ip}}", "x")["templates"]}});
    const auto made = booting(1);
    EXPECT_EQ(script(mac_text(1)), "");
    EXPECT_EQ(file(mac_text(1), "a/" + made.text("ip")), "x");
    EXPECT_EQ(host(mac_text(1))->line_id, 0U);
}

TEST_F(ProfileFiles, AnotherProfileLeavesNothingOfTheLast) {
    profile(templated("own/{{hostname}}", "x"));
    ASSERT_TRUE(add_profile({{"name", "bare"}, {"loaders", {{"bios", "pxelinux.0"}}}}));
    auto made = booting(1);
    made.fields["boot_profile"] = "bare";
    ASSERT_TRUE(change(made, made.fields));
    EXPECT_FALSE(file(mac_text(1), "own/node1"));
    EXPECT_EQ(script(mac_text(1)), "");
    EXPECT_EQ(host(mac_text(1))->line_id, 0U);
}

TEST_F(ProfileFiles, ARemovedProfileLeavesNothing) {
    const auto made = profile(templated("motd", "hello"));
    ASSERT_TRUE(writer_->run([&](Batch& batch) { return remove_profile(batch, made); }));
    EXPECT_EQ(entries(store_->tables().names), 0U);
    EXPECT_EQ(entries(store_->tables().profiles), 0U);
}

TEST_F(ProfileFiles, MistakesInTemplatesAreRefusedByField) {
    struct Case {
        const char* name;
        const char* content;
        const char* pointer;
    };
    for (const Case& wrong : {Case{"a", "{{nope}}", "/templates/0/content"},
                              {"{{nope}}", "a", "/templates/0/name"},
                              {"../a", "a", "/templates/0/name"},
                              {"/{{hostname}}", "a", "/templates/0/name"}}) {
        const auto refused = add_profile(
            {{"name", "wrong"}, {"templates", templated(wrong.name, wrong.content)["templates"]}});
        ASSERT_FALSE(refused) << wrong.name;
        EXPECT_EQ(refused.error().pointer, wrong.pointer);
    }
    // What only shows with a machine's data.
    profile(templated("a/{{cluster}}", "x"));
    json fields = machine(1);
    fields["boot_profile"] = "live";
    const auto refused = add_machine(fields);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().pointer, "/templates/0/name");
}

TEST_F(ProfileFiles, WhatGrubWouldSpoilIsRefusedUnlessItsConfigurationIsTheOperators) {
    for (const char* cmdline : {"dyndbg=\"file x +p\"", "a=\\x"}) {
        json fields{{"name", "quoted"}, {"kernel", "k"}, {"cmdline", cmdline}};
        const auto refused = add_profile(fields);
        ASSERT_FALSE(refused) << cmdline;
        EXPECT_EQ(refused.error().pointer, "/cmdline");
        EXPECT_NE(refused.error().message.find("grub/grub.cfg"), std::string::npos);
        fields["name"] = std::string("own") + cmdline[0];
        fields["templates"] = templated("grub/grub.cfg", "linux /k")["templates"];
        EXPECT_TRUE(add_profile(fields)) << cmdline;
    }
}

TEST(FramedText, ReadsAsOneFileFromAnywhere) {
    const std::string frame = FramedText::encode("before ", " after");
    const auto text = FramedText::of(bytes_of(std::string_view(frame)), bytes_of(std::string_view("LINE")));
    ASSERT_TRUE(text);
    const std::string whole = "before LINE after";
    for (std::size_t offset = 0; offset <= whole.size() + 1; ++offset)
        for (std::size_t length = 0; length <= whole.size() + 1; ++length) {
            std::string out(length, '?');
            const bool fits = offset + length <= whole.size();
            ASSERT_EQ(text->read(offset, std::as_writable_bytes(std::span(out))), fits)
                << offset << '+' << length;
            if (fits) {
                ASSERT_EQ(out, whole.substr(offset, length));
            }
        }
}

TEST(FramedText, ADamagedFrameIsNone) {
    const std::string line = "x";
    for (const std::string& damaged : {std::string(), std::string(3, '\0'), std::string("\0\0\0\2a", 5)})
        EXPECT_FALSE(FramedText::of(bytes_of(std::string_view(damaged)), bytes_of(std::string_view(line))));
}

}  // namespace
}  // namespace rouse::boot
