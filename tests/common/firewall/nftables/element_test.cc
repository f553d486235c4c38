// element_test.cc: rules as elements of nftables sets.
#include "common/firewall/nftables/element.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/base/error.h"
#include "common/firewall/nftables/plan.h"
#include "common/firewall/nftables/schema.h"

namespace cnm::firewall {
namespace {

net::Prefix Cidr(std::string_view text) {
  return net::Prefix::Parse(text).value();
}

Rules MakeRules() {
  return {.owner = "0123456789abcdef",
          .network = "blue",
          .masquerades = {{Cidr("192.0.2.5/24")}, {Cidr("2001:db8::5/64")}},
          .spoof_guard = SpoofGuard{"veth0", {{2, 0, 0, 0, 0, 1}}}};
}

TEST(Element, NamesASetByItsSubnet) {
  EXPECT_EQ(MasqueradeSet(Cidr("192.0.2.0/24")), "masquerade-192.0.2.0/24");
  EXPECT_EQ(MasqueradeSet(Cidr("2001:db8::/64")), "masquerade-2001_db8__/64");
}

TEST(Element, IsWhatTheKernelWants) {
  const std::vector<Element> elements = ElementsOf(MakeRules());
  ASSERT_EQ(elements.size(), 4U);
  EXPECT_EQ(elements[0].key, (std::vector<uint8_t>{192, 0, 2, 5}));
  EXPECT_EQ(elements[0].comment, "0123456789abcdef blue");
  EXPECT_EQ(Place(elements[0]), "inet cnm masquerade-192.0.2.0/24");
  EXPECT_EQ(elements[1].key.size(), 16U);
  // 16 bytes of name, 6 of MAC, padded to registers of 4.
  EXPECT_EQ(elements[2].key, (std::vector<uint8_t>{'v', 'e', 't', 'h', '0', 0, 0, 0, 0, 0, 0, 0,
                                                   0,   0,   0,   0,   2,   0, 0, 0, 0, 1, 0, 0}));
  EXPECT_EQ(Place(elements[2]), "bridge cnm guarded_pairs");
  EXPECT_EQ(elements[3].key.size(), 16U);
}

TEST(Element, ComesOnceHoweverOftenItIsNamed) {
  Rules rules = MakeRules();
  rules.masquerades.push_back(rules.masquerades.front());
  EXPECT_EQ(ElementsOf(rules).size(), 4U);
}

TEST(Element, RefusesALinkNameThatTheKernelWouldCut) {
  Rules rules = MakeRules();
  rules.spoof_guard->link = "a-name-of-16-byt";
  EXPECT_THROW(ElementsOf(rules), Error);
  rules.spoof_guard->link = "";
  EXPECT_THROW(ElementsOf(rules), Error);
}

TEST(Element, KnowsTheOwnerOfAComment) {
  EXPECT_EQ(OwnerOf("0123456789abcdef blue sky"), "0123456789abcdef");
  EXPECT_EQ(OwnerOf("0123456789abcdef"), "0123456789abcdef");
  EXPECT_EQ(OwnerOf(""), "");
}

TEST(Schema, IsTheNumberInAChainsName) {
  EXPECT_EQ(SchemaOf(SchemaChain(kSchema)), kSchema);
  EXPECT_EQ(SchemaOf("schema_42"), 42U);
  for (const char* name : {"schema_", "schema_x", "schema_1x", "postrouting", "", "schema_-1"}) {
    EXPECT_EQ(SchemaOf(name), 0U) << name;
  }
}

TEST(Plan, SendsNothingButElementsOnARunningHost) {
  Plan plan;
  for (Element& element : ElementsOf(MakeRules())) plan.wanted.push_back({std::move(element)});
  EXPECT_EQ(MakeDraft(plan).steps.size(), 4U);
  for (Wanted& wanted : plan.wanted) wanted.present = true;
  EXPECT_TRUE(MakeDraft(plan).steps.empty());
}

TEST(Plan, BuildsWhatIsMissingOnce) {
  Plan plan;
  for (Element& element : ElementsOf(MakeRules())) plan.wanted.push_back({std::move(element)});
  plan.missing_sets = {"masquerade-192.0.2.0/24"};
  EXPECT_EQ(MakeDraft(plan).steps.size(), 4U + 2U);  // a set and its rule
  plan.missing_tables = {Table::kInet};
  plan.live = {MakeRules(),
               {.owner = "b", .network = "blue", .masquerades = {{Cidr("192.0.2.6/24")}}}};
  // Table deleted (2), table, schema, hook, 2 rules; two subnets of 2; 3 live masquerades; ours.
  EXPECT_EQ(MakeDraft(plan).steps.size(), 2U + 5U + 4U + 3U + 4U);
}

TEST(Plan, ReplacesInTheSameTransaction) {
  Plan plan;
  plan.wanted.push_back({ElementsOf(MakeRules()).front(), true});
  const Draft draft = MakeDraft(plan);
  ASSERT_EQ(draft.steps.size(), 2U);
  EXPECT_EQ(draft.steps[0].part, Step::Part::kRemoval);
  EXPECT_EQ(draft.steps[1].part, Step::Part::kAddition);
}

TEST(Plan, FindsTheLiveHolderOfAnElement) {
  Plan plan;
  plan.live = {MakeRules()};
  Rules other = MakeRules();
  other.owner = "b";
  EXPECT_EQ(FindHolder(plan, ElementsOf(other).front()), &plan.live.front());
  other.masquerades = {{Cidr("192.0.2.5/25")}};
  EXPECT_EQ(FindHolder(plan, ElementsOf(other).front()), nullptr);
}

}  // namespace
}  // namespace cnm::firewall
