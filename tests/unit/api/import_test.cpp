// POST /api/machines/import/: many machines at once, all or none.

#include "mgmt/ims/csv.hpp"
#include "mgmt/ims/import_rows.hpp"
#include "tests/unit/ims/api_fixture.hpp"

namespace rouse::ims {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Csv, IsReadAsRfc4180SaysIt) {
    const auto records =
        parse_csv("\xef\xbb\xbfname,note\r\n\"a,b\",\"says \"\"hi\"\"\"\n\n\"two\r\nlines\",\nlast,\"\"", 10);
    ASSERT_TRUE(records) << records.error().detail;
    ASSERT_EQ(records->size(), 4U);
    EXPECT_THAT((*records)[0].cells, ElementsAre("name", "note"));
    EXPECT_THAT((*records)[1].cells, ElementsAre("a,b", "says \"hi\""));
    EXPECT_THAT((*records)[2].cells, ElementsAre("two\r\nlines", ""));
    EXPECT_THAT((*records)[3].cells, ElementsAre("last", ""));
    EXPECT_EQ((*records)[2].line, 4U);
    EXPECT_EQ((*records)[3].line, 6U);
    EXPECT_EQ(parse_csv("", 10)->size(), 0U);
    EXPECT_THAT(parse_csv("a,", 10)->front().cells, ElementsAre("a", ""));
}

TEST(Csv, SaysWhereItIsBroken) {
    for (const auto& [text, line, said] :
         std::initializer_list<std::tuple<const char*, std::size_t, const char*>>{
             {"a\nb,\"c\nd", 2, "never closed"},
             {"a\n\"b\"c\n", 2, "after a closing quote"},
             {"a\nb\"c\n", 2, "not in quotes"},
             {"a\rb", 1, "carriage return"},
             {"a\nb\nc\nd\n", 4, "one too many"}}) {
        const auto records = parse_csv(text, 3);
        ASSERT_FALSE(records) << text;
        EXPECT_EQ(records.error().line, line) << text;
        EXPECT_THAT(records.error().detail, HasSubstr(said)) << text;
    }
}

class MachineImport : public ApiTest {
  protected:
    MachineImport() {
        make("/api/ip-pools/", {{"cidr", "10.77.0.0/16"}, {"gateway", "10.77.0.254"}});
        cluster_ = make("/api/cluster/", {{"name", "edge"}})["id"];
    }
    Answer import_csv(const std::string& text, const std::string& query = {}) {
        return import("text/csv; charset=utf-8", text, query);
    }
    Answer import_json(const json& rows, const std::string& query = {}) {
        return import("application/json", rows.dump(), query);
    }
    Answer import(const std::string& type, const std::string& body, const std::string& query = {}) {
        auto made = request(Method::post, "/api/machines/import/" + query);
        made.headers.add("Content-Type", type);
        return send(api_, made, http::BodyText(body, 4096));
    }
    std::size_t machines() { return get("/api/machines/").body().size(); }
    static json row(unsigned n) {
        return {{"hostname", "n" + std::to_string(n)},
                {"mac", MacAddress{{2, 0, 0, static_cast<std::uint8_t>(n >> 16),
                                    static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n)}}
                            .to_string()}};
    }
    // "row pointer" of every error.
    static std::vector<std::string> wrong(const Answer& answer) {
        std::vector<std::string> out;
        for (const auto& error : answer.body().value("errors", json::array()))
            out.push_back(std::to_string(error.at("row").get<int>()) +
                          error.at("pointer").get<std::string>());
        return out;
    }
    std::string cluster_;
};

