// traffic_test.cc: qdiscs, classes and filters survive the way into a request and back out of one.
#include <linux/if_ether.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <vector>

#include <gtest/gtest.h>

#include "common/base/fd.h"
#include "common/netlink/channel.h"
#include "common/netlink/filter.h"
#include "common/netlink/qdisc.h"
#include "common/netlink/traffic_decode.h"

namespace cnm::netlink {
namespace {

/// A request as it leaves, which is also how the kernel would tell what it asks for.
class Sent {
 public:
  explicit Sent(const Request& request) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    Channel channel{Fd(ends[0])};
    const Fd far(ends[1]);
    struct {
      nlmsghdr header{.nlmsg_len = sizeof(nlmsghdr) + sizeof(nlmsgerr),
                      .nlmsg_type = NLMSG_ERROR,
                      .nlmsg_flags = NLM_F_CAPPED,
                      .nlmsg_seq = 1,
                      .nlmsg_pid = 0};
      nlmsgerr error{};
    } ack;
    EXPECT_GT(::send(far.get(), &ack, sizeof ack, 0), 0);
    channel.Execute({&request, 1});
    EXPECT_GT(::recv(far.get(), bytes_.data(), bytes_.size(), 0), 0);
  }
  const nlmsghdr& message() const { return *reinterpret_cast<const nlmsghdr*>(bytes_.data()); }

 private:
  alignas(nlmsghdr) std::array<char, 1024> bytes_{};
};

Qdisc ThroughTheKernel(const Qdisc& qdisc) {
  return DecodeQdisc(Sent(AddQdisc(qdisc)).message());
}

Filter ThroughTheKernel(const Filter& filter) {
  std::vector<Filter> filters;
  DecodeFilter(Sent(AddFilter(filter)).message(), filters);
  return filters.empty() ? Filter{} : filters.front();
}

TEST(Qdisc, TokenBucketKeepsItsNumbers) {
  const Qdisc qdisc{.ifindex = 5,
                    .kind = "tbf",
                    .handle = MakeHandle(1, 0),
                    .bucket = {.rate = 1'000'000, .buffer = 781'250, .limit = 75'000}};
  EXPECT_EQ(ThroughTheKernel(qdisc), qdisc);
}

TEST(Qdisc, RatesBeyond32BitsKeepEveryBit) {
  for (const uint64_t rate : {uint64_t{UINT32_MAX}, uint64_t{UINT32_MAX} + 1, UINT64_MAX}) {
    const Qdisc qdisc{.ifindex = 5,
                      .kind = "tbf",
                      .handle = MakeHandle(1, 0),
                      .bucket = {.rate = rate, .buffer = UINT32_MAX, .limit = UINT32_MAX}};
    EXPECT_EQ(ThroughTheKernel(qdisc), qdisc) << rate;
  }
}

TEST(Qdisc, HierarchyQueueAndIngressKeepWhatTheyHave) {
  const Qdisc htb{.ifindex = 5, .kind = "htb", .handle = MakeHandle(1, 0), .default_class = 1};
  const Qdisc fifo{.ifindex = 5,
                   .kind = "bfifo",
                   .parent = MakeHandle(1, 1),
                   .handle = MakeHandle(2, 0),
                   .limit = 75'000};
  const Qdisc ingress{
      .ifindex = 5, .kind = "ingress", .parent = kIngressParent, .handle = kIngressHandle};
  for (const Qdisc& qdisc : {htb, fifo, ingress}) EXPECT_EQ(ThroughTheKernel(qdisc), qdisc);
}

TEST(TrafficClass, KeepsItsBucket) {
  const TrafficClass wanted{.ifindex = 5,
                            .parent = MakeHandle(1, 0),
                            .handle = MakeHandle(1, 1),
                            .bucket = {.rate = uint64_t{1} << 33, .buffer = 7}};
  EXPECT_EQ(DecodeClass(Sent(AddClass(wanted)).message()), wanted);
}

TEST(Filter, KeepsPlaceKeysAndTarget) {
  Filter filter{.ifindex = 5, .priority = 3, .protocol = ETH_P_IPV6, .class_id = MakeHandle(1, 1)};
  filter.keys = MatchDestination(*net::Prefix::Parse("2001:db8:1:2::/68"));
  EXPECT_EQ(ThroughTheKernel(filter), filter);
  filter.redirect = 9;
  EXPECT_EQ(ThroughTheKernel(filter), filter);
}

TEST(Filter, MatchesWholeWordsAndTheRestByMask) {
  const auto v4 = MatchSource(*net::Prefix::Parse("198.51.100.64/26"));
  EXPECT_EQ(v4, (std::vector<FilterKey>{{12, 0xC6336440, 0xFFFFFFC0}}));
  const auto v6 = MatchDestination(*net::Prefix::Parse("2001:db8:8000::/33"));
  EXPECT_EQ(v6,
            (std::vector<FilterKey>{{24, 0x20010DB8, UINT32_MAX}, {28, 0x80000000, 0x80000000}}));
  EXPECT_EQ(MatchSource(*net::Prefix::Parse("::1/128")).size(), 4U);
  EXPECT_EQ(MatchDestination(*net::Prefix::Parse("0.0.0.0/0")), MatchAll());
}

}  // namespace
}  // namespace cnm::netlink
