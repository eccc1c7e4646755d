// POST /api/machines/import/: thousands of machines at once, all or none.

#include "mgmt/boot/machine.hpp"
#include "mgmt/events/cluster_status.hpp"
#include "mgmt/http/json_body.hpp"
#include "mgmt/ims/api.hpp"
#include "mgmt/ims/blocking.hpp"
#include "mgmt/ims/import_rows.hpp"
#include "mgmt/ims/machine_resource.hpp"
#include "mgmt/ims/problems.hpp"

#include <set>

#include <malloc.h>

namespace rouse::ims {

using namespace store;  // NOLINT(google-build-using-namespace): documents and what is done with them
using http::FieldError;
using http::OrProblem;
using http::Request;
using http::Status;
using nlohmann::json;
namespace asio = boost::asio;

namespace {

constexpr std::size_t kMaxBody = std::size_t{16} << 20;
constexpr const char* kKey = "mac";

const http::Schema& report_schema() {
    static const http::Schema schema(
        "ImportReport", "What an import did, or with dry_run would do",
        {http::integer("rows", "that were in it").read_only(),
         http::integer("created", "machines that are new").read_only(),
         http::integer("updated", "machines that were there and have changed").read_only(),
         http::integer("unchanged", "machines that were there as the import has them").read_only(),
         http::integer("waiting", "of the new ones, those for which no pool has an address").read_only(),
         http::boolean("dry_run", "true: nothing was changed").read_only()});
    return schema;
}

struct Options {
    bool dry_run = false, upsert = false;
};

struct Report {
    std::size_t created = 0, updated = 0, unchanged = 0, waiting = 0;
};

// Why nothing was changed: trouble with the store, rows that cannot be, or that it was only a rehearsal.
struct Undone {
    std::optional<Failure> trouble{};
    std::vector<FieldError> errors{};
    bool all_conflicts = true;
    std::optional<Report> rehearsed{};

    Undone() = default;
    explicit Undone(const Error& error) : trouble(error) {}
};

OrProblem<Options> parse_options(const Request& request) {
    Options options;
    for (const auto& [name, value] : request.query.pairs()) {
        if (name != "dry_run" && name != "upsert")
            return http::problem(Status::bad_request, "the query parameter " + name + " is not known here");
        if (value != "true" && value != "false")
            return http::problem(Status::bad_request,
                                 "the query parameter " + name + " must be true or false");
        (name == "dry_run" ? options.dry_run : options.upsert) = value == "true";
    }
    return options;
}

// Null is as good as absent: an address that a pool has not, a merge drops.
bool says_all_of(const json& fields, const json& others) {
    for (const auto& [name, value] : others.items()) {
        const auto found = fields.find(name);
        if (found == fields.end() ? !value.is_null() : *found != value) return false;
    }
    return true;
}

// The import as one operation of the Writer: rows one after the other, what they share at the end.
class MachineImport {
  public:
    MachineImport(Batch& batch, const Services& services, const Options& options)
        : batch_(batch), appliance_(services.appliance), options_(options) {}

    tl::expected<Report, Undone> run(const std::vector<ImportRow>& rows) {
        for (const ImportRow& row : rows) {
            const auto done = apply(row);
            if (done) continue;
            if (!note(row, done.error())) return tl::unexpected(std::move(undone_));
        }
        for (const Id& cluster : clusters_)
            if (auto counted = events::refresh_cluster(batch_, cluster); !counted) {
                undone_.trouble = counted.error();
                return tl::unexpected(std::move(undone_));
            }
        if (!undone_.errors.empty()) return tl::unexpected(std::move(undone_));
        if (!options_.dry_run) return report_;
        undone_.rehearsed = report_;
        return tl::unexpected(std::move(undone_));
    }

