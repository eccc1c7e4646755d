#pragma once
// Comma-separated values (RFC 4180): cells in quotes may hold commas, line ends and doubled quotes; lines end
// in CRLF or LF, the last one perhaps in nothing; a byte order mark in front is skipped, and so are empty
// lines.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

namespace rouse::ims {

struct CsvRecord {
    std::size_t line = 0;  // of the text, from 1, where it begins
    std::vector<std::string> cells;
};

struct CsvError {
    std::size_t line = 0;
    std::string detail;  // reads on after "line N": "has a quote that is never closed"
    bool too_many = false;
};

// TEXT is UTF-8. More than MAX_RECORDS are an error like any other.
[[nodiscard]] tl::expected<std::vector<CsvRecord>, CsvError> parse_csv(std::string_view text,
                                                                       std::size_t max_records);

}  // namespace rouse::ims
