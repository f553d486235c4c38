// result_samples.h: one result that says everything, as a value and as the golden text of each
// version.
#pragma once

#include <string>
#include <string_view>

#include "plugins/cni/result.h"
#include "plugins/cni/version.h"

namespace cnm::cni {

inline net::Prefix P(std::string_view text) {
  return net::Prefix::Parse(text).value();
}
inline net::Address A(std::string_view text) {
  return net::Address::Parse(text).value();
}

/// Everything the newest version can say.
inline Result Full() {
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

inline constexpr const char* kFull020 = R"({
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

inline constexpr const char* kFull040 = R"({
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

inline constexpr const char* kFull110 = R"({
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
inline std::string Golden(std::string_view version) {
  std::string text = kFull110;
  if (FamilyOf(version) == ResultFamily::k020) text = kFull020;
  if (FamilyOf(version) == ResultFamily::k040) text = kFull040;
  const size_t label = text.find("\": \"") + 4;
  return text.replace(label, 5, version);
}

/// What of Full() a version keeps.
inline Result Kept(std::string_view version) {
  Result r = Full();
  if (FamilyOf(version) == ResultFamily::k100) return r;
  for (ResultInterface& i : r.interfaces) i = {.name = i.name, .mac = i.mac, .sandbox = i.sandbox};
  if (FamilyOf(version) == ResultFamily::k040) return r;
  r.interfaces.clear();
  r.ips = {{P("192.0.2.7/24"), A("192.0.2.1"), {}}, {P("2001:db8::7/64"), A("2001:db8::1"), {}}};
  for (RouteSpec& x : r.routes) x = {.destination = x.destination, .gateway = x.gateway};
  return r;
}

}  // namespace cnm::cni
