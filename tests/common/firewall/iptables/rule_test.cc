// rule_test.cc: rules of iptables as text and as the kernel's structs.
#include "common/firewall/iptables/rule.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/base/error.h"
#include "common/firewall/iptables/xt_info.h"

namespace cnm::firewall::iptables {
namespace {

/// As iptables-save printed them.
const std::vector<std::string>& Texts() {
  static const std::vector<std::string> texts = {
      "-s 10.1.0.0/16 -p tcp -m tcp --dport 80 -j CNI-HOSTPORT-SETMARK",
      "-s 127.0.0.1/32 -d 192.0.2.1/32 -p udp -m udp --dport 80:90 -j CNI-HOSTPORT-SETMARK",
      "-p sctp -m sctp --dport 80:90 -j CNI-HOSTPORT-SETMARK",
      "-p tcp -m tcp --dport 80 -j DNAT --to-destination 10.1.0.5:80",
      "-p tcp -m tcp --dport 1000:2000 -j DNAT --to-destination 10.1.0.5",
      "-p tcp -m tcp --dport 1000:2000 -j DNAT --to-destination 10.1.0.5:3000-4000/1000",
      "-p tcp -m tcp --dport 80 -j DNAT --to-destination [2001:db8::5]:80",
      "-p tcp -m tcp --dport 80:81 -j DNAT --to-destination 2001:db8::5",
      R"(-p tcp -m comment --comment "dnat name: \"n\" id: \"c\"" -m multiport --dports 80,443,1000:2000 -j CNI-DN-x)",
      "-m mark --mark 0x2000/0x2000 -j MASQUERADE",
      R"(-m comment --comment "CNI portfwd masquerade mark" -j MARK --set-xmark 0x2000/0x2000)",
      "-m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT",
      R"(! -d 224.0.0.0/4 -m comment --comment cnm -j MASQUERADE)",
      "-d 10.1.0.5/32 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
      "-d 10.1.0.5/32 -m conntrack --ctstate DNAT -j ACCEPT",
      "-i br0 ! -o br0 -j CNI-ISOLATION-STAGE-2",
      R"(-i "br\"x" ! -o "a\\b" -j DROP)",
      R"(-d 127.0.0.0/8 ! -i lo -m comment --comment "it's \\ mine" -j DROP)"};
  return texts;
}

TEST(Rule, IsTheTextOfIptablesSave) {
  for (const std::string& text : Texts()) {
    const bool escaped = text.find("it's") != std::string::npos;  // and need not be, of us
    EXPECT_TRUE(escaped || ToText(ParseRule(text)) == text) << text;
    EXPECT_EQ(ParseRule(ToText(ParseRule(text))), ParseRule(text)) << text;
  }
}

TEST(Rule, RefusesWordsItHasNoPlaceFor) {
  for (const char* const text :
       {"-m length --length 0:9 -j ACCEPT", "! --dport 80 -j ACCEPT", "-s 10.0.0.0/33 -j ACCEPT",
        "-p tcp -m tcp --dport 65536 -j ACCEPT", "-m mark --mark 0x1/0x3 -j ACCEPT",
        "--to-destination 10.0.0.1:x -j DNAT", "-s", "-p tcp -m tcp --dport -j ACCEPT"}) {
    EXPECT_THROW(ParseRule(text), Error) << text;
  }
}

TEST(Rule, WithConditionsIsKnownByItsCommentPortsAndTarget) {
  Rule wanted = ParseRule("-p tcp -m comment --comment c -m multiport --dports 80 -j CNI-DN-x");
  wanted.conditions = {"!", "-s", "203.0.113.0/24"};
  Rule present = wanted;
  present.conditions.clear();
  present.source = SubnetMatch{*net::Prefix::Parse("203.0.113.0/24"), true};
  EXPECT_TRUE(Matches(wanted, present, false));
  present.ports = {{81, 81}};
  EXPECT_FALSE(Matches(wanted, present, false));
  EXPECT_FALSE(Matches(present, wanted, false)) << "what is not understood is never ours";
}

TEST(Rule, AnyCommentIsForTheReferencesReleases) {
  const Rule wanted = ParseRule("-m comment --comment new -j RETURN");
  const Rule present = ParseRule("-m comment --comment old -j RETURN");
  EXPECT_TRUE(Matches(wanted, present, true));
  EXPECT_FALSE(Matches(wanted, present, false));
}

TEST(XtInfo, HoldsEveryMatchAndTarget) {
  for (const std::string& text : Texts()) {
    const Rule rule = ParseRule(text);
    const bool six = text.find("2001:") != std::string::npos;
    const net::Family family = six ? net::Family::kIpv6 : net::Family::kIpv4;
    Rule decoded = rule;
    decoded.port.reset();
    decoded.ports.clear();
    decoded.comment.clear();
    decoded.mark.reset();
    decoded.to_local = decoded.established = decoded.translated = false;
    decoded.to.reset();
    decoded.set_mark = 0;
    for (const XtInfo& match : MatchesOf(rule)) {
      EXPECT_TRUE(DecodeMatch(match.name, match.revision, match.bytes, decoded)) << text;
    }
    const XtInfo target = TargetOf(rule, family);
    if (!target.name.empty()) {
      EXPECT_TRUE(DecodeTarget(target.name, target.revision, target.bytes, family, decoded))
          << text;
    }
    EXPECT_EQ(ToText(decoded), ToText(rule));
  }
}

TEST(XtInfo, SaysNoToWhatARuleHasNoPlaceFor) {
  Rule rule;
  EXPECT_FALSE(DecodeMatch("length", 0, std::vector<uint8_t>(8), rule));
  EXPECT_FALSE(DecodeMatch("tcp", 0, std::vector<uint8_t>(3), rule)) << "too short";
  std::vector<uint8_t> flags = MatchesOf(ParseRule("-p tcp -m tcp --dport 80 -j ACCEPT"))[0].bytes;
  flags[9] = 2;  // a TCP flag must be set besides
  EXPECT_FALSE(DecodeMatch("tcp", 0, flags, rule));
  EXPECT_FALSE(DecodeMatch("conntrack", 3, std::vector<uint8_t>(200), rule));
  EXPECT_FALSE(DecodeTarget("SNAT", 2, std::vector<uint8_t>(48), net::Family::kIpv4, rule));
}

}  // namespace
}  // namespace cnm::firewall::iptables
