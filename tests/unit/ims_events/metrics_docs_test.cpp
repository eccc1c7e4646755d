// What /metrics has, docs/metrics.md explains and the dashboard asks for.

#include "shared/counters.hpp"
#include "tests/unit/ims_events/observed.hpp"

#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

namespace rouse::ims {
namespace {

std::string source_file(const std::string& path) {
    std::ifstream in(std::string(ROUSE_SOURCE_DIR) + "/" + path);
    std::ostringstream out;
    out << in.rdbuf();
    return std::move(out).str();
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
            std::smatch found;
            if (std::regex_match(line, found, std::regex("# (HELP|TYPE) (\\S+) ?(.*)")))
                (found[1] == "HELP" ? out[found[2]].help : out[found[2]].type) = found[3];
        }
        return out;
    }
};

TEST_F(MetricsDocs, EveryMetricHasHelpAndIsDocumentedAsItIs) {
    const auto all = families();
    ASSERT_GT(all.size(), 70U);
    std::map<std::string, Family> documented;
    std::istringstream lines(source_file("docs/metrics.md"));
    const std::regex row("\\| `(rouse_\\w+)` \\| (\\w+) \\| [^|]* \\| (.*) \\|");
    for (std::string line; std::getline(lines, line);) {
        std::smatch found;
        if (std::regex_match(line, found, row)) documented[found[1]] = {found[2], found[3]};
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
            const std::regex name("rouse_\\w+");
            const std::set<std::string> names(std::sregex_token_iterator(query.begin(), query.end(), name),
                                              std::sregex_token_iterator());
            EXPECT_FALSE(names.empty()) << query;
            asked.insert(names.begin(), names.end());
        }
    EXPECT_GT(queries, 15U);
    for (const std::string& name : asked) {
        const auto base = std::regex_replace(name, std::regex("_(bucket|sum|count)$"), "");
        const bool is_histogram = all.contains(base) && all.at(base).type == "histogram";
        EXPECT_TRUE(all.contains(name) || is_histogram) << "the dashboard asks for " << name;
    }
}

}  // namespace
}  // namespace rouse::ims
