// fake_plugin.h: a Docker plugin on a unix socket, with answers that a test sets.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cnm/drivers/remote/plugin.h"
#include "common/base/error.h"
#include "tests/common/base/child_process.h"
#include "tests/common/http/http_test_server.h"

namespace cnm::remote {

/// The plugin "fake", announced by its socket in the test's directory.
class FakePluginTest : public DirectoryTest {
 protected:
  PluginSettings Settings() const {
    return {.directories = {{Path("none"), Path("")}}, .limits = {}};
  }
  void Says(const std::string& method, const std::string& body, unsigned status = 200) {
    const std::lock_guard lock(mutex_);
    answers_[method] = {.status = status, .body = body};
  }
  /// Code and message of the Error that `work` throws.
  static Error FailureOf(const std::function<void()>& work) {
    try {
      work();
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "no error";
    return Error(Code::kInternal, "");
  }
  /// "Method body" of the requests until now, in order.
  std::vector<std::string> Requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  std::string LastRequest() { return Requests().back(); }

 private:
  http::Response Answer(const http::Request& request) {
    const std::lock_guard lock(mutex_);
    const std::string method = request.target.substr(request.target.find('.') + 1);
    requests_.push_back(method + " " + request.body);
    const auto answer = answers_.find(method);
    return answer == answers_.end() ? http::Response{.body = "{}"} : answer->second;
  }

  std::mutex mutex_;
  /// Of methods, without their interface: "Join"; {} for others.
  std::map<std::string, http::Response> answers_ = {
      {"Activate", {.body = R"({"Implements":["NetworkDriver","IpamDriver"]})"}},
      {"GetCapabilities",
       {.body = R"({"Scope":"local","ConnectivityScope":"global","Extra":[1]})"}},
  };
  std::vector<std::string> requests_;
  http::TestServer server_{Path("fake.sock"), [this](const http::Request& r) { return Answer(r); }};
};

}  // namespace cnm::remote
