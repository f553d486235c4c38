// result_test.cc: results of every version, both ways.
#include "plugins/cni/result.h"

#include <map>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "plugins/cni/version.h"
#include "tests/plugins/cni/thrown.h"

namespace cnm::cni {
namespace {

net::Prefix P(std::string_view text) {
  return net::Prefix::Parse(text).value();
}
net::Address A(std::string_view text) {
  return net::Address::Parse(text).value();
}

/// Everything the newest version can say.
Result Full() {
  Result r;
  r.interfaces = {{.name = "br0", .mac = "02:00:00:00:00:01"},
                  {.name = "eth0",
                   .mac = "02:00:00:00:00:02",
                   .sandbox = "/run/netns/x",
                   .mtu = 1400,
                   .socket_path = "/run/s",
                   .pci_id = "0000:00:01.0"}};
  r.ips = {{P("192.0.2.7/24"), A("192.0.2.1"), 1},
           {P("2001:db8::7/64"), A("2001:db8::1"), 0},
           {P("198.51.100.7/25"), {}, {}}};
  r.routes = {{.destination = P("0.0.0.0/0"), .gateway = A("192.0.2.1")},
              {.destination = P("203.0.113.0/24"),
               .mtu = 1300,
               .advmss = 1260,
               .priority = 5,
               .table = 0,
               .scope = 0},
              {.destination = P("2001:db8:1::/48"), .gateway = A("2001:db8::2")}};
  r.dns = {{"192.0.2.53"}, "example.org", {"a.example.org"}, {"ndots:2"}};
  return r;
}

constexpr const char* kFull020 = R"({
    "cniVersion": "0.2.0",
    "ip4": {
        "ip": "192.0.2.7/24",
        "gateway": "192.0.2.1",
        "routes": [
            {
                "dst": "0.0.0.0/0",
                "gw": "192.0.2.1"
            },
            {
                "dst": "203.0.113.0/24"
            }
        ]
    },
    "ip6": {
        "ip": "2001:db8::7/64",
        "gateway": "2001:db8::1",
        "routes": [
            {
                "dst": "2001:db8:1::/48",
                "gw": "2001:db8::2"
            }
        ]
    },
    "dns": {
        "nameservers": [
            "192.0.2.53"
        ],
        "domain": "example.org",
        "search": [
            "a.example.org"
        ],
        "options": [
            "ndots:2"
        ]
    }
})";

constexpr const char* kFull040 = R"({
    "cniVersion": "0.4.0",
    "interfaces": [
        {
            "name": "br0",
            "mac": "02:00:00:00:00:01"
        },
        {
            "name": "eth0",
            "mac": "02:00:00:00:00:02",
            "sandbox": "/run/netns/x"
        }
    ],
    "ips": [
        {
            "version": "4",
            "interface": 1,
            "address": "192.0.2.7/24",
            "gateway": "192.0.2.1"
        },
        {
            "version": "6",
            "interface": 0,
            "address": "2001:db8::7/64",
            "gateway": "2001:db8::1"
        },
        {
            "version": "4",
            "address": "198.51.100.7/25"
        }
    ],
    "routes": [
        {
            "dst": "0.0.0.0/0",
            "gw": "192.0.2.1"
        },
        {
            "dst": "203.0.113.0/24",
            "mtu": 1300,
            "advmss": 1260,
            "priority": 5,
            "table": 0,
            "scope": 0
        },
        {
            "dst": "2001:db8:1::/48",
            "gw": "2001:db8::2"
        }
    ],
    "dns": {
        "nameservers": [
            "192.0.2.53"
        ],
        "domain": "example.org",
        "search": [
            "a.example.org"
        ],
        "options": [
            "ndots:2"
        ]
    }
})";

constexpr const char* kFull110 = R"({
    "cniVersion": "1.1.0",
    "dns": {
        "domain": "example.org",
        "nameservers": [
            "192.0.2.53"
        ],
        "options": [
            "ndots:2"
        ],
        "search": [
            "a.example.org"
        ]
    },
    "interfaces": [
        {
            "mac": "02:00:00:00:00:01",
            "name": "br0"
        },
        {
            "mac": "02:00:00:00:00:02",
            "mtu": 1400,
            "name": "eth0",
            "pciID": "0000:00:01.0",
            "sandbox": "/run/netns/x",
            "socketPath": "/run/s"
        }
    ],
    "ips": [
        {
            "address": "192.0.2.7/24",
            "gateway": "192.0.2.1",
            "interface": 1
        },
        {
            "address": "2001:db8::7/64",
            "gateway": "2001:db8::1",
            "interface": 0
        },
        {
            "address": "198.51.100.7/25"
        }
    ],
    "routes": [
        {
            "dst": "0.0.0.0/0",
            "gw": "192.0.2.1"
        },
        {
            "advmss": 1260,
            "dst": "203.0.113.0/24",
            "mtu": 1300,
            "priority": 5,
            "scope": 0,
            "table": 0
        },
        {
            "dst": "2001:db8:1::/48",
            "gw": "2001:db8::2"
        }
    ]
})";

