// Whatever is wrong with a request, the answer says what and where, and nothing has changed.

#include "tests/unit/api/whole_api.hpp"

namespace rouse::ims {
namespace {

using testing::HasSubstr;

struct Wrong {
    Method method;
    std::string target;
    std::string body;
    unsigned code;
    const char* pointer;  // of the first error; "-": the answer names no field
    const char* said;
    const char* type = "application/json";
};

std::string nested(std::size_t levels) {
    return R"({"name":)" + std::string(levels, '[') + std::string(levels, ']') + "}";
}

class BadInput : public WholeApiTest {
  protected:
    BadInput() {
        whole_.limit_json_body(1 << 20);
        pool_ = path("/api/ip-pools/",
                     make("/api/ip-pools/", {{"cidr", "10.77.0.0/24"}, {"gateway", "10.77.0.254"}}));
        cluster_ = path("/api/cluster/", make("/api/cluster/", {{"name", "edge"}}));
        machine_ = path(
            "/api/machines/",
            make("/api/machines/", {{"hostname", "n1"}, {"mac", "02:00:00:00:00:01"}, {"ip", "10.77.0.7"}}));
        make("/api/machines/", {{"hostname", "n2"}, {"mac", "02:00:00:00:00:02"}});
    }
    Answer ask(const Wrong& wrong) {
        auto made = request(wrong.method, wrong.target);
        made.headers.add("Content-Type", wrong.type);
        return send(whole_, made, http::BodyText(wrong.body, 4096));
    }
    void refuses(const std::vector<Wrong>& table) {
        const std::string before = everything();
        for (const Wrong& wrong : table) {
            SCOPED_TRACE(std::string(to_string(wrong.method)) + " " + wrong.target + " " +
                         wrong.body.substr(0, 200));
            const auto answer = ask(wrong);
            EXPECT_EQ(answer.code, wrong.code) << answer.text;
            EXPECT_EQ(answer.headers.get("Content-Type"), "application/problem+json");
            ASSERT_FALSE(answer.text.empty());
            EXPECT_EQ(answer.body().at("status"), answer.code);
            if (*wrong.pointer != '-') {
                EXPECT_EQ(answer.wrong_field(), wrong.pointer) << answer.text;
            }
            EXPECT_THAT(answer.detail(), HasSubstr(wrong.said));
        }
        EXPECT_EQ(everything(), before) << "a refused request changes nothing";
    }
    std::string everything() {
        std::string out;
        for (const char* list :
             {"/api/machines/", "/api/cluster/", "/api/ip-pools/", "/api/leases/", "/api/boot-profiles/",
              "/api/users/", "/api/images/", "/api/dhcp-config/", "/api/tftp-config/"})
            out += get(list).text;
        return out;
    }
    std::string pool_, cluster_, machine_;
};

TEST_F(BadInput, BodiesThatAreNoJson) {
    const std::string at = "/api/machines/";
    refuses({{Method::post, at, "", 400, "-", "the body is empty"},
             {Method::post, at, "{", 400, "-", "not valid JSON"},
             {Method::post, at, "{}}", 400, "-", "not valid JSON"},
             {Method::post, at, "{'a':1}", 400, "-", "not valid JSON"},
             {Method::post, at, R"({"a":1,})", 400, "-", "not valid JSON"},
             {Method::post, at, R"({"a":NaN})", 400, "-", "not valid JSON"},
             {Method::post, at, "{\"hostname\":\"\xff\"}", 400, "-", "not valid JSON"},
             {Method::post, at, "{\"hostname\":\"\xc0\xaf\"}", 400, "-", "not valid JSON"},
             {Method::post, at, "{\"hostname\":\"\xed\xa0\x80\"}", 400, "-", "not valid JSON"},
             {Method::post, at, R"({"hostname":"\ud800"})", 400, "-", "not valid JSON"},
             {Method::post, at, std::string("{\"hostname\":\"a\0b\"}", 18), 400, "-", "not valid JSON"},
             {Method::post, at, R"({"hostname":"a","hostname":"b"})", 400, "/hostname", "twice"},
             {Method::post, at, nested(40), 400, "-", "nested deeper than 32"},
             {Method::post, at, nested(100'000), 400, "-", "nested deeper than 32"},
             {Method::post, at, R"({"cpu_cores":1e999})", 400, "-", "not valid JSON"},
             {Method::post, at, "[]", 400, "", "must be an object, not an array"},
             {Method::post, at, "null", 400, "", "must be an object, not null"},
             {Method::post, at, "\"x\"", 400, "", "must be an object, not a string"},
             {Method::post, at, "{}", 415, "-", "send application/json", "text/plain"},
             {Method::post, at, "{}", 415, "-", "send application/json", "application/x-www-form-urlencoded"},
             {Method::post, at, "{\"description\":\"" + std::string(1 << 20, 'x') + "\"}", 413, "-",
              "larger than"},
             {Method::post, "/api/token/", std::string(70'000, ' ') + "{}", 413, "-", "larger than 65536"}});
}

TEST_F(BadInput, MembersOfTheWrongKind) {
    const std::string mac = R"("mac":"02:00:00:00:00:09")";
    const auto machine = [&mac](const std::string& more) {
        return R"({"hostname":"n9",)" + mac + "," + more + "}";
    };
    refuses(
        {{Method::post, "/api/machines/", machine(R"("colour":"red")"), 400, "/colour",
          "is not a field of Machine"},
         {Method::post, "/api/machines/", machine(R"("__proto__":{})"), 400, "/__proto__", "is not a field"},
         {Method::post, "/api/machines/", machine(R"("a/b~c":1)"), 400, "/a~1b~0c", "is not a field"},
         {Method::post, "/api/machines/", machine(R"("cpu_cores":"8")"), 400, "/cpu_cores", "whole number"},
         {Method::post, "/api/machines/", machine(R"("cpu_cores":8.5)"), 400, "/cpu_cores", "whole number"},
         {Method::post, "/api/machines/", machine(R"("cpu_cores":18446744073709551615)"), 400, "/cpu_cores",
          "0 to 65536"},
         {Method::post, "/api/machines/", machine(R"("cpu_cores":99999999999999999999999999)"), 400,
          "/cpu_cores", "whole number"},
         {Method::post, "/api/machines/", machine(R"("cpu_cores":-9223372036854775808)"), 400, "/cpu_cores",
          "0 to 65536"},
         {Method::post, "/api/machines/", machine(R"("ip":17)"), 400, "/ip", "IPv4 address"},
         {Method::post, "/api/machines/", machine(R"("ip":{"a":1})"), 400, "/ip", "IPv4 address"},
         {Method::post, "/api/machines/", machine(R"("cluster":"edge")"), 400, "/cluster", "UUID"},
         {Method::post, "/api/machines/", machine(R"("quirks":"plain-tftp")"), 400, "/quirks",
          "must be an array"},
         {Method::post, "/api/machines/", machine(R"("quirks":["no"])"), 400, "/quirks/0", "must be one of"},
         {Method::post, "/api/machines/", machine(R"("role":["WORKER"])"), 400, "/role", "must be a string"},
         {Method::post, "/api/machines/", R"({"hostname":["a"],)" + mac + "}", 400, "/hostname",
          "must be a string"},
         {Method::post, "/api/ip-pools/", R"({"cidr":"10.80.0.0/24","dns_servers":["1.1.1.1",null]})", 400,
          "/dns_servers/1", "IPv4"},
         {Method::post, "/api/ip-pools/", R"({"cidr":"10.80.0.0/24","dns_servers":[1,2,3,4,5]})", 400,
          "/dns_servers", "0 to 4"},
         {Method::patch, "/api/dhcp-config/", R"({"enabled":"yes"})", 400, "/enabled", "true or false"},
         {Method::patch, "/api/dhcp-config/", R"({"mode":"relay"})", 400, "/mode", "must be one of"},
         {Method::put, "/api/tftp-config/", R"({"block_size":65465})", 400, "/block_size", "512 to 65464"},
         {Method::post, "/api/users/", R"({"username":"u","password":"short","role":"viewer"})", 400,
          "/password", "8 to"},
         {Method::post, "/api/users/", R"({"username":"u","password":"long enough","role":"king"})", 400,
          "/role", "must be one of"}});
}

TEST_F(BadInput, WhatContradictsWhatIsThere) {
    const std::string none = "01890000-0000-7000-8000-000000000000";
    const auto machine = [](const std::string& name, const std::string& mac, const std::string& more = "") {
        return R"({"hostname":")" + name + R"(","mac":")" + mac + '"' + more + "}";
    };
    const std::string nine = "02:00:00:00:00:09";
    refuses(
        {{Method::post, "/api/machines/", machine("n9", "02:00:00:00:00:01"), 409, "/mac", "another machine"},
         {Method::post, "/api/machines/", machine("n9", "0200.0000.0001"), 409, "/mac", "another machine"},
         {Method::post, "/api/machines/", machine("n1", nine), 409, "/hostname", "another machine"},
         {Method::post, "/api/machines/", machine("n9", nine, R"(,"ip":"10.77.0.7")"), 409, "/ip",
          "is leased to"},
         {Method::post, "/api/machines/", machine("n9", nine, R"(,"ip":"10.99.0.7")"), 400, "/ip",
          "no IP pool's network"},
         {Method::post, "/api/machines/", machine("n9", nine, R"(,"ip":"10.77.0.255")"), 400, "/ip",
          "broadcast"},
         {Method::post, "/api/machines/", machine("n9", nine, R"(,"ip":"10.77.0.254")"), 400, "/ip",
          "gateway"},
         {Method::post, "/api/machines/", machine("n9", nine, R"(,"cluster":")" + none + '"'), 400,
          "/cluster", "no such cluster"},
         {Method::post, "/api/machines/", machine("n9", "01:00:5e:00:00:01"), 400, "/mac", "not a group's"},
         {Method::patch, machine_, R"({"mac":"02:00:00:00:00:02"})", 409, "/mac", "another machine"},
         {Method::patch, machine_, R"({"mac":null})", 400, "/mac", "cannot be removed"},
         {Method::put, machine_, R"({"hostname":"n1"})", 400, "/mac", "is required"},
         {Method::patch, machine_, R"({"ip":"10.77.0.2"})", 409, "/ip", "is leased to"},
         {Method::post, "/api/ip-pools/", R"({"cidr":"10.77.0.128/25"})", 409, "/cidr", "overlaps"},
         {Method::post, "/api/ip-pools/", R"({"cidr":"10.0.0.0/8"})", 409, "/cidr", "overlaps"},
         {Method::post, "/api/ip-pools/", R"({"cidr":"10.80.0.1/24"})", 400, "/cidr", "no bits beyond"},
         {Method::post, "/api/ip-pools/", R"({"cidr":"10.80.0.0/24","gateway":"10.81.0.1"})", 400, "/gateway",
          "not a host address"},
         {Method::post, "/api/ip-pools/",
          R"({"cidr":"10.80.0.0/24","range_start":"10.80.0.9","range_end":"10.80.0.8"})", 400, "/range_end",
          "ends before"},
         {Method::patch, pool_, R"({"cidr":"10.90.0.0/24"})", 409, "/cidr", "have addresses of this pool"},
         {Method::delete_, pool_, "", 409, "-", "?force=true"},
         {Method::post, "/api/cluster/", R"({"name":"edge"})", 409, "/name", "another cluster"},
         {Method::post, "/api/cluster/" + none + "/machines/", machine("n9", nine), 404, "-", "no cluster"},
         {Method::get, cluster_ + "machines/" + none + "/", "", 404, "-", "no machine"}});
}

TEST_F(BadInput, NamesThatWouldLeadElsewhere) {
    refuses(
        {{Method::post, "/api/cluster/", R"({"name":"../etc"})", 400, "/name", "slash"},
         {Method::post, "/api/cluster/", R"({"name":"a\\b"})", 400, "/name", "slash"},
         {Method::post, "/api/cluster/", "{\"name\":\"a\\u0000b\"}", 400, "/name", "control characters"},
         {Method::post, "/api/boot-profiles/", R"({"name":"../x"})", 400, "/name", "must consist of"},
         {Method::post, "/api/boot-profiles/", R"({"name":"x","kernel":"../../etc/passwd"})", 400, "/kernel",
          ""},
         {Method::post, "/api/boot-profiles/", R"({"name":"x","kernel":"/etc/passwd"})", 400, "/kernel", ""},
         {Method::post, "/api/machines/", R"({"hostname":"../n","mac":"02:00:00:00:00:09"})", 400,
          "/hostname", "host name"},
         {Method::post, "/api/machines/", R"({"hostname":"n/1","mac":"02:00:00:00:00:09"})", 400, "/hostname",
          "host name"},
         {Method::put, "/api/images/%2e%2e/x", "x", 400, "-", ""},
         {Method::put, "/api/images/a/../../x", "x", 400, "-", ""},
         {Method::put, "/api/images/a%5cb", "x", 400, "-", ""},
         {Method::put, "/api/images/a%00b", "x", 400, "-", "malformed"},
         {Method::get, "/api/machines/%zz/", "", 400, "-", "malformed"},
         {Method::get, "/api/machines/%ff/", "", 400, "-", "malformed"},
         {Method::get, "/api/machines/..%2f..%2fetc/", "", 404, "-", "no machine"},
         {Method::get, "/docs/..%2f..%2fetc%2fpasswd", "", 404, "-", "no file"}});
}

TEST_F(BadInput, PathsAndQueriesThatAreNotThere) {
    refuses({{Method::get, "/api/nothing/", "", 404, "-", ""},
             {Method::get, "/api/machines/1/", "", 404, "-", "no machine 1"},
             {Method::delete_, "/api/machines/", "", 405, "-", ""},
             {Method::post, "/api/leases/", "{}", 405, "-", ""},
             {Method::get, "/api/machines/?limit=-1", "", 400, "-", "limit"},
             {Method::get, "/api/machines/?limit=99999999999999999999", "", 400, "-", "limit"},
             {Method::get, "/api/machines/?after=1", "", 400, "-", "after"},
             {Method::get, "/api/machines/?sort=hostname&after=%5B1%5D", "", 400, "-", "after"},
             {Method::get, "/api/machines/?sort=hostname&after=%5B%5B%5B", "", 400, "-", "after"},
             {Method::get, "/api/machines/?colour=red", "", 400, "-", "colour is not known"},
             {Method::get, "/api/leases/?binding_state=mine", "", 400, "-", "must be one of"},
             {Method::get, "/api/leases/?sort=colour", "", 400, "-", "not a field of Lease"},
             {Method::get, "/api/images/?sort=colour", "", 400, "-", "not a field of Image"},
             {Method::get, "/api/strangers?mac=x", "", 400, "-", "mac must be"},
             {Method::get, "/api/leases/x/", "", 404, "-", "no lease"},
             {Method::get, machine_ + "timeline?wait=100", "", 400, "-", "wait"}});
}

}  // namespace
}  // namespace rouse::ims
