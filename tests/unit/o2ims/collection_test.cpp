#include "mgmt/o2ims/query/collection.hpp"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rouse::o2ims {
namespace {

using nlohmann::json;
using testing::HasSubstr;

const http::Schema& item_schema() {
    static const http::Schema schema(
        "Item", "What is listed here",
        {http::string("itemId", "its id").required(), http::string("name", "its name").required(),
         http::integer("size", "how large")});
    return schema;
}

class O2imsListing : public testing::Test {
  protected:
    O2imsListing() {
        for (int i = 100; i < 350; ++i) add("i" + std::to_string(i), i);
    }
    void add(const std::string& id, int size) {
        items_[id] = {{"itemId", id}, {"name", "item " + id}, {"size", size}};
    }
    http::Outcome list(const std::string& raw) {
        request_.path = "/o2ims_infrastructureInventory/v1/items";
        request_.query = http::Query::parse(raw).value();
        const auto listing = Listing::parse(request_, item_schema());
        if (!listing) return tl::unexpected(listing.error());
        auto answer = listing->answer([this](const std::string& after, const Listing::Take& take) {
            for (auto at = items_.upper_bound(after); at != items_.end(); ++at)
                if (!take(at->second)) return;
        });
        const auto of_texts = listing->answer([this](const std::string& after, const Listing::Take& take) {
            for (auto at = items_.upper_bound(after); at != items_.end(); ++at)
                if (const std::string text = at->second.dump(); !take({at->first, text})) return;
        });
        EXPECT_EQ(answer.has_value(), of_texts.has_value());
        if (answer && of_texts) {
            EXPECT_EQ(std::get<std::string>(answer->body), std::get<std::string>(of_texts->body)) << raw;
            EXPECT_EQ(answer->headers.get("Link"), of_texts->headers.get("Link")) << raw;
        }
        return answer;
    }
    json body(const std::string& raw) {
        const auto answer = list(raw);
        EXPECT_TRUE(answer) << raw << ": " << (answer ? "" : answer.error().detail);
        return answer ? json::parse(std::get<std::string>(answer->body)) : json();
    }
    // The query of the next page; empty: there is none.
    std::string next(const std::string& raw) {
        const auto answer = list(raw);
        EXPECT_TRUE(answer);
        const std::string link(answer->headers.get("Link"));
        if (link.empty()) return {};
        EXPECT_THAT(link, HasSubstr("</o2ims_infrastructureInventory/v1/items?"))
            << "the client's own spelling";
        const auto begin = link.find('?') + 1;
        return link.substr(begin, link.find('>') - begin);
    }

    std::map<std::string, json> items_;
    http::Request request_;
};

TEST_F(O2imsListing, PagesLeadThroughAllOfIt) {
    std::vector<std::string> seen;
    std::string query = "filter=(gte,size,110);(neq,name,'item i120')&limit=70";
    for (int pages = 0; !query.empty(); ++pages) {
        ASSERT_LT(pages, 10);
        for (const json& item : body(query)) seen.push_back(item["itemId"]);
        query = next(query);
        // What comes and goes meanwhile moves nothing.
        items_.erase("i10" + std::to_string(pages));
        add("i1" + std::to_string(pages), 500);
        EXPECT_EQ(query.find(';'), std::string::npos) << query;
    }
    EXPECT_GE(seen.size(), 239U);
    EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
    EXPECT_EQ(std::adjacent_find(seen.begin(), seen.end()), seen.end());
}

TEST_F(O2imsListing, SomeClientsCountPagesThemselves) {
    EXPECT_EQ(body("nextpage_opaque_marker=2")[0]["itemId"], "i200");
    EXPECT_EQ(body("nextpage_opaque_marker=3").size(), 50U);
    EXPECT_EQ(list("nextpage_opaque_marker=4").error().status, http::Status::bad_request);
    EXPECT_EQ(body("nextpage_opaque_marker=1").size(), kPage);
}

TEST_F(O2imsListing, WhatIsWrongIsRefused) {
    for (const char* raw :
         {"nextpage_opaque_marker=x", "nextpage_opaque_marker=0", "nextpage_opaque_marker=2x",
          "nextpage_opaque_marker=-1", "limit=0", "limit=10001", "filter=x", "size=3", "fields=nothing",
          "nextpage_opaque_marker=99999999999999999999"}) {
        const auto answer = list(raw);
        ASSERT_FALSE(answer) << raw;
        EXPECT_EQ(answer.error().status, http::Status::bad_request);
    }
}

TEST_F(O2imsListing, SelectorsShapeEachObject) {
    EXPECT_EQ(body("limit=1&exclude_fields=size")[0], (json{{"itemId", "i100"}, {"name", "item i100"}}));
    EXPECT_EQ(body("limit=1&fields=size")[0].size(), 3U);
}

TEST_F(O2imsListing, OneObjectTakesSelectorsToo) {
    request_.query = http::Query::parse("fields=size").value();
    EXPECT_TRUE(answer_one(request_, item_schema(), items_["i100"]));
    request_.query = http::Query::parse("filter=(eq,size,1)").value();
    EXPECT_FALSE(answer_one(request_, item_schema(), items_["i100"]));
}

}  // namespace
}  // namespace rouse::o2ims
