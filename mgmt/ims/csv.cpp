#include "mgmt/ims/csv.hpp"

#include <algorithm>

namespace rouse::ims {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

class Reader {
  public:
    explicit Reader(std::string_view text) : text_(text) {
        if (text_.starts_with(kByteOrderMark)) text_.remove_prefix(kByteOrderMark.size());
    }
    [[nodiscard]] bool at_end() const noexcept { return text_.empty(); }

    // The record that begins here, with its line's end; one of no cells for an empty line.
    tl::expected<CsvRecord, CsvError> next() {
        CsvRecord record{line_, {}};
        if (end_line()) return record;
        for (;;) {
            auto cell = next_cell();
            if (!cell) return tl::unexpected(std::move(cell.error()));
            record.cells.push_back(std::move(*cell));
            if (text_.starts_with(',')) {
                text_.remove_prefix(1);
                continue;
            }
            if (!at_end() && !end_line()) return wrong("has text after a closing quote");
            return record;
        }
    }

  private:
    tl::expected<std::string, CsvError> next_cell() {
        if (text_.starts_with('"')) return quoted_cell();
        const auto end = std::min(text_.find_first_of(",\r\n"), text_.size());
        std::string cell(text_.substr(0, end));
        text_.remove_prefix(end);
        if (text_.starts_with('\r') && !text_.starts_with("\r\n"))
            return wrong("has a carriage return without a line feed");
        if (cell.find('"') != std::string::npos)
            return wrong("has a quote in a cell that is not in quotes; double it and put the cell in quotes");
        return cell;
    }

    tl::expected<std::string, CsvError> quoted_cell() {
        const std::size_t opened = line_;
        std::string cell;
        text_.remove_prefix(1);
        for (;;) {
            const auto quote = text_.find('"');
            if (quote == std::string_view::npos)
                return tl::unexpected(CsvError{opened, "has a quote that is never closed"});
            const auto part = text_.substr(0, quote);
            line_ += static_cast<std::size_t>(std::count(part.begin(), part.end(), '\n'));
            cell += part;
            text_.remove_prefix(quote + 1);
            if (!text_.starts_with('"')) return cell;
            cell += '"';
            text_.remove_prefix(1);
        }
    }

    bool end_line() {
        const std::size_t length = text_.starts_with("\r\n") ? 2 : text_.starts_with('\n') ? 1 : 0;
        text_.remove_prefix(length);
        if (length != 0) ++line_;
        return length != 0;
    }

    [[nodiscard]] tl::unexpected<CsvError> wrong(std::string detail) const {
        return tl::unexpected(CsvError{line_, std::move(detail)});
    }

    std::string_view text_;
    std::size_t line_ = 1;
};

}  // namespace

tl::expected<std::vector<CsvRecord>, CsvError> parse_csv(std::string_view text, std::size_t max_records) {
    Reader reader(text);
    std::vector<CsvRecord> records;
    while (!reader.at_end()) {
        auto record = reader.next();
        if (!record) return tl::unexpected(std::move(record.error()));
        if (record->cells.empty()) continue;
        if (records.size() == max_records)
            return tl::unexpected(CsvError{
                record->line, "is one too many: at most " + std::to_string(max_records) + " fit", true});
        records.push_back(std::move(*record));
    }
    return records;
}

}  // namespace rouse::ims