TEST_F(MachineImport, TakesCsvWithWhateverASpreadsheetMakesOfIt) {
    const auto answer = import_csv(
        "\xef\xbb\xbfhostname,mac,role,cluster,cpu_cores,quirks,status,created_at,ip\r\n"
        "n1,02-00-00-00-00-01,MASTER," +
        cluster_ +
        ",8,plain-tftp,,2020,\r\n"
        "\"n2\",0200.0000.0002,WORKER,,,,MAINTENANCE,,10.77.3.4\r\n"
        "n3,020000000003,,,,,,,\r\n");
    ASSERT_EQ(answer.code, 200U) << answer.text;
    EXPECT_EQ(answer.body(), (json{{"rows", 3},
                                   {"created", 3},
                                   {"updated", 0},
                                   {"unchanged", 0},
                                   {"waiting", 0},
                                   {"dry_run", false}}));
    const json first = get("/api/machines/?mac=02:00:00:00:00:01").body()[0];
    EXPECT_EQ(first["cpu_cores"], 8);
    EXPECT_EQ(first["cluster"], cluster_);
    EXPECT_EQ(first["quirks"].size(), 1U);
    EXPECT_EQ(first["status"], "INACTIVE");
    EXPECT_NE(first["created_at"], "2020") << "what the appliance writes is not imported";
    const json second = get("/api/machines/?hostname=n2").body()[0];
    EXPECT_EQ(second["ip"], "10.77.3.4");
    EXPECT_EQ(second["status"], "MAINTENANCE");
    EXPECT_TRUE(host("02:00:00:00:00:03"));
}

TEST_F(MachineImport, TellsEveryRowThatIsWrongAndChangesNothing) {
    make("/api/machines/", row(9));
    json rows = {row(1), row(2), row(3), row(4), row(5)};
    rows[1]["mac"] = "02:00:00:00:00:zz";
    rows[2]["colour"] = "red";
    rows[2]["hostname"] = "-";
    rows[3].erase("hostname");
    rows[4] = "n5";
    auto answer = import_json(rows);
    EXPECT_EQ(answer.code, 400U);
    EXPECT_THAT(wrong(answer), ElementsAre("2/mac", "3/colour", "3/hostname", "4/hostname", "5"));
    EXPECT_THAT(answer.detail(),
                HasSubstr("4 of 5 rows cannot be imported, so nothing was changed; row 2: mac must be"));

    // What only the store knows: all conflicts are one kind of answer.
    rows = {row(1), row(9), row(3), row(1)};
    rows[0]["ip"] = "10.77.1.1";
    rows[2]["ip"] = "10.77.1.1";
    EXPECT_THAT(wrong(import_json(rows)), ElementsAre("4/mac"));
    rows.erase(3);
    answer = import_json(rows);
    EXPECT_EQ(answer.code, 409U) << answer.text;
    EXPECT_THAT(wrong(answer), ElementsAre("2/mac", "3/ip"));
    rows[0]["ip"] = "10.99.1.1";
    answer = import_json(rows);
    EXPECT_EQ(answer.code, 400U) << answer.text;
    EXPECT_THAT(wrong(answer), ElementsAre("1/ip", "2/mac"));
    rows = json::array({row(1)});
    rows[0]["cluster"] = "01890000-0000-7000-8000-000000000000";
    EXPECT_THAT(wrong(import_json(rows)), ElementsAre("1/cluster"));

    EXPECT_EQ(machines(), 1U);
    EXPECT_FALSE(host("02:00:00:00:00:01"));
    EXPECT_EQ(get("/api/leases/").body().size(), 1U);
}

TEST_F(MachineImport, ARehearsalSaysTheSameAndChangesNothing) {
    const json rows = {row(1), row(2)};
    const auto rehearsed = import_json(rows, "?dry_run=true");
    ASSERT_EQ(rehearsed.code, 200U) << rehearsed.text;
    EXPECT_EQ(rehearsed.body()["created"], 2);
    EXPECT_EQ(rehearsed.body()["dry_run"], true);
    EXPECT_EQ(machines(), 0U);
    EXPECT_EQ(get("/api/leases/").body(), json::array());
    json expected = import_json(rows).body();
    expected["dry_run"] = true;
    EXPECT_EQ(rehearsed.body(), expected);
    EXPECT_EQ(import_json(rows, "?dry_run=true").code, 409U);
}

