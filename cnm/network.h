// network.h: a network as it is recorded.
#pragma once

#include <string>
#include <vector>

#include "cnm/endpoint.h"

namespace cnm {

/// A network: a name, the driver that builds it and that driver's options. One namespace of names
/// for every front door.
struct Network {
  std::string name;
  std::string id;       ///< NetworkId(name)
  std::string driver;   ///< the driver's type: "bridge"
  std::string options;  ///< the driver's own, JSON text; compared as text, so each door writes it
                        ///< in one way
  /// What its endpoints share in the packet filters, tagged with the driver; their owner is
  /// OwnerOf(name, "", "").
  std::vector<Attachment> attachments = {};

  bool operator==(const Network&) const = default;
};

/// Gives the attachment's rules the network's name and its owner.
void NameRules(const Network& network, Attachment& attachment);

}  // namespace cnm
