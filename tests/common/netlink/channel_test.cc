// channel_test.cc: the conversation with a kernel that a socket pair plays.
#include "common/netlink/channel.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/base/error.h"

namespace cnm::netlink {
namespace {

/// The far end: what it says before the question waits in the socket, as the kernel's answers do
/// after a send.
class FakeKernel {
 public:
  FakeKernel() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends), 0);
    near_ = Fd(ends[0]);
    far_ = Fd(ends[1]);
  }
  Channel Connect() { return Channel(std::move(near_)); }

  void Say(uint16_t type, uint16_t flags, uint32_t sequence, const std::string& payload) {
    nlmsghdr header{};
    header.nlmsg_len = static_cast<uint32_t>(NLMSG_HDRLEN + payload.size());
    header.nlmsg_type = type;
    header.nlmsg_flags = flags;
    header.nlmsg_seq = sequence;
    std::string datagram(reinterpret_cast<const char*>(&header), sizeof header);
    datagram += payload;
    EXPECT_EQ(::send(far_.get(), datagram.data(), datagram.size(), 0),
              static_cast<ssize_t>(datagram.size()));
  }

  void Acknowledge(uint32_t sequence, int err, const std::string& words = "") {
    nlmsgerr error{};
    error.error = -err;
    std::string payload(reinterpret_cast<const char*>(&error), sizeof error);
    uint16_t flags = NLM_F_CAPPED;
    if (!words.empty()) {
      flags |= NLM_F_ACK_TLVS;
      const nlattr attribute{static_cast<uint16_t>(NLA_HDRLEN + words.size() + 1),
                             NLMSGERR_ATTR_MSG};
      payload.append(reinterpret_cast<const char*>(&attribute), sizeof attribute);
      payload += words + '\0';
    }
    Say(NLMSG_ERROR, flags, sequence, payload);
  }

  void EndDump(uint32_t sequence, uint16_t flags) {
    Say(NLMSG_DONE, flags, sequence, std::string(sizeof(int), '\0'));
  }

 private:
  Fd near_;
  Fd far_;
};

std::vector<Request> MakeRequests(std::initializer_list<const char*> whats) {
  std::vector<Request> requests;
  for (const char* what : whats) requests.emplace_back(what, RTM_NEWLINK, 0);
  return requests;
}

TEST(Channel, ReturnsTheToleratedErrnoOfEachRequest) {
  FakeKernel kernel;
  Channel channel = kernel.Connect();
  std::vector<Request> requests = MakeRequests({"first", "second"});
  requests[1].Tolerate(EEXIST);
  kernel.Acknowledge(1, 0);
  kernel.Acknowledge(2, EEXIST);
  EXPECT_EQ(channel.Execute(requests), (std::vector{0, EEXIST}));
}

TEST(Channel, ThrowsTheFirstFailureWithTheKernelsWords) {
  FakeKernel kernel;
  Channel channel = kernel.Connect();
  const std::vector<Request> requests = MakeRequests({"first", "second", "third"});
  kernel.Acknowledge(1, 0);
  kernel.Acknowledge(2, EINVAL, "Peer netns reference is invalid");
  kernel.Acknowledge(3, EPERM);
  try {
    channel.Execute(requests);
    FAIL() << "did not throw";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kKernel);
    EXPECT_EQ(error.message(), "second: Invalid argument (Peer netns reference is invalid)");
  }
}

TEST(Channel, ReadsEveryAckOfAFailedBatchSoThatTheNextIsNotConfused) {
  FakeKernel kernel;
  Channel channel = kernel.Connect();
  kernel.Acknowledge(1, EPERM);
  kernel.Acknowledge(2, EBUSY);
  EXPECT_THROW(channel.Execute(MakeRequests({"first", "second"})), Error);
  kernel.Acknowledge(3, 0);
  EXPECT_EQ(channel.Execute(MakeRequests({"third"})), std::vector{0});
}

TEST(Channel, IgnoresWhatAnswersNoQuestionOfOurs) {
  FakeKernel kernel;
  Channel channel = kernel.Connect();
  kernel.Acknowledge(77, EPERM);
  kernel.Say(RTM_NEWLINK, 0, 0, std::string(sizeof(ifinfomsg), '\0'));
  kernel.Acknowledge(1, 0);
  EXPECT_EQ(channel.Execute(MakeRequests({"first"})), std::vector{0});
}

TEST(Channel, DoesNotWaitForAnAnswerThatIsLost) {
  FakeKernel kernel;
  Channel channel = kernel.Connect();
  kernel.Acknowledge(1, 0);
  try {
    channel.Execute(MakeRequests({"first", "second"}));
    FAIL() << "did not throw";
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "first: no answer");
  }
}

TEST(Channel, RepeatsAnInterruptedDumpFromTheStart) {
  FakeKernel kernel;
  Channel channel = kernel.Connect();
  kernel.Say(RTM_NEWLINK, NLM_F_DUMP_INTR, 1, "half");
  kernel.EndDump(1, 0);
  kernel.Say(RTM_NEWLINK, 0, 2, "good");
  kernel.EndDump(2, 0);
  std::vector<std::string> seen;
  channel.Dump(
      Request("list", RTM_GETLINK, 0), [&] { seen.clear(); },
      [&](const nlmsghdr& message) {
        seen.emplace_back(static_cast<const char*>(NLMSG_DATA(&message)), 4);
      });
  EXPECT_EQ(seen, std::vector<std::string>{"good"});
}

TEST(Channel, GivesUpADumpThatIsInterruptedFiveTimes) {
  FakeKernel kernel;
  Channel channel = kernel.Connect();
  for (uint32_t attempt = 1; attempt <= 5; ++attempt) kernel.EndDump(attempt, NLM_F_DUMP_INTR);
  try {
    channel.Dump(
        Request("list links", RTM_GETLINK, 0), [] {}, [](const nlmsghdr&) {});
    FAIL() << "did not throw";
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "list links: interrupted by changes 5 times");
  }
}

TEST(Channel, SurvivesTruncatedAnswers) {
  FakeKernel kernel;
  Channel channel = kernel.Connect();
  kernel.Say(NLMSG_ERROR, NLM_F_ACK_TLVS, 1, std::string(2, '\xff'));
  kernel.Say(NLMSG_ERROR, NLM_F_ACK_TLVS, 1, std::string(4, '\xff'));
  try {
    channel.Execute(MakeRequests({"first"}));
    FAIL() << "did not throw";
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "first: Operation not permitted");
  }
}

}  // namespace
}  // namespace cnm::netlink
