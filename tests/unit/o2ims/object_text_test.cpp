#include "mgmt/o2ims/query/object_text.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace rouse::o2ims {
namespace {

using nlohmann::json;

const json& server() {
    static const json object = json::parse(R"({
        "a": {"deep": {"er": [1, {"x": "}]"}], "empty": {}}, "list": [], "text": "with \"quotes\", {and} [more]\\\\"},
        "b": -1.5e3, "c": null, "d": true, "\"odd\\ name": {"in": "side"}, "z": "last"
    })");
    return object;
}

std::vector<std::string> in_text(std::vector<std::string> names) {
    for (auto& name : names) name = name_in_text(name);
    return names;
}

// What is found at NAMES, and that it is the tree's.
std::optional<json> at(const std::vector<std::string>& names) {
    const std::string text = server().dump();
    const auto found = find_in_text(text, in_text(names));
    if (!found) return std::nullopt;
    json tree = server();
    for (std::size_t i = 0; i < found->depth; ++i) tree = json(tree[names[i]]);
    json value = parse_text(found->value);
    EXPECT_EQ(value, tree);
    EXPECT_TRUE(found->depth == names.size() || !value.is_object());
    return value;
}

TEST(ObjectText, FindsWhatATreeHas) {
    EXPECT_EQ(at({}), server());
    EXPECT_EQ(at({"a", "text"}), "with \"quotes\", {and} [more]\\\\");
    EXPECT_EQ(at({"a", "deep", "empty"}), json::object());
    EXPECT_EQ(at({"a", "list"}), json::array());
    EXPECT_EQ(at({"b"}), -1500.0);
    EXPECT_EQ(at({"c"}), json());
    EXPECT_EQ(at({"d"}), true);
    EXPECT_EQ(at({"z"}), "last");
    EXPECT_EQ(at({"\"odd\\ name", "in"}), "side");
}

TEST(ObjectText, FindsNothingWhereNothingIs) {
    EXPECT_EQ(at({"x"}), std::nullopt);
    EXPECT_EQ(at({"a", "x"}), std::nullopt);
    EXPECT_EQ(at({"a", "deep", "empty", "x"}), std::nullopt);
    EXPECT_EQ(at({""}), std::nullopt);
    EXPECT_FALSE(find_in_text("{}", in_text({"x"})));
}

TEST(ObjectText, StopsAtWhatIsNoObject) {
    EXPECT_EQ(at({"a", "deep", "er", "x"}), (json{1, {{"x", "}]"}}}));
    EXPECT_EQ(at({"b", "x"}), -1500.0);
}

TEST(ObjectText, TellsTheElementsOfAList) {
    const auto elements = [](std::string_view list) {
        std::vector<std::string> out;
        EXPECT_FALSE(any_element(list, [&](std::string_view one) {
            out.emplace_back(one);
            return false;
        }));
        return out;
    };
    EXPECT_EQ(elements(R"(["a,]\"",{"b":[1,"}"]},[[],2],-1.5e3,null])"),
              (std::vector<std::string>{R"("a,]\"")", R"({"b":[1,"}"]})", "[[],2]", "-1.5e3", "null"}));
    EXPECT_TRUE(elements("[]").empty());
    int asked = 0;
    EXPECT_TRUE(any_element("[1,2,3]", [&](std::string_view one) { return ++asked, one == "2"; }));
    EXPECT_EQ(asked, 2);
}

// Only our own text is read so; still nothing may be read beyond its end.
TEST(ObjectText, StaysWithinTextThatIsCut) {
    const std::string text = server().dump();
    const std::vector<std::string> names{"z", "a"};
    for (std::size_t length = 0; length < text.size(); ++length)
        for (const auto& name : names) {
            const std::vector<char> exact(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(length));
            const std::string_view cut(exact.data(), exact.size());
            const auto found = find_in_text(cut, in_text({name, "deep", "er"}));
            if (!found || found->value.empty()) continue;
            EXPECT_LE(found->value.data() + found->value.size(), cut.data() + cut.size());
            EXPECT_FALSE(any_element(found->value, [&](std::string_view one) {
                return one.data() + one.size() > cut.data() + cut.size();
            }));
        }
}

}  // namespace
}  // namespace rouse::o2ims
