// element_test.cc: rules as elements of nftables sets.
#include "common/firewall/nftables/element.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/base/error.h"
#include "common/firewall/nftables/plan.h"
#include "common/firewall/nftables/ports.h"
#include "common/firewall/nftables/schema.h"
#include "common/firewall/nftables/translation.h"

namespace cnm::firewall::nftables {
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
  EXPECT_EQ(HairpinSet(Cidr("2001:db8::/64")), "hairpin-2001_db8__/64");
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

TEST(Element, OfAPassageIsInBothTables) {
  Rules rules{.owner = "0123456789abcdef", .network = "blue"};
  rules.passages = {{.bridge = "br0",
                     .protocol = Protocol::kUdp,
                     .from = Cidr("192.0.2.5/24").address,
                     .to = Cidr("192.0.2.6/24").address,
                     .port = 0x1234}};
  const std::vector<Element> elements = ElementsOf(rules);
  ASSERT_EQ(elements.size(), 2U);
  EXPECT_EQ(Place(elements[0]), "inet cnm passages_v4");
  EXPECT_EQ(Place(elements[1]), "bridge cnm passages_v4");
  EXPECT_EQ(elements[1].what, "passage 192.0.2.5 -> 192.0.2.6:4660/udp");
  EXPECT_EQ(elements[1].key,
            (std::vector<uint8_t>{192, 0, 2, 5, 192, 0, 2, 6, 17, 0, 0, 0, 0x12, 0x34, 0, 0}));
  EXPECT_TRUE(elements[0].shared) << "both of its endpoints may have asked for it";
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
  EXPECT_EQ(NetworkOf("0123456789abcdef blue sky"), "blue sky");
  EXPECT_EQ(NetworkOf("0123456789abcdef"), "");
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
  EXPECT_EQ(MakeDraft(plan).steps.size(), 4U);  // of four sets
  for (Wanted& wanted : plan.wanted) wanted.present = true;
  EXPECT_TRUE(MakeDraft(plan).steps.empty());
}

std::vector<Element> Wanting(Plan& plan, const Rules& rules) {
  std::vector<Element> elements = ElementsOf(rules);
  for (const Element& element : elements) plan.wanted.push_back({element});
  return elements;
}

TEST(Plan, BuildsWhatIsMissingOnce) {
  Plan plan;
  Wanting(plan, MakeRules());
  plan.inventory = Inventory{{Table::kInet, {.sets = {"masquerade-2001_db8__/64"}}},
                             {Table::kBridge, {.chains = {"prerouting"}}}};
  EXPECT_EQ(MakeDraft(plan).steps.size(), 4U + 2U);  // a set and its rule
  plan.rebuilt = {Table::kInet};
  plan.replayed =
      ElementsOf({.owner = "b", .network = "blue", .masquerades = {{Cidr("192.0.2.6/24")}}});
  // A set removed; table, schema, hook, 2 rules; two subnets of 2; 1 live masquerade; ours.
  EXPECT_EQ(MakeDraft(plan).steps.size(), 1U + 5U + 4U + 1U + 4U);
}

TEST(Plan, LeavesWhatIsNotOursWhenItRebuilds) {
  Structure structure({{Table::kInet,
                        {.schema = 1,
                         .chains = {"user", "mine", "schema_1", "postrouting"},
                         .sets = {"mine", "masquerade-192.0.2.0/24"}}}});
  structure.Rebuild(Table::kInet);
  // 2 chains emptied and removed, 1 set; table, schema, hook, 2 rules.
  EXPECT_EQ(structure.messages().size(), 4U + 1U + 5U);
}

TEST(Plan, PutsAsManyElementsInAMessageAsItTakes) {
  Rules rules{.owner = "0123456789abcdef", .network = std::string(200, 'x')};
  for (uint16_t port = 1; port <= 100; ++port) {
    rules.publication.mappings.push_back({.host_address = net::Address::Parse("2001:db8::1"),
                                          .host_port = port,
                                          .target_port = static_cast<uint16_t>(port + 1),
                                          .target = Cidr("2001:db8:1::5/64")});
  }
  Plan plan;
  Wanting(plan, rules);
  EXPECT_EQ(MakeDraft(plan).steps.size(), 100U / 4U + 1U);
  rules.network = "blue";
  plan.wanted.clear();
  Wanting(plan, rules);
  EXPECT_LT(MakeDraft(plan).steps.size(), 20U);
  plan.detailed = true;
  EXPECT_EQ(MakeDraft(plan).steps.size(), 101U);
}

TEST(Plan, ReplacesInTheSameTransaction) {
  Plan plan;
  const Element element = ElementsOf(MakeRules()).front();
  plan.wanted.push_back({element});
  plan.removals.push_back(element);
  const Draft draft = MakeDraft(plan);
  ASSERT_EQ(draft.steps.size(), 2U);
  EXPECT_EQ(draft.steps[0].kind, Step::Kind::kRemoval);
  EXPECT_EQ(draft.steps[1].kind, Step::Kind::kAddition);
}

TEST(Plan, SeesASetThatSomebodyDeleted) {
  Element port;
  for (Element& element :
       ElementsOf({.owner = "a",
       .network = "blue",
       .publication = {
           .mappings = {{.host_port = 80, .target_port = 80, .target = Cidr("10.1.0.5/24")}}}})) {
    if (element.part == Part::kPublication) port = element;
  }
  EXPECT_FALSE(IsDamaged({}, port));
  EXPECT_TRUE(IsDamaged({{Table::kInet, {.chains = {"reflected"}}}}, port));
}

PortMapping Mapping(uint16_t host, uint16_t target, uint16_t count = 1) {
  return {.host_port = host, .target_port = target, .count = count, .target = Cidr("10.1.0.5/24")};
}

std::string Normalized(const std::vector<PortMapping>& mappings) {
  std::string text;
  for (const Published& published : Normalize(mappings)) {
    text += Describe(published) + ">" + std::to_string(published.target_port) + " ";
  }
  return text;
}

TEST(Ports, AreOneRangeWhereTheyMay) {
  EXPECT_EQ(Normalized({Mapping(82, 82), Mapping(80, 80), Mapping(81, 81)}),
            "0.0.0.0:80-82/tcp>80 ");
  EXPECT_EQ(Normalized({Mapping(80, 80), Mapping(82, 82)}), "0.0.0.0:80/tcp>80 0.0.0.0:82/tcp>82 ");
  EXPECT_EQ(Normalized({Mapping(8000, 80, 2)}), "0.0.0.0:8000/tcp>80 0.0.0.0:8001/tcp>81 ");
  EXPECT_EQ(Normalized({Mapping(65535, 65535), Mapping(1, 1)}),
            "0.0.0.0:1/tcp>1 0.0.0.0:65535/tcp>65535 ");
  PortMapping other = Mapping(81, 81);
  other.target = Cidr("10.1.0.6/24");
  EXPECT_EQ(Normalized({Mapping(80, 80), other}), "0.0.0.0:80/tcp>80 0.0.0.0:81/tcp>81 ");
  other = Mapping(81, 81);
  other.protocol = Protocol::kSctp;
  EXPECT_EQ(Normalized({Mapping(80, 80), other}), "0.0.0.0:80/tcp>80 0.0.0.0:81/sctp>81 ");
  other = Mapping(81, 81);
  other.host_address = net::Address::Parse("192.0.2.1");
  EXPECT_EQ(Normalized({Mapping(80, 80), other}), "0.0.0.0:80/tcp>80 192.0.2.1:81/tcp>81 ");
}

TEST(Ports, CountOnce) {
  EXPECT_EQ(Normalized({Mapping(80, 1), Mapping(80, 2)}), "0.0.0.0:80/tcp>1 ");
  EXPECT_EQ(Normalized({Mapping(80, 80, 3), Mapping(81, 81, 3), Mapping(82, 5)}),
            "0.0.0.0:80-83/tcp>80 ");
  PortMapping any = Mapping(80, 80);
  any.host_address = net::Address::Parse("0.0.0.0");
  EXPECT_EQ(Normalized({any, Mapping(80, 80)}), "0.0.0.0:80/tcp>80 ");
}

TEST(Ports, RefuseWhatCannotBe) {
  EXPECT_THROW(Normalize({Mapping(0, 80)}), Error);
  EXPECT_THROW(Normalize({Mapping(80, 0)}), Error);
  EXPECT_THROW(Normalize({Mapping(80, 80, 0)}), Error);
  EXPECT_THROW(Normalize({Mapping(65000, 1, 1000)}), Error);
  EXPECT_THROW(Normalize({Mapping(1, 65000, 1000)}), Error);
  PortMapping mixed = Mapping(80, 80);
  mixed.host_address = net::Address::Parse("2001:db8::1");
  EXPECT_THROW(Normalize({mixed}), Error);
}

TEST(Ports, AreWhatTheKernelWants) {
  PortMapping mapping = Mapping(0x1234, 0x5678);
  mapping.host_address = net::Address::Parse("192.0.2.1");
  mapping.protocol = Protocol::kUdp;
  const auto elements =
      ElementsOf({.owner = "a", .network = "blue", .publication = {.mappings = {mapping}}});
  ASSERT_EQ(elements.size(), 2U);
  EXPECT_EQ(Place(elements[0]), "inet cnm ports_v4");
  EXPECT_EQ(elements[0].key, (std::vector<uint8_t>{192, 0, 2, 1, 17, 0, 0, 0, 0x12, 0x34, 0, 0}));
  EXPECT_EQ(elements[0].data, (std::vector<uint8_t>{10, 1, 0, 5, 0x56, 0x78, 0, 0}));
  EXPECT_EQ(Place(elements[1]), "inet cnm hairpin-10.1.0.0/24");
}

TEST(Element, ClashesWithItsRivals) {
  const auto element = [](PortMapping mapping) {
    return ElementsOf({.owner = "a", .network = "blue", .publication = {.mappings = {mapping}}})
        .front();
  };
  EXPECT_TRUE(Clash(element(Mapping(80, 1)), element(Mapping(80, 2))));
  EXPECT_FALSE(Clash(element(Mapping(80, 1)), element(Mapping(81, 1))));
  EXPECT_TRUE(Clash(element(Mapping(85, 1)), element(Mapping(80, 80, 10))));
  EXPECT_TRUE(Clash(element(Mapping(80, 80, 10)), element(Mapping(89, 1))));
  EXPECT_FALSE(Clash(element(Mapping(80, 80, 10)), element(Mapping(90, 1))));
  EXPECT_TRUE(Clash(element(Mapping(80, 80, 10)), element(Mapping(70, 70, 100))));
}

}  // namespace
}  // namespace cnm::firewall::nftables
