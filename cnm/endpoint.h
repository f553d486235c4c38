// endpoint.h: an endpoint as it is recorded: the journal of everything that was made for it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cnm/address_source.h"
#include "cnm/host.h"
#include "cnm/sandbox.h"
#include "common/firewall/firewall.h"
#include "common/net/mac.h"

namespace cnm {

/// Where an endpoint is in its life. A pending one whose lock nobody holds was abandoned by a
/// killed process.
enum class EndpointState {
  kPending,  ///< being made, or being removed because its runtime asked
  kReady,
  kCondemned,  ///< was ready; being removed as garbage
  kCreated,  ///< has its addresses and is in no sandbox: alive until it is deleted. Links or rules
             ///< in its record, while nobody holds its lock, are what a killed join or leave left
};

/// The three words that name an endpoint. For API and Docker endpoints the container id is the
/// endpoint id.
struct EndpointKey {
  std::string network;
  std::string container_id;
  std::string ifname;

  bool operator==(const EndpointKey&) const = default;
};

/// "endpoint eth0 of container c1 on network blue".
std::string Describe(const EndpointKey& key);

/// The link on the host that carries an endpoint.
struct HostLink {
  std::string name;
  int ifindex = 0;  ///< 0 until it is made
  net::Mac mac;
  uint32_t attempt = 0;   ///< of the name's hash (HostLinkName)
  std::string peer = {};  ///< the other end's name while it waits on the host for whoever moves it
                          ///< into the sandbox; "" = born there

  bool operator==(const HostLink&) const = default;
};

/// A sysctl of the host, and what an attachment needs it to be.
struct HostSysctl {
  std::string name;  ///< "net/ipv4/conf/cni0/route_localnet"
  std::string value;
  bool operator==(const HostSysctl&) const = default;
};

/// What a driver or a meta plugin added to an endpoint besides links and addresses. Everything that
/// another process needs to remove it is here: the interface plugin's DEL and garbage collection
/// know no plugin.
struct Attachment {
  std::string plugin;        ///< "portmap"
  std::string backend = {};  ///< the packet filter for `rules`; "" = the best there is
  /// Forwarding that goes wherever the host would drop: a reload looks again where that is.
  bool follows_host = false;
  firewall::Rules rules = {};
  std::vector<std::string> links = {};   ///< on the host, alias = owner; removed with it
  std::vector<std::string> files = {};   ///< removed with it
  std::vector<HostSysctl> sysctls = {};  ///< set again by a reload; shared, so never undone
  std::string state = {};                ///< the plugin's own, a JSON object; "" = none

  bool operator==(const Attachment&) const = default;
};

/// One endpoint. What a later process needs to undo all of it is here, written before it is made.
struct Endpoint {
  std::string owner;  ///< OwnerOf(key)
  EndpointKey key;
  std::string driver;  ///< "" = foreign: another implementation made its link and addresses, and we
                       ///< only know its attachments
  std::string door;    ///< which front door made it: "cni"
  std::string runtime;  ///< the executable that asked for it
  EndpointState state = EndpointState::kPending;
  HostIdentity host;
  Sandbox sandbox;
  std::optional<HostLink> host_link;  ///< none for drivers without a link on the host
  net::Mac mac;                       ///< of the link in the sandbox
  Addressing addressing;
  std::string address_source;           ///< AddressSource::Journal(); "" = layer 2
  std::vector<Attachment> attachments;  ///< the driver's own rules first, tagged with its type
  std::string details = {};             ///< the front door's own, a JSON object; "" = none

  bool foreign() const { return driver.empty(); }
  bool operator==(const Endpoint&) const = default;
};

/// The attachment of this plugin in this backend; made empty if there is none. Later calls may move
/// it.
Attachment& EnsureAttachment(Endpoint& endpoint, std::string_view plugin, std::string_view backend);

/// Whether the attachment is this plugin's; all are of the plugin "".
bool IsOf(const Attachment& attachment, std::string_view plugin);
/// Whether the plugin has any; every endpoint has one of the plugin "".
bool HasAttachmentOf(const Endpoint& endpoint, std::string_view plugin);

/// Whether something of a join in steps may be in the kernel.
bool HasLinksOrRules(const Endpoint& endpoint);

/// Makes the attachment's rules the endpoint's: owner, network, container id.
void NameRules(const Endpoint& endpoint, Attachment& attachment);

}  // namespace cnm
