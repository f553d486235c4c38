// inventory.cc: what our nftables tables hold now.
#include "common/firewall/nftables/inventory.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fmt/format.h>
#include <netlink/msg.h>

#include "common/base/error.h"
#include "common/netlink/answer.h"
#include "common/netlink/attributes.h"

namespace cnm::firewall::nftables {
namespace {

using netlink::Attributes;
using netlink::Channel;
using netlink::Request;

constexpr std::string_view kAsk = "ask nftables";
// Answers wait in the receive buffer, which takes a few hundred of them.
constexpr size_t kQuestionsAtOnce = 64;

template <int kMax>
Attributes<kMax> AttributesOf(const nlmsghdr& message) {
  const char* const first = static_cast<const char*>(NLMSG_DATA(&message)) + sizeof(nfgenmsg);
  return {first, static_cast<int>(NLMSG_PAYLOAD(&message, sizeof(nfgenmsg)))};
}

Request MakeGenerationQuestion() {
  Request request("read the nftables generation", NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN, 0);
  netlink::AppendHeader(request, nfgenmsg{AF_UNSPEC, NFNETLINK_V0, 0});
  return request;
}

uint32_t DecodeGeneration(const nlmsghdr& message) {
  const auto attributes = AttributesOf<NFTA_GEN_MAX>(message);
  return ntohl(netlink::NumberOr<uint32_t>(attributes[NFTA_GEN_ID], 0));
}

/// Questions in one send, answered in order by one message each.
class Questions {
 public:
  using Visit = std::function<void(size_t index, const nlmsghdr& answer)>;

  size_t count() const { return count_; }

  void Add(const Request& request) {
    const nlmsghdr* const header = nlmsg_hdr(request.message());
    const auto* const first = reinterpret_cast<const char*>(header);
    starts_.push_back(bytes_.size());
    bytes_.insert(bytes_.end(), first, first + header->nlmsg_len);
    bytes_.resize(NLMSG_ALIGN(bytes_.size()));
    ++count_;
  }

  /// `visit` gets the answers; what is not there has none. @throws Error kKernel
  void Ask(Channel& channel, const Visit& visit) {
    const uint32_t first = channel.NextSequence(static_cast<uint32_t>(count_));
    for (size_t i = 0; i < count_; ++i) {
      auto* const header = reinterpret_cast<nlmsghdr*>(bytes_.data() + starts_[i]);
      header->nlmsg_seq = first + static_cast<uint32_t>(i);
    }
    channel.SendBytes(kAsk, bytes_);
    size_t left = count_;
    const auto take = [&](const nlmsghdr& message, size_t) {
      const size_t index = message.nlmsg_seq - first;
      if (index >= count_) return;
      --left;
      if (message.nlmsg_type != NLMSG_ERROR) return visit(index, message);
      const int error = netlink::ErrnoOf(message);
      if (error != 0 && error != ENOENT) throw SystemError(Code::kKernel, kAsk, error);
    };
    while (left > 0) {
      if (!channel.ReadDatagram(kAsk, take)) {
        throw Error(Code::kKernel, fmt::format("{}: no answer", kAsk));
      }
    }
  }

