// event.h: what was asked of an engine or a driver has ended: for whoever keeps a log.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>

#include "common/base/error.h"
#include "common/base/step_times.h"

namespace cnm::engine {

/// One request's end. What it does not concern, or nobody knows, is "".
struct Event {
  std::string_view verb;         ///< "create-network", "join"
  std::string network = {};      ///< its name
  std::string endpoint = {};     ///< its name, or its id
  std::string container = {};    ///< its id
  const Error* error = nullptr;  ///< nullptr = it worked
  StepTimes times = {};
};

/// Told of each end, in the thread that worked; must not throw.
using Teller = std::function<void(const Event&)>;

/// Does the work and tells how it ended. @throws what the work does
template <class Work>
auto Told(const Teller& tell, Event event, const Work& work) -> std::invoke_result_t<Work> {
  if (!tell) return work();
  const auto end = [&](const Error* error) {
    event.error = error;
    event.times.Mark("total");
    tell(event);
  };
  try {
    if constexpr (std::is_void_v<std::invoke_result_t<Work>>) {
      work();
      end(nullptr);
    } else {
      auto result = work();
      end(nullptr);
      return result;
    }
  } catch (const Error& error) {
    end(&error);
    throw;
  }
}

}  // namespace cnm::engine