TEST_F(MachineImport, ChangesWhatIsThereWhenAsked) {
    ASSERT_EQ(import_json({row(1), row(2)}).code, 200U);
    EXPECT_EQ(import_json({row(1), row(2)}).code, 409U);
    json changed = row(1);
    changed["cluster"] = cluster_;
    const json partial = {{"mac", "02-00-00-00-00-02"}, {"role", "STORAGE"}};
    const auto answer = import_json({changed, partial, row(3)}, "?upsert=true");
    ASSERT_EQ(answer.code, 200U) << answer.text;
    EXPECT_EQ(answer.body()["updated"], 2);
    EXPECT_EQ(answer.body()["created"], 1);
    EXPECT_EQ(get("/api/machines/?role=STORAGE").body()[0]["hostname"], "n2");
    EXPECT_EQ(get("/api/cluster/" + cluster_ + "/machines/").body().size(), 1U);
    EXPECT_EQ(import_json({changed, partial, row(3)}, "?upsert=true").body()["unchanged"], 3);
    EXPECT_THAT(wrong(import_json(json::array({{{"mac", "02:00:00:00:00:07"}}}), "?upsert=true")),
                ElementsAre("1/hostname"));
    EXPECT_THAT(wrong(import_json(json::array({{{"hostname", "n7"}}}), "?upsert=true")),
                ElementsAre("1/mac"));
}

TEST_F(MachineImport, RefusesWhatIsNoTable) {
    for (const auto& [type, body, code, said] :
         std::initializer_list<std::tuple<const char*, std::string, unsigned, const char*>>{
             {"text/plain", "x", 415, "text/csv or application/json"},
             {"application/json", "", 400, "empty"},
             {"application/json", "{}", 400, "must be an array"},
             {"application/json", "[]", 400, "no row"},
             {"application/json", "[{]", 400, "not valid JSON"},
             {"application/json", "[" + std::string(40, '[') + std::string(40, ']') + "]", 400, "nested"},
             {"text/csv", "", 400, "empty"},
             {"text/csv", "hostname,mac\n", 400, "no row"},
             {"text/csv", "hostname,mac,colour\na,b,c\n", 400, "colour"},
             {"text/csv", "hostname,mac,mac\na,b,c\n", 400, "twice"},
             {"text/csv", "hostname,mac\nn1\n", 400, "has 1 cells"},
             {"text/csv", "hostname,mac\n\"n1,02:00:00:00:00:01\n", 400, "line 2 has a quote"},
             {"text/csv", "hostname,mac\nn1,\xff\n", 400, "UTF-8"},
             {"text/csv", "hostname,mac,cpu_cores\nn1,02:00:00:00:00:01,1e400\n", 400, "cpu_cores"},
             {"text/csv", "hostname,mac\n" + std::string((16U << 20) + 1, 'n'), 413, "larger"},
             {"application/json", "[" + std::string(2 * kMaxImportRows, ' ') + "0", 400, "not valid JSON"}}) {
        const auto answer = import(type, body);
        EXPECT_EQ(answer.code, code) << answer.text;
        EXPECT_THAT(answer.detail(), HasSubstr(said)) << body.substr(0, 60);
    }
    std::string many = "hostname,mac\n";
    for (std::size_t i = 0; i <= kMaxImportRows; ++i) many += "n,m\n";
    EXPECT_EQ(import_csv(many).code, 413U);
    EXPECT_EQ(import_csv(many + many).code, 413U);
    EXPECT_EQ(import_csv("hostname,mac\n", "?dry_run=yes").code, 400U);
    EXPECT_EQ(import_csv("hostname,mac\n", "?dry=true").code, 400U);
    role_ = http::Role::viewer;
    EXPECT_EQ(import_csv("hostname,mac\n").code, 403U);
}

TEST_F(MachineImport, FillsAPoolAndSaysWhoWaits) {
    make("/api/ip-pools/", {{"cidr", "10.78.0.0/29"}, {"cluster", cluster_}});
    json rows = json::array();
    for (unsigned n = 0; n < 3000; ++n) rows.push_back(row(n));
    const auto began = std::chrono::steady_clock::now();
    const auto answer = import_json(rows);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    ASSERT_EQ(answer.code, 200U) << answer.text.substr(0, 500);
    EXPECT_EQ(answer.body()["created"], 3000);
    EXPECT_EQ(answer.body()["waiting"], 0);
    EXPECT_EQ(machines(), 3000U);
    EXPECT_EQ(get("/api/leases/").body().size(), 3000U);
    RecordProperty("seconds", std::to_string(took.count()));
}

}  // namespace
}  // namespace rouse::ims
