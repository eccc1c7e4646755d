#include "mgmt/ims/import_rows.hpp"

#include "mgmt/http/json_body.hpp"
#include "mgmt/http/json_pointer.hpp"
#include "mgmt/http/uri.hpp"
#include "mgmt/ims/csv.hpp"

#include <algorithm>
#include <set>
#include <unordered_map>

namespace rouse::ims {

using http::Field;
using http::FieldError;
using http::FieldType;
using http::OrProblem;
using http::Status;
using nlohmann::json;

namespace {

tl::unexpected<http::Problem> too_many() {
    return http::problem(Status::content_too_large,
                         "at most " + std::to_string(kMaxImportRows) + " machines are imported at once");
}

// Takes raw rows one by one and checks them.
class RowCheck {
  public:
    RowCheck(const http::Schema& schema, const char* key, bool partial)
        : schema_(schema), key_(key), partial_(partial) {}

    void add(const json& raw) {
        const std::size_t number = ++total_;
        auto whole = schema_.accept(raw);
        if (whole) return keep({number, std::move(*whole)});
        if (!partial_ || !raw.is_object()) return refuse(number, whole.error().errors);
        auto some = schema_.accept_patch(raw);
        if (!some) return refuse(number, some.error().errors);
        keep({number, std::move(*some), whole.error().errors.front()});
    }
    void wrong(std::string detail) { refuse(++total_, {{"", std::move(detail)}}); }

    OrProblem<std::vector<ImportRow>> finish() {
        if (!errors_.empty())
            return tl::unexpected(rows_problem(Status::bad_request, std::move(errors_), total_));
        if (rows_.empty()) return http::problem(Status::bad_request, "there is no row to import");
        return std::move(rows_);
    }

  private:
    void keep(ImportRow row) {
        const auto key = row.fields.find(key_);
        const std::string pointer = http::pointer_step(key_);
        if (key == row.fields.end() || !key->is_string())
            return refuse(row.number, {{pointer, "is required"}});
        const auto [first, fresh] = seen_.emplace(key->get<std::string>(), row.number);
        if (!fresh) return refuse(row.number, {{pointer, "is row " + std::to_string(first->second) + "'s"}});
        rows_.push_back(std::move(row));
    }
    void refuse(std::size_t number, const std::vector<FieldError>& errors) {
        for (const auto& error : errors) errors_.push_back({error.pointer, error.detail, number});
    }

    const http::Schema& schema_;
    const char* key_;
    bool partial_;
    std::size_t total_ = 0;
    std::vector<ImportRow> rows_;
    std::vector<FieldError> errors_;
    std::unordered_map<std::string, std::size_t> seen_;
};

// The fields that a CSV's columns stand for; null: a column that only the appliance writes.
OrProblem<std::vector<const Field*>> columns_of(const http::Schema& schema, const CsvRecord& header) {
    std::vector<const Field*> columns;
    std::vector<FieldError> errors;
    std::set<std::string_view> seen;
    for (const auto& name : header.cells) {
        const Field* field = schema.find(name);
        if (field == nullptr)
            errors.push_back(
                {http::pointer_step(name), "is a column that is not a field of " + schema.name()});
        else if (!seen.insert(name).second)
            errors.push_back({http::pointer_step(name), "is a column twice"});
        columns.push_back(field != nullptr && field->is_read_only() ? nullptr : field);
    }
    if (!errors.empty()) return http::invalid_body(std::move(errors));
    return columns;
}

// TEXT as the schema's check takes it: what it cannot be stays text, which the check then refuses.
json cell_value(const Field& field, const std::string& text) {
    switch (field.type()) {
        case FieldType::integer:
        case FieldType::number:
        case FieldType::boolean:
        case FieldType::map:
        case FieldType::object:
        case FieldType::any: {
            auto parsed = http::parse_json(text);
            return parsed ? std::move(*parsed) : json(text);
        }
        case FieldType::array: {
            json out = json::array();
            for (std::size_t at = 0; at <= text.size();) {
                const auto end = std::min(text.find(';', at), text.size());
                out.push_back(cell_value(field.element(), text.substr(at, end - at)));
                at = end + 1;
            }
            return out;
        }
        default:
            return text;
    }
}

}  // namespace

http::Problem rows_problem(Status status, std::vector<FieldError> errors, std::size_t total) {
    std::set<std::size_t> rows;
    for (const auto& error : errors) rows.insert(error.row);
    const auto& first = errors.front();
    std::string detail = std::to_string(rows.size()) + " of " + std::to_string(total) +
                         (total == 1 ? " row" : " rows") +
                         " cannot be imported, so nothing was changed; row " + std::to_string(first.row) +
                         ": " + (first.pointer.empty() ? "it" : first.pointer.substr(1)) + " " + first.detail;
    if (errors.size() > kMaxImportErrors) {
        errors.resize(kMaxImportErrors);
        detail += "; the first " + std::to_string(kMaxImportErrors) + " errors are listed";
    }
    return {status, std::move(detail), std::move(errors), {}};
}

OrProblem<std::vector<ImportRow>> rows_of_json(std::string_view text, const http::Schema& schema,
                                               const char* key, bool partial) {
    const auto body = http::parse_json(text);
    if (!body) return tl::unexpected(body.error());
    if (!body->is_array())
        return http::invalid_field("", "must be an array of objects, one for each machine");
    if (body->size() > kMaxImportRows) return too_many();
    RowCheck check(schema, key, partial);
    for (const auto& raw : *body) check.add(raw);
    return check.finish();
}

OrProblem<std::vector<ImportRow>> rows_of_csv(std::string_view text, const http::Schema& schema,
                                              const char* key, bool partial) {
    if (!http::is_utf8(text)) return http::problem(Status::bad_request, "the body is not UTF-8");
    auto records = parse_csv(text, kMaxImportRows + 1);  // with the header
    if (!records && records.error().too_many) return too_many();
    if (!records)
        return http::problem(Status::bad_request,
                             "line " + std::to_string(records.error().line) + " " + records.error().detail);
    if (records->empty())
        return http::problem(Status::bad_request,
                             "the body is empty; its first line must name the columns, such as hostname,mac");
    const auto columns = columns_of(schema, records->front());
    if (!columns) return tl::unexpected(columns.error());
    RowCheck check(schema, key, partial);
    for (std::size_t i = 1; i < records->size(); ++i) {
        const auto& cells = (*records)[i].cells;
        if (cells.size() != columns->size()) {
            check.wrong("has " + std::to_string(cells.size()) + " cells, where the header has " +
                        std::to_string(columns->size()) + " (line " + std::to_string((*records)[i].line) +
                        ")");
            continue;
        }
        json raw = json::object();
        for (std::size_t c = 0; c < cells.size(); ++c)
            if (const Field* field = (*columns)[c]; field != nullptr && !cells[c].empty())
                raw[field->name()] = cell_value(*field, cells[c]);
        check.add(raw);
    }
    return check.finish();
}

}  // namespace rouse::ims
