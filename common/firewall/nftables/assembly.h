// assembly.h: bringing our nftables tables to hold what is wanted. Internal to this folder.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string_view>
#include <vector>

#include "common/firewall/firewall.h"
#include "common/firewall/nftables/plan.h"
#include "common/netlink/channel.h"

namespace cnm::firewall::nftables {

/// One Add or Rebuild. Use it once.
class Assembly {
 public:
  Assembly(netlink::Channel& channel, const Ledger& ledger) : channel_(channel), ledger_(ledger) {}

  /// See Firewall::Add.
  void Add(const Rules& rules);
  /// See Firewall::Rebuild.
  void Rebuild();

 private:
  /// What stands in the rival set of a wanted element.
  struct Rival {
    const Element* wanted;
    Element place;
    Stored stored;
    uint32_t generation;  // of the rule set, before that was read
  };

  void Commit();
  void Investigate();
  void ChooseRebuilt();
  void ChooseReplayed();
  void Replay(Element element);
  void Settle(const Draft& draft, std::span<const Refusal> refusals);
  void SettleStructure(const Step& step, const Refusal& refusal);
  void SettleReplay(const Element& element, const Refusal& refusal);
  void SettleAddition(Wanted& wanted, const Refusal& refusal);
  void SettleClash(Wanted& wanted);
  bool MayUnseat(std::string_view comment);
  void Unseat(const Rival& rival);
  void LookAgain();
  std::vector<Rival> FindRivals();
  void UnseatRivals();
  void RetreatFromRivals();

  netlink::Channel& channel_;
  const Ledger& ledger_;
  const Rules* rules_ = nullptr;   // of Add
  bool investigate_ = false;       // before the next attempt
  std::vector<Rules> live_;        // what rebuilt tables are filled with
  std::set<Part> impossible_;      // this kernel cannot have them
  std::vector<Element> disputed_;  // claimed by two of the live owners: of these not
  Plan plan_;
  uint32_t unseated_at_ = 0;  // the generation at which the first of the plan's removals was read
};

}  // namespace cnm::firewall::nftables