/// The golden text of the version's family, relabelled.
std::string Golden(std::string_view version) {
  std::string text = kFull110;
  if (FamilyOf(version) == ResultFamily::k020) text = kFull020;
  if (FamilyOf(version) == ResultFamily::k040) text = kFull040;
  const size_t label = text.find("\": \"") + 4;
  return text.replace(label, 5, version);
}

/// What of Full() a version keeps.
Result Kept(std::string_view version) {
  Result r = Full();
  if (FamilyOf(version) == ResultFamily::k100) return r;
  for (ResultInterface& i : r.interfaces) i = {.name = i.name, .mac = i.mac, .sandbox = i.sandbox};
  if (FamilyOf(version) == ResultFamily::k040) return r;
  r.interfaces.clear();
  r.ips = {{P("192.0.2.7/24"), A("192.0.2.1"), {}}, {P("2001:db8::7/64"), A("2001:db8::1"), {}}};
  for (RouteSpec& x : r.routes) x = {.destination = x.destination, .gateway = x.gateway};
  return r;
}

Result Decode(std::string_view text, std::string_view assumed = "1.1.0") {
  return DecodeResult(json::Parse(text, "result"), assumed);
}

TEST(Result, PrintsEveryVersionsShape) {
  for (const std::string_view version : kVersions) {
    EXPECT_EQ(PrintResult(Full(), version), Golden(version));
  }
}

TEST(Result, ReadsEveryVersionsShape) {
  for (const std::string_view version : kVersions) {
    EXPECT_EQ(Decode(Golden(version), "9.9.9"), Kept(version)) << version;
  }
}

TEST(Result, ConvertsBetweenAnyTwoVersions) {
  for (const std::string_view from : kVersions) {
    for (const std::string_view to : kVersions) {
      const std::string converted = PrintResult(Decode(Golden(from)), to);
      EXPECT_EQ(Decode(converted), Decode(PrintResult(Kept(from), to))) << from << " to " << to;
      if (FamilyOf(from) == FamilyOf(to)) {
        EXPECT_EQ(converted, Golden(to));
      }
    }
  }
}

TEST(Result, LeavesOutWhatIsEmpty) {
  EXPECT_EQ(PrintResult({}, "1.1.0"), "{\n    \"cniVersion\": \"1.1.0\"\n}");
  EXPECT_EQ(PrintResult({}, "0.3.1"), "{\n    \"cniVersion\": \"0.3.1\",\n    \"dns\": {}\n}");
  EXPECT_EQ(PrintResult({.interfaces = {{}}}, "1.0.0"),
            "{\n    \"cniVersion\": \"1.0.0\",\n    \"interfaces\": [\n        {\n"
            "            \"name\": \"\"\n        }\n    ]\n}");
}

TEST(Result, CallsAnAbsentVersionByItsName) {
  const Result r{.ips = {{P("192.0.2.1/32"), {}, {}}}};
  EXPECT_EQ(PrintResult(r, ""), PrintResult(r, "0.1.0"));
}

TEST(Result, NeedsAnAddressBefore030) {
  EXPECT_EQ(Thrown([] { PrintResult({}, "0.2.0"); }), "7 cannot convert: no valid IP addresses");
}

TEST(Result, DropsRoutesOfAFamilyWithoutAddressBefore030) {
  Result r = Full();
  r.ips.resize(1);
  const Result kept = Decode(PrintResult(r, "0.2.0"));
  ASSERT_EQ(kept.routes.size(), 2U);
  EXPECT_TRUE(kept.routes[1].destination.address.is_v4());
}

TEST(Result, RefusesVersionsItDoesNotKnow) {
  const std::string text = "1 unsupported CNI result version \"1.2.0\"";
  EXPECT_EQ(Thrown([] { PrintResult({}, "1.2.0"); }), text);
  EXPECT_EQ(Thrown([] { Decode(R"({"cniVersion":"1.2.0"})"); }), text);
  EXPECT_EQ(Thrown([] { Decode("{}", "1.2.0"); }), text);
}

TEST(Result, AssumesAVersionOnlyWhereNoneIsGiven) {
  const char* body = R"("ip4":{"ip":"192.0.2.1/24"}})";
  for (const char* head : {"{", R"({"cniVersion":"",)", R"({"cniVersion":null,)"}) {
    EXPECT_EQ(Decode(std::string(head) + body, "0.2.0").ips.size(), 1U) << head;
    EXPECT_EQ(Decode(std::string(head) + body, "1.0.0").ips.size(), 0U) << head;
  }
  EXPECT_EQ(Decode(std::string(R"({"cniVersion":"0.1.0",)") + body, "1.0.0").ips.size(), 1U);
}

