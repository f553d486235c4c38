// transaction.h: nf_tables messages that the kernel carries out all or none. Internal to this
// folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/netlink/channel.h"
#include "common/netlink/request.h"

namespace cnm::firewall {

/// One message the kernel refused.
struct Refusal {
  std::optional<size_t> index;  ///< which, in the order of Add; none = the transaction as a whole
  int error = 0;                ///< errno
  std::string words;            ///< the kernel's own, or ""
};

/// A batch (linux/netfilter/nfnetlink.h): begin, messages, end, sent as one datagram.
class Transaction {
 public:
  /// `generation`: refuse everything with ERESTART if the rule set is no longer this one.
  explicit Transaction(std::optional<uint32_t> generation = {});

  /// Copies the message. @returns its index
  size_t Add(const netlink::Request& message);
  bool empty() const { return starts_.size() == 1; }

  /// Sends it. @returns nothing when all was done, else what was refused, and nothing was done
  /// @throws Error kKernel when it could not be sent
  std::vector<Refusal> Commit(netlink::Channel& channel) &&;

 private:
  void Append(const netlink::Request& message);

  std::vector<char> bytes_;
  std::vector<size_t> starts_;  // of each message; the first is "begin"
};

}  // namespace cnm::firewall
