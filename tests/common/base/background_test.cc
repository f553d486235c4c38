// background_test.cc: work that nobody waits for is done all the same.
#include "common/base/background.h"

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace cnm {
namespace {

TEST(Background, EndsAfterAllWorkIsDone) {
  std::atomic<int> done = 0;
  {
    Background background(3);
    std::vector<std::thread> askers;
    askers.reserve(4);
    for (int asker = 0; asker < 4; ++asker) {
      askers.emplace_back([&] {
        for (int turn = 0; turn < 100; ++turn) background.Run([&] { ++done; });
      });
    }
    for (std::thread& asker : askers) asker.join();
  }
  EXPECT_EQ(done, 400);
}

TEST(Background, AsksNobodyToWait) {
  std::promise<void> gate;
  std::promise<void> second;
  Background background(2);
  background.Run([opened = gate.get_future().share()] { opened.wait(); });
  background.Run([&] { second.set_value(); });
  const auto done = second.get_future().wait_for(std::chrono::seconds(20));
  gate.set_value();
  EXPECT_EQ(done, std::future_status::ready) << "while the first still waits";
}

TEST(Background, EndsWhatWorkHoldsInItsThread) {
  std::promise<std::thread::id> ended;
  const auto tell = [&](int* held) {
    delete held;
    ended.set_value(std::this_thread::get_id());
  };
  Background background(1);
  background.Run([held = std::shared_ptr<int>(new int, tell)] {});
  EXPECT_NE(ended.get_future().get(), std::this_thread::get_id());
}

}  // namespace
}  // namespace cnm