TEST(Result, TakesEmptyTextAsNoGateway) {
  const Result r = Decode(R"({"ips":[{"address":"192.0.2.1/24","gateway":""}]})");
  EXPECT_EQ(r.ips.at(0).gateway, std::nullopt);
}

TEST(Result, NamesThePathOfWhatIsWrong) {
  const std::pair<const char*, const char*> table[] = {
      {R"({"ips":[{"address":"192.0.2.1"}]})", "$.ips[0].address"},
      {R"({"ips":[{"address":"192.0.2.300/24"}]})", "$.ips[0].address"},
      {R"({"ips":[{"gateway":"192.0.2.1"}]})", "$.ips[0].address"},
      {R"({"ips":[{"address":"192.0.2.1/24","gateway":"x"}]})", "$.ips[0].gateway"},
      {R"({"ips":[{"address":"192.0.2.1/24","interface":"1"}]})", "$.ips[0].interface"},
      {R"({"ips":{}})", "$.ips"},
      {R"({"routes":[{"dst":"default"}]})", "$.routes[0].dst"},
      {R"({"routes":[{"dst":"0.0.0.0/0","scope":256}]})", "$.routes[0].scope"},
      {R"({"routes":[{"dst":"0.0.0.0/0","mtu":-1}]})", "$.routes[0].mtu"},
      {R"({"interfaces":[7]})", "$.interfaces[0]"},
      {R"({"dns":{"search":["a",1]}})", "$.dns.search[1]"},
      {R"({"cniVersion":1})", "$.cniVersion"}};
  for (const auto& [text, path] : table) {
    const std::string thrown = Thrown([t = text] { Decode(t); });
    EXPECT_NE(thrown.find(path), std::string::npos) << text << ": " << thrown;
  }
}

TEST(Result, SurvivesEveryTruncationOfAResult) {
  const std::string whole = kFull110;
  for (size_t length = 0; length < whole.size(); ++length) {
    EXPECT_NE(Thrown([&] { Decode(whole.substr(0, length)); }), "") << length;
  }
}

TEST(Result, NeverCrashesOnADamagedByte) {
  for (const std::string_view version : {"0.2.0", "0.4.0", "1.1.0"}) {
    const std::string whole = Golden(version);
    for (size_t at = 0; at < whole.size(); ++at) {
      for (const char damage : {'0', '"', '}', '[', '\\', '\0', '\xff'}) {
        std::string text = whole;
        text[at] = damage;
        Thrown([&] { PrintResult(Decode(text), version); });
      }
    }
  }
}

std::optional<Result> Previous(std::string_view config, std::string_view version) {
  return DecodePrevResult(json::Parse(config, "test"), version);
}

TEST(PrevResult, IsAbsentWhenNotGiven) {
  EXPECT_EQ(Previous("{}", "1.0.0"), std::nullopt);
  EXPECT_EQ(Previous(R"({"prevResult":null})", "1.0.0"), std::nullopt);
}

TEST(PrevResult, TakesTheConfigurationsVersionUnlessItHasItsOwn) {
  const char* bare = R"({"prevResult":{"ips":[{"address":"192.0.2.1/24"}]}})";
  EXPECT_EQ(Previous(bare, "0.4.0")->ips.size(), 1U);
  EXPECT_EQ(Previous(bare, "1.1.0")->ips.size(), 1U);
  EXPECT_EQ(Previous(R"({"prevResult":{"cniVersion":"1.0.0"}})", "1.1.0"), Result{});
  EXPECT_EQ(Previous(R"({"prevResult":{"cniVersion":"0.3.0"}})", "0.4.0"), Result{});
}

TEST(PrevResult, MustBeOfTheConfigurationsFamily) {
  const auto refusal = [](const char* own, const char* config) {
    return Thrown(
        [&] { Previous(fmt::format(R"({{"prevResult":{{"cniVersion":"{}"}}}})", own), config); });
  };
  EXPECT_EQ(refusal("0.4.0", "1.1.0"),
            "6 could not parse prevResult: result type supports [1.0.0 1.1.0] but unmarshalled "
            "CNIVersion is \"0.4.0\"");
  EXPECT_EQ(refusal("1.0.0", "0.3.1"),
            "6 could not parse prevResult: result type supports [0.3.0 0.3.1 0.4.0] but "
            "unmarshalled CNIVersion is \"1.0.0\"");
  EXPECT_EQ(refusal("9.0.0", ""),
            "6 could not parse prevResult: result type supports [0.1.0 0.2.0] but unmarshalled "
            "CNIVersion is \"9.0.0\"");
  EXPECT_EQ(Thrown([] { Previous(R"({"prevResult":[]})", "1.0.0"); }).substr(0, 28),
            "6 could not parse prevResult");
}

}  // namespace
}  // namespace cnm::cni
