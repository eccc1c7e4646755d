// Any text as the body that each schema of the API checks, as a list's query, and as a bulk import.
//
// The first byte chooses what it is, the second a schema, the rest is the text.

#include "mgmt/http/json_body.hpp"
#include "mgmt/http/schema.hpp"
#include "mgmt/ims/api.hpp"
#include "mgmt/ims/import_rows.hpp"
#include "mgmt/ims/list_query.hpp"
#include "mgmt/ims/machine_resource.hpp"
#include "mgmt/ims/users.hpp"

#include <cstdlib>
#include <filesystem>
#include <map>

#include <spdlog/spdlog.h>
#include <unistd.h>

namespace {

using namespace rouse;  // NOLINT(google-build-using-namespace): the whole file is about it
using http::Schema;
using nlohmann::json;

void require(bool truth) {
    if (!truth) std::abort();
}

// The API's routes with all that their handlers need, of which none is run.
class Routes {
  public:
    Routes() {
        ims::add_api(router_, services_);
        std::map<std::string, const Schema*> found;
        for (const auto& route : router_.routes())
            for (const Schema* schema : {route.request, route.response})
                if (schema != nullptr) found.emplace(schema->name(), schema);
        for (const auto& [name, schema] : found) schemas_.push_back(schema);
    }
    ~Routes() {
        disk_.join();
        consumer_.reset();
        std::filesystem::remove_all(directory_);
    }
    [[nodiscard]] const Schema& schema(std::uint8_t choice) const {
        return *schemas_[choice % schemas_.size()];
    }

  private:
    [[nodiscard]] static std::string make_directory() {
        spdlog::set_level(spdlog::level::off);
        std::string path = "/dev/shm/rouse-body-fuzz-" + std::to_string(::getpid());
        for (const char* part : {"/lmdb", "/images/sha256", "/run"})
            std::filesystem::create_directories(path + part);
        return path;
    }
    std::string directory_ = make_directory();
    std::unique_ptr<store::Store> store_ = store::Store::open(directory_ + "/lmdb", 64U << 20).value();
    store::Writer writer_{*store_};
    boot::Catalogue catalogue_ = boot::Catalogue::open(directory_ + "/images/sha256", writer_).value();
    boot::Appliance appliance_;
    std::unique_ptr<events::Consumer> consumer_ =
        events::Consumer::create(writer_, appliance_, directory_ + "/run").value();
    ims::Users users_{*store_};
    http::Auth auth_ = http::Auth::open({.key_file = directory_ + "/key.pem"}, users_).value();
    boost::asio::thread_pool disk_{1};
    ims::Services services_{writer_, catalogue_, appliance_, *consumer_, auth_, disk_, "rack0"};
    http::Router router_;
    std::vector<const Schema*> schemas_;
};

void check_problem(const http::Problem& problem) {
    require(http::code(problem.status) >= 400 && http::code(problem.status) < 500);
    require(!problem.detail.empty());
    (void)http::to_json(problem).dump();  // throws for what is not UTF-8
}

void check_bodies(const Schema& schema, std::string_view text) {
    const auto body = http::parse_json(text);
    if (!body) return check_problem(body.error());
    const auto whole = schema.accept(*body);
    if (!whole) check_problem(whole.error());
    if (whole) {
        // What was accepted is canonical, and accepted again.
        const auto again = schema.accept(*whole);
        require(again && *again == *whole);
        (void)whole->dump();
    }
    const auto patch = schema.accept_patch(*body);
    if (!patch) return check_problem(patch.error());
    const auto patched = schema.merge(whole ? *whole : json::object(), *patch);
    if (!patched) return check_problem(patched.error());
    const auto same = schema.merge(*patched, json::object());
    require(same && *same == *patched);
}

// A list of the schema's own objects, some of them odd.
void check_list(const Schema& schema, std::string_view text) {
    http::Request request;
    request.path = "/api/list/";
    auto query = http::Query::parse(text);
    if (!query) return check_problem(query.error());
    request.query = std::move(*query);
    const auto list = ims::ListQuery::parse(schema, request);
    if (!list) return check_problem(list.error());
    const std::string key = schema.fields().front().name();
    const auto source = [&](const json&, const ims::ListQuery::Take& take) -> Outcome<void> {
        for (int i = 0; i < 20; ++i) {
            json object = {{key, "10.77.0." + std::to_string(i)}};
            for (const auto& field : schema.fields())
                if (field.name() != key && i % 3 != 0)
                    object[field.name()] = i % 2 == 0 ? json(i) : json("x");
            if (!take(std::move(object))) break;
        }
        return {};
    };
    const auto page = list->run(source);
    require(page.has_value());
    (void)ims::ListQuery::answer(request, *page);
}

void check_rows(const http::OrProblem<std::vector<ims::ImportRow>>& rows) {
    if (!rows) return check_problem(rows.error());
    require(!rows->empty());
    for (const auto& row : *rows) {
        require(row.fields.at("mac").is_string());
        const auto again = ims::machine_schema().accept(row.fields);
        require(again.has_value() == !row.incomplete.has_value());
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Routes routes;
    if (size < 2) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
    const bool partial = (data[0] & 0x80) != 0;
    switch (data[0] % 4) {
        case 0:
            check_bodies(routes.schema(data[1]), text);
            break;
        case 1:
            check_list(routes.schema(data[1]), text);
            break;
        case 2:
            check_rows(ims::rows_of_csv(text, ims::machine_schema(), "mac", partial));
            break;
        default:
            check_rows(ims::rows_of_json(text, ims::machine_schema(), "mac", partial));
    }
    return 0;
}
