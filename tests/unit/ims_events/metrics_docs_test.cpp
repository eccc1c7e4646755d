// What /metrics has, docs/metrics.md explains and the dashboard asks for.

#include "shared/counters.hpp"
#include "tests/unit/ims_events/observed.hpp"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace rouse::ims {
namespace {

std::string source_file(const std::string& path) {
    std::ifstream in(std::string(ROUSE_SOURCE_DIR) + "/" + path);
    std::ostringstream out;
    out << in.rdbuf();
    return std::move(out).str();
}

// What stands between single blanks; the last is all that is left.
std::vector<std::string> words(const std::string& line, std::size_t most) {
    std::vector<std::string> out;
    std::size_t from = 0;
    while (out.size() + 1 < most) {
        const auto blank = line.find(' ', from);
        if (blank == line.npos) break;
        out.push_back(line.substr(from, blank - from));
        from = blank + 1;
    }
    out.push_back(line.substr(from));
    return out;
}

// The cells of a table's row: "| a | b |".
std::vector<std::string> cells(const std::string& row) {
    std::vector<std::string> out;
    for (auto from = row.find("| "); from != row.npos;) {
        const auto to = row.find(" |", from + 1);
        if (to == row.npos) break;
        out.push_back(to > from + 2 ? row.substr(from + 2, to - from - 2) : "");
        from = to + 1;
    }
    return out;
}

// Each name that a query has of ours.
std::set<std::string> metrics_in(const std::string& query) {
    std::set<std::string> out;
    const auto is_of_name = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
    };
    for (auto at = query.find("rouse_"); at != query.npos; at = query.find("rouse_", at + 1))
        out.insert(
            {query.begin() + static_cast<std::ptrdiff_t>(at),
             std::find_if_not(query.begin() + static_cast<std::ptrdiff_t>(at), query.end(), is_of_name)});
    return out;
}

// Of a histogram's series, the histogram's.
std::string family_of(const std::string& series) {
    for (const std::string_view part : {"_bucket", "_sum", "_count"})
        if (series.ends_with(part)) return series.substr(0, series.size() - part.size());
    return series;
}

class MetricsDocs : public ObservedTest {
  protected:
    struct Family {
        std::string type, help;
    };
    // Every family that /metrics has while a dataplane runs.
    std::map<std::string, Family> families() {
        auto counters = SharedMemory<CountersLayout>::open(run_dir_ + "/counters").value();
        counters->workers = 1;
        std::map<std::string, Family> out;
        std::istringstream lines(get("/metrics").text);
        for (std::string line; std::getline(lines, line);) {
            const auto word = words(line, 4);
            if (word.size() < 4 || word[0] != "#") continue;
            (word[1] == "HELP" ? out[word[2]].help : out[word[2]].type) = word[3];
        }
        return out;
    }
};

TEST_F(MetricsDocs, EveryMetricHasHelpAndIsDocumentedAsItIs) {
    const auto all = families();
    ASSERT_GT(all.size(), 70U);
    std::map<std::string, Family> documented;
    std::istringstream lines(source_file("docs/metrics.md"));
    for (std::string line; std::getline(lines, line);) {
        const auto cell = cells(line);
        if (cell.size() == 4 && cell[0].starts_with("`rouse_"))
            documented[cell[0].substr(1, cell[0].size() - 2)] = {cell[1], cell[3]};
    }
    for (const auto& [name, family] : all) {
        EXPECT_FALSE(family.help.empty()) << name;
        if (!documented.contains(name)) {
            ADD_FAILURE() << name << " is missing in docs/metrics.md";
            continue;
        }
        EXPECT_EQ(documented[name].type, family.type) << name;
        EXPECT_EQ(documented[name].help, family.help) << name;
    }
    for (const auto& [name, family] : documented)
        EXPECT_TRUE(all.contains(name)) << "docs/metrics.md tells of " << name << ", which does not exist";
}

TEST_F(MetricsDocs, EveryQueryOfTheDashboardNamesAMetric) {
    const auto all = families();
    const auto dashboard = nlohmann::json::parse(source_file("docs/grafana/rouse.json"));
    std::set<std::string> asked;
    std::size_t queries = 0;
    for (const auto& panel : dashboard["panels"])
        for (const auto& target : panel["targets"]) {
            ++queries;
            const auto query = target["expr"].get<std::string>();
            const auto names = metrics_in(query);
            EXPECT_FALSE(names.empty()) << query;
            asked.insert(names.begin(), names.end());
        }
    EXPECT_GT(queries, 15U);
    for (const std::string& name : asked) {
        const auto base = family_of(name);
        const bool is_histogram = all.contains(base) && all.at(base).type == "histogram";
        EXPECT_TRUE(all.contains(name) || is_histogram) << "the dashboard asks for " << name;
    }
}

}  // namespace
}  // namespace rouse::ims
