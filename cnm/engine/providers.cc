// providers.cc: the drivers an engine has or finds, by name.
#include "cnm/engine/providers.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "common/base/error.h"

namespace cnm::engine {
namespace {

/// A plugin that lives answers in a few milliseconds.
constexpr std::chrono::milliseconds kStartWaits{300};

/// Nobody waits for the thread: what it uses is its own, so that a daemon can stop meanwhile.
template <class T, class Find>
std::shared_future<std::shared_ptr<T>> Begin(const std::string& name, const Find& find) {
  std::promise<std::shared_ptr<T>> promise;
  std::shared_future<std::shared_ptr<T>> result = promise.get_future().share();
  std::thread([name, find, answer = std::move(promise)]() mutable {
    try {
      answer.set_value(find(name));
    } catch (...) {
      answer.set_exception(std::current_exception());
    }
  }).detach();
  return result;
}

}  // namespace

void Providers::EndStart() {
  const std::lock_guard guard(mutex_);
  starting_ = false;
}

/// nullptr when there is none.
template <class T, class Find>
std::shared_ptr<T> Providers::Search(const std::string& name, const Find& find,
                                     Searches<T>& searches) {
  if (!find) return nullptr;
  std::shared_future<std::shared_ptr<T>> search;
  std::chrono::milliseconds patience = std::chrono::hours(1);
  {
    const std::lock_guard guard(mutex_);
    const auto [known, fresh] = searches.try_emplace(name);
    if (fresh) known->second = Begin<T>(name, find);
    search = known->second;
    if (starting_) patience = fresh ? kStartWaits : std::chrono::milliseconds(0);
  }
  if (search.wait_for(patience) != std::future_status::ready) {
    throw Error(Code::kUnavailable, fmt::format("plugin {} does not answer yet", name));
  }
  std::shared_ptr<T> found;
  std::exception_ptr failure;
  try {
    found = search.get();
  } catch (const Error& error) {
    failure = std::make_exception_ptr(Error(error));  // its own for each who waited
  }
  if (found) return found;
  const std::lock_guard guard(mutex_);
  const auto known = searches.find(name);
  const bool over = known != searches.end() &&
                    known->second.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  if (over) searches.erase(known);  // who asks again searches again
  if (failure) std::rethrow_exception(failure);
  return nullptr;
}

bool Providers::HasDriver(const std::string& type) const {
  return std::ranges::any_of(options_.drivers,
                             [&](const auto& driver) { return driver->type() == type; });
}

bool Providers::HasIpam(const std::string& name) const {
  return std::ranges::any_of(options_.ipams,
                             [&](const auto& ipam) { return ipam->name() == name; });
}

std::shared_ptr<NetworkDriver> Providers::GetDriver(const std::string& type) {
  for (const auto& driver : options_.drivers) {
    if (driver->type() == type) return driver;
  }
  auto found = Search<NetworkDriver>(type, options_.find_driver, drivers_);
  if (!found) {
    throw Error(Code::kNotFound, "Plugin not found", fmt::format("network driver \"{}\"", type));
  }
  return found;
}

std::shared_ptr<IpamDriver> Providers::GetIpam(const std::string& name) {
  for (const auto& ipam : options_.ipams) {
    if (name.empty() || ipam->name() == name) return ipam;
  }
  std::shared_ptr<IpamDriver> found;
  if (!name.empty()) found = Search<IpamDriver>(name, options_.find_ipam, ipams_);
  if (!found) {
    throw Error(Code::kConfig, fmt::format("could not resolve IPAM driver {}",
                                           name.empty() ? "(none is configured)" : name));
  }
  return found;
}

}  // namespace cnm::engine