 private:
  std::vector<char> bytes_;
  std::vector<size_t> starts_;
  size_t count_ = 0;
};

void ReadChains(Channel& channel, Table table, Contents& contents) {
  Request request = MakeMessage(NFT_MSG_GETCHAIN, 0, table);
  request.Tolerate(ENOENT);
  channel.Dump(
      request, [&] { contents.chains.clear(); },
      [&](const nlmsghdr& message) {
        const auto chain = AttributesOf<NFTA_CHAIN_MAX>(message);
        if (netlink::Text(chain[NFTA_CHAIN_TABLE]) != kTableName) return;
        contents.chains.insert(netlink::Text(chain[NFTA_CHAIN_NAME]));
      });
  for (const std::string& chain : contents.chains) {
    contents.schema = std::max(contents.schema, SchemaOf(chain));
  }
}

void ReadSets(Channel& channel, Table table, Contents& contents) {
  Request request = MakeMessage(NFT_MSG_GETSET, 0, table);
  request.Tolerate(ENOENT);
  channel.Dump(
      request, [&] { contents.sets.clear(); },
      [&](const nlmsghdr& message) {
        const auto set = AttributesOf<NFTA_SET_MAX>(message);
        if (netlink::Text(set[NFTA_SET_TABLE]) != kTableName) return;
        contents.sets.insert(netlink::Text(set[NFTA_SET_NAME]));
      });
}

}  // namespace

uint32_t ReadGeneration(Channel& channel) {
  uint32_t generation = 0;
  channel.Ask(MakeGenerationQuestion(),
              [&](const nlmsghdr& message) { generation = DecodeGeneration(message); });
  return generation;
}

bool HasGeneration(Channel& channel) {
  Request request = MakeGenerationQuestion();
  for (const int error : {EINVAL, EOPNOTSUPP, EPROTONOSUPPORT, EAFNOSUPPORT, EPERM}) {
    request.Tolerate(error);
  }
  return channel.Ask(request, [](const nlmsghdr&) {}) == 0;
}

Contents ReadContents(Channel& channel, Table table) {
  Contents contents;
  ReadChains(channel, table, contents);
  ReadSets(channel, table, contents);
  return contents;
}

void RefuseNewer(const Contents& contents, Table table) {
  if (contents.schema <= kSchema) return;
  throw Error(Code::kTryAgain,
              fmt::format("nftables table {} {}: its schema is {}, this program knows {}",
                          FamilyName(table), kTableName, contents.schema, kSchema),
              "a newer version built it: use that one, or remove its endpoints first");
}

bool HasSet(Channel& channel, Table table, std::string_view set) {
  Request request = MakeMessage(NFT_MSG_GETSET, 0, table);
  netlink::PutText(request, NFTA_SET_NAME, set);
  request.Tolerate(ENOENT);
  return channel.Ask(request, [](const nlmsghdr&) {}) == 0;
}

Found Find(Channel& channel, std::span<const Element> elements) {
  Found found;
  found.elements.resize(elements.size());
  for (size_t done = 0; done < elements.size(); done += kQuestionsAtOnce) {
    const auto batch = elements.subspan(done, std::min(kQuestionsAtOnce, elements.size() - done));
    Questions questions;
    if (done == 0) questions.Add(MakeGenerationQuestion());
    const size_t before = questions.count();
    for (const Element& element : batch) questions.Add(FindElement(element));
    questions.Ask(channel, [&](size_t index, const nlmsghdr& answer) {
      if (index < before) {
        found.generation = DecodeGeneration(answer);
        return;
      }
      for (Stored& stored : DecodeElements(answer)) {
        found.elements[done + index - before] = std::move(stored);
      }
    });
  }
  return found;
}

std::vector<Stored> ReadElements(Channel& channel, Table table, std::string_view set) {
  Request request = ListElements(table, set);
  request.Tolerate(ENOENT);
  std::vector<Stored> elements;
  channel.Dump(
      request, [&] { elements.clear(); },
      [&](const nlmsghdr& message) {
        for (Stored& stored : DecodeElements(message)) elements.push_back(std::move(stored));
      });
  return elements;
}

std::vector<Element> FindOwned(Channel& channel, Table table, std::string_view owner) {
  std::vector<Element> owned;
  for (const std::string& set : ReadContents(channel, table).sets) {
    for (Stored& stored : ReadElements(channel, table, set)) {
      if (OwnerOf(stored.comment) != owner) continue;
      owned.push_back({.table = table,
                       .set = set,
                       .key = std::move(stored.key),
                       .key_end = std::move(stored.key_end),
                       .comment = std::move(stored.comment),
                       .what = fmt::format("element of set {}", set)});
    }
  }
  return owned;
}

}  // namespace cnm::firewall::nftables