  private:
    Outcome<void> apply(const ImportRow& row) {
        if (options_.upsert) {
            auto known =
                find_by(batch_, kMachines, kMachineByMac, row.fields.at(kKey).get_ref<const std::string&>());
            if (!known) return pass_on(known.error());
            if (*known) return change(**known, row);
        }
        if (row.incomplete)
            return refuse(Failure::Kind::invalid, row.incomplete->detail, row.incomplete->pointer);
        const auto made = boot::register_machine(batch_, appliance_, as_new_machine(row.fields));
        if (!made) return pass_on(made.error());
        ++report_.created;
        if (made->text("ip").empty()) ++report_.waiting;
        touch(*made);
        return {};
    }
    Outcome<void> change(const Document& current, const ImportRow& row) {
        auto fields = merge(machine_schema(), current.fields, row.fields);
        if (!fields) return pass_on(fields.error());
        if (says_all_of(*fields, current.fields) && says_all_of(current.fields, *fields)) {
            ++report_.unchanged;
            return {};
        }
        const auto changed = boot::change_machine(batch_, appliance_, current, std::move(*fields));
        if (!changed) return pass_on(changed.error());
        ++report_.updated;
        touch(current);
        touch(*changed);
        return {};
    }
    void touch(const Document& machine) {
        if (const auto cluster = Id::parse(machine.text("cluster"))) clusters_.insert(*cluster);
    }
    // False: it is of no use to go on.
    bool note(const ImportRow& row, const Failure& why) {
        if (why.kind == Failure::Kind::store) {
            undone_.trouble = why;
            return false;
        }
        undone_.all_conflicts = undone_.all_conflicts && why.kind == Failure::Kind::conflict;
        undone_.errors.push_back({why.pointer, why.message, row.number});
        return undone_.errors.size() <= kMaxImportErrors;
    }

    Batch& batch_;
    const boot::Appliance& appliance_;
    const Options& options_;
    std::set<Id> clusters_;
    Report report_;
    Undone undone_;
};

http::Response answer(const Report& report, std::size_t rows, bool dry_run) {
    return http::Response::json({{"rows", rows},
                                 {"created", report.created},
                                 {"updated", report.updated},
                                 {"unchanged", report.unchanged},
                                 {"waiting", report.waiting},
                                 {"dry_run", dry_run}});
}

http::Outcome answer(const tl::expected<Report, Undone>& done, std::size_t rows) {
    if (done) return answer(*done, rows, false);
    const Undone& undone = done.error();
    if (undone.trouble) return refused(*undone.trouble);
    if (undone.rehearsed) return answer(*undone.rehearsed, rows, true);
    const Status status = undone.all_conflicts ? Status::conflict : Status::bad_request;
    return tl::unexpected(rows_problem(status, undone.errors, rows));
}

asio::awaitable<http::Outcome> import_machines(const Services& services, Request& request) {
    const auto options = parse_options(request);
    if (!options) co_return tl::unexpected(options.error());
    const std::string type = http::media_type(request);
    const bool is_csv = type == "text/csv";
    if (!is_csv && type != "application/json")
        co_return http::problem(Status::unsupported_media_type,
                                "the body's Content-Type must be text/csv or application/json");
    auto text = co_await http::read_text(request, kMaxBody);
    if (!text) co_return tl::unexpected(text.error());
    // Away from the io threads, which others wait for.
    auto rows = co_await run_on(services.disk, [&] {
        auto read = is_csv ? rows_of_csv(*text, machine_schema(), kKey, options->upsert)
                           : rows_of_json(*text, machine_schema(), kKey, options->upsert);
        std::string().swap(*text);
        return read;
    });
    if (!rows) co_return tl::unexpected(rows.error());
    const auto done = co_await services.change(
        request, [&](Batch& batch) { return MachineImport(batch, services, *options).run(*rows); });
    const std::size_t total = rows->size();
    co_await run_on(services.disk, [&] {
        rows->clear();
        rows->shrink_to_fit();
        return ::malloc_trim(0);  // an import is rare and large: what it took goes back to the system
    });
    co_return answer(done, total);
}

}  // namespace

void add_machine_import(http::Router& router, const Services& services) {
    router.add(
        {.method = http::Method::post,
         .pattern = "/api/machines/import/",
         .access = http::Access::of(http::Role::operator_),
         .tag = "Machines",
         .summary = "Register many machines at once, all or none",
         .body = http::BodyKind::stream,
         .request = &machine_schema(),
         .response = &report_schema(),
         .media = {"application/json", "text/csv"},
         .request_is_list = true,
         .query = {{"dry_run", "true: check and plan everything, change nothing", "boolean"},
                   {"upsert", "true: a machine whose mac is registered is changed instead", "boolean"}},
         .failures = {Status::conflict, Status::content_too_large, Status::unsupported_media_type,
                      Status::insufficient_storage}},
        http::Handler([services](Request& request) { return import_machines(services, request); }));
}

}  // namespace rouse::ims
