// names.h: the reference plugins' chain names and comments, so that either side cleans up after the
// other. Internal to this folder.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cnm::firewall::iptables {

// Published ports. The reference promises never to change these names.
inline constexpr std::string_view kMarkChain = "CNI-HOSTPORT-SETMARK";
inline constexpr std::string_view kMasqueradeChain = "CNI-HOSTPORT-MASQ";
inline constexpr std::string_view kPortChain = "CNI-HOSTPORT-DNAT";
/// Only of very old releases of the reference: looked for, never made.
inline constexpr std::string_view kOldSnatChain = "CNI-HOSTPORT-SNAT";

// Forwarding and isolation.
inline constexpr std::string_view kForwardChain = "CNI-FORWARD";
/// Ours alone: new connections to published ports, for which the reference leaves it to an
/// operator.
inline constexpr std::string_view kPublishedChain = "CNI-PUBLISHED";
inline constexpr std::string_view kStage1Chain = "CNI-ISOLATION-STAGE-1";
inline constexpr std::string_view kStage2Chain = "CNI-ISOLATION-STAGE-2";
/// Docker's hook for others: it keeps its jump to it first in FORWARD, also when it restarts.
inline constexpr std::string_view kDockerChain = "DOCKER-USER";

/// Who a chain or comment is about.
struct Subject {
  std::string network;
  std::string container_id;
};

/// "CNI-" + `kind` + as many digits of SHA-512(network container_id) as make 28 characters. `kind`:
/// "" = masquerading, "DN-" = published ports, "SN-" = their sources in very old releases.
/// The interface is not part of it: those of one container on one network share their chains.
std::string ChainOf(const Subject& subject, std::string_view kind);

/// `name: "blue" id: "c1"`.
std::string CommentOf(const Subject& subject);
/// The same behind "dnat "; cut to 253 bytes and "..." when it is longer than 255.
std::string PortCommentOf(const Subject& subject);
/// The inverse of both; nullopt for other texts and cut ones.
std::optional<Subject> SubjectOf(std::string_view comment);

}  // namespace cnm::firewall::iptables
