// Alarms and measurements that there are, and the manual's tables of them.

#include "mgmt/o2ims/alarm_definitions.hpp"
#include "mgmt/o2ims/measurements.hpp"

#include <algorithm>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>

namespace rouse::o2ims {
namespace {

// Rows of the tables in FILE of docs whose first cell is a name in backticks: their cells.
std::vector<std::vector<std::string>> rows_of(const std::string& file) {
    std::ifstream in(std::string(ROUSE_SOURCE_DIR) + "/docs/" + file);
    EXPECT_TRUE(in) << file;
    std::vector<std::vector<std::string>> out;
    for (std::string line; std::getline(in, line);) {
        if (!line.starts_with("| `")) continue;
        std::vector<std::string> cells;
        for (std::size_t at = 2; at < line.size();) {
            const auto end = std::min(line.find(" |", at), line.size());
            cells.push_back(line.substr(at, end - at));
            at = end + 3;
        }
        cells[0] = cells[0].substr(1, cells[0].size() - 2);
        out.push_back(std::move(cells));
    }
    return out;
}

TEST(O2imsDocs, TheTableOfAlarmsIsTheDictionary) {
    const auto rows = rows_of("o2ims-alarms.md");
    ASSERT_EQ(rows.size(), kAlarmTable.size());
    constexpr const char* kSeverities[] = {"critical", "major", "minor", "warning", "indeterminate"};
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto& alarm = kAlarmTable[i];
        EXPECT_EQ(rows[i].at(0), alarm.name);
        EXPECT_EQ(rows[i].at(1), kAlarmSubjects[static_cast<std::size_t>(alarm.subject)]) << alarm.name;
        EXPECT_THAT(rows[i].at(2), testing::StartsWith(kSeverities[static_cast<std::size_t>(alarm.severity)]))
            << alarm.name;
        EXPECT_EQ(rows[i].at(5), alarm.cause) << alarm.name;
    }
}

TEST(O2imsDocs, TheTableOfMeasurementsIsTheDictionary) {
    std::set<std::string> told, known;
    for (const auto& row : rows_of("o2ims-performance.md")) told.insert(row.at(0) + " in " + row.at(2));
    for (const auto& one : measurements()) known.insert(std::string(one.id) + " in " + std::string(one.unit));
    EXPECT_EQ(told, known);
}

}  // namespace
}  // namespace rouse::o2ims
