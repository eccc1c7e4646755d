#include "mgmt/http/password.hpp"
#include "tests/unit/ims/api_fixture.hpp"

#include <fstream>

#include <sys/stat.h>

namespace rouse::ims {
namespace {

class UsersTest : public ApiTest {};

TEST_F(UsersTest, TheFirstStartMakesAnAdministrator) {
    const std::string file = directory_.path() + "/admin-password";
    ASSERT_TRUE(*ensure_first_user(*writer_, file));
    struct stat status {};
    ASSERT_EQ(::stat(file.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    std::string password;
    std::ifstream(file) >> password;
    EXPECT_EQ(password.size(), 32U);
    const auto admin = users_.find("admin");
    ASSERT_TRUE(admin && *admin);
    EXPECT_EQ((*admin)->roles, http::Roles(http::Role::administrator));
    EXPECT_TRUE(http::verify_password(password, (*admin)->password_hash));
    EXPECT_FALSE(*ensure_first_user(*writer_, file)) << "only the first";
    EXPECT_EQ(post("/api/token/", {{"username", "admin"}, {"password", password}}).code, 200U);
    EXPECT_EQ(post("/api/token/", {{"username", "admin"}, {"password", "wrong"}}).code, 401U);
}

TEST_F(UsersTest, NeverShowTheirPasswords) {
    const json made =
        make("/api/users/", {{"username", "bob"}, {"password", "secret-word"}, {"role", "viewer"}});
    for (const auto& answer : {made.dump(), get("/api/users/").text, get(path("/api/users/", made)).text}) {
        EXPECT_EQ(answer.find("secret-word"), std::string::npos);
        EXPECT_EQ(answer.find("argon2"), std::string::npos);
        EXPECT_EQ(answer.find("password"), std::string::npos);
    }
    EXPECT_TRUE(http::verify_password("secret-word", (*users_.find("bob"))->password_hash));
}

TEST_F(UsersTest, ChangeRoleAndPasswordApart) {
    const json made =
        make("/api/users/", {{"username", "bob"}, {"password", "secret-word"}, {"role", "viewer"}});
    const std::string here = path("/api/users/", made);
    EXPECT_EQ(patch(here, {{"role", "operator"}}).body()["role"], "operator");
    EXPECT_TRUE(http::verify_password("secret-word", (*users_.find("bob"))->password_hash));
    EXPECT_EQ(patch(here, {{"password", "another-word"}}).code, 200U);
    EXPECT_TRUE(http::verify_password("another-word", (*users_.find("bob"))->password_hash));
    EXPECT_EQ((*users_.find("bob"))->roles, http::Roles(http::Role::operator_));
    EXPECT_EQ(put(here, {{"username", "rob"}, {"role", "viewer"}, {"password", "third-word"}}).code, 200U);
    EXPECT_FALSE(*users_.find("bob"));
    EXPECT_TRUE(http::verify_password("third-word", (*users_.find("rob"))->password_hash));
}

TEST_F(UsersTest, HoldSeveralRoles) {
    const json made = make("/api/users/", {{"username", "smo"},
                                           {"password", "secret-word"},
                                           {"role", "o2ims-reader"},
                                           {"roles", {"o2ims-subscriber", "worker"}}});
    using enum http::Role;
    EXPECT_EQ((*users_.find("smo"))->roles, http::Roles(o2ims_reader, o2ims_subscriber, worker));
    EXPECT_EQ(patch(path("/api/users/", made), {{"roles", {"king"}}}).wrong_field(), "/roles/0");
    EXPECT_EQ(patch(path("/api/users/", made), {{"roles", json::array()}}).code, 200U);
    EXPECT_EQ((*users_.find("smo"))->roles, http::Roles(o2ims_reader));
}

TEST_F(UsersTest, BadInputNamesTheField) {
    make("/api/users/", {{"username", "bob"}, {"password", "secret-word"}, {"role", "viewer"}});
    struct Case {
        json body;
        unsigned code;
        const char* field;
    };
    for (const Case& wrong :
         {Case{{{"password", "secret-word"}, {"role", "viewer"}}, 400, "/username"},
          {{{"username", "a"}, {"role", "viewer"}}, 400, "/password"},
          {{{"username", "a"}, {"password", "short"}, {"role", "viewer"}}, 400, "/password"},
          {{{"username", "a"}, {"password", "secret-word"}}, 400, "/role"},
          {{{"username", "a"}, {"password", "secret-word"}, {"role", "king"}}, 400, "/role"},
          {{{"username", "bob"}, {"password", "secret-word"}, {"role", "viewer"}}, 409, "/username"}}) {
        const auto answer = post("/api/users/", wrong.body);
        EXPECT_EQ(answer.code, wrong.code) << answer.text;
        EXPECT_EQ(answer.wrong_field(), wrong.field) << answer.text;
    }
}

TEST_F(UsersTest, TheLastAdministratorStays) {
    const json root =
        make("/api/users/", {{"username", "root"}, {"password", "secret-word"}, {"role", "administrator"}});
    const std::string here = path("/api/users/", root);
    EXPECT_EQ(remove(here).code, 409U);
    EXPECT_EQ(patch(here, {{"role", "viewer"}}).wrong_field(), "/role");
    make("/api/users/", {{"username", "root2"}, {"password", "secret-word"}, {"role", "administrator"}});
    EXPECT_EQ(patch(here, {{"role", "viewer"}}).code, 200U);
    EXPECT_EQ(remove(here).code, 204U);
}

}  // namespace
}  // namespace rouse::ims
