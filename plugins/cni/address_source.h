// address_source.h: addresses from the IPAM plugin a configuration names.
#pragma once

#include <string>
#include <string_view>

#include "cnm/address_source.h"
#include "plugins/cni/call.h"

namespace cnm::cni {

/// The IPAM plugin `type` bound to one attachment: Request is its ADD, Release its DEL, Check its
/// CHECK, with the same configuration and arguments as the call it was made from. Valid as long as
/// that call's steps and delegates live.
class Delegate final : public AddressSource {
 public:
  /// `type` is "host-local"; "" fails when used ("no plugin name provided").
  Delegate(const Call& call, std::string type);

  /// Makes again, in any process, what Journal() described. `call` lends steps, delegates and
  /// runtime only.
  /// @throws Error kDecode when the text is not such a journal
  static Delegate FromJournal(std::string_view journal, const Call& call);

  Addressing Request() override;
  void Release() override;
  void Check() override;
  /// {"type","config","args","path","netns","containerId","ifname"}
  std::string Journal() const override;

 private:
  std::string type_;
  Call call_;
};

/// Forwards STATUS to the IPAM plugin `type`. One that does not know the verb is ready; one that is
/// not there is kUnavailable.
void DelegateStatus(const Call& call, std::string_view type);

/// Forwards GC to the IPAM plugin `type`. One that does not know the verb has nothing to collect.
void DelegateGc(const Call& call, std::string_view type);

}  // namespace cnm::cni
