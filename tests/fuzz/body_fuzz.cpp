// Any text as the body that each schema of the API checks, as a list's query, and as a bulk import. The
// schemas are those of the routes that rouse-mgmt has, so that none can be forgotten.
//
// The first byte says what the text is, the second which schema it is for (0x40 in the first: every one), the
// rest is the text.

#include "mgmt/http/json_body.hpp"
#include "mgmt/http/openapi.hpp"
#include "mgmt/ims/import_rows.hpp"
#include "mgmt/ims/list_query.hpp"
#include "mgmt/ims/machine_resource.hpp"
#include "tests/fuzz/example.hpp"
#include "tests/unit/api/whole_api.hpp"

#include <cstdlib>
#include <vector>

#include <spdlog/spdlog.h>

namespace {

using namespace rouse;  // NOLINT(google-build-using-namespace): the whole file is about it
using http::Schema;
using nlohmann::json;

void require(bool truth) {
    if (!truth) std::abort();
}

// The routes with all that their handlers need, of which none is run.
class Routes final : public ims::WholeApiTest {
  public:
    Routes() {
        spdlog::set_level(spdlog::level::off);
        for (const http::Router* router : {&whole_, &whole_rack_})
            for (const auto& [name, schema] : http::schemas_of(*router)) schemas_.push_back(schema);
        require(schemas_.size() > 50);
    }
    [[nodiscard]] const std::vector<const Schema*>& schemas() const { return schemas_; }

  private:
    void TestBody() override {}
    std::vector<const Schema*> schemas_;
};

void check_problem(const http::Problem& problem) {
    require(http::code(problem.status) >= 400 && http::code(problem.status) < 500);
    require(!problem.detail.empty());
    const auto answer = http::Response::from(problem);
    require(json::parse(std::get<std::string>(answer.body)).at("detail").is_string());
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
        require(http::parse_json(whole->dump()) == *whole);
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

void check(std::uint8_t kind, const Schema& schema, std::string_view text) {
    const bool partial = (kind & 0x80) != 0;
    switch (kind & 0x3f) {
        case 1:
            return check_list(schema, text);
        case 2:
            return check_rows(ims::rows_of_csv(text, ims::machine_schema(), "mac", partial));
        case 3:
            return check_rows(ims::rows_of_json(text, ims::machine_schema(), "mac", partial));
        case 4: {
            fuzz::Choices choices(text);
            return check_bodies(schema, fuzz::example_of(schema, choices).dump());
        }
        default:
            return check_bodies(schema, text);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Routes routes;
    if (size < 2) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
    const auto& schemas = routes.schemas();
    if ((data[0] & 0x40) == 0)
        check(data[0], *schemas[data[1] % schemas.size()], text);
    else
        for (const Schema* schema : schemas) check(data[0], *schema, text);
    return 0;
}
