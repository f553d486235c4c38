// test_plugin.h: the network plugin "test" that a daemon for experiments starts: it knows every
// call and does nothing (libnetwork.md §4.1).
#pragma once

#include <string>

#include "common/http/message.h"
#include "common/http/server.h"

namespace cnm::remote {

/// Answers as the plugin: Activate, a global scope, and null to Create-, DeleteNetwork, Create-,
/// DeleteEndpoint, Join and Leave; 404 to all else.
http::Response AnswerAsTestPlugin(const http::Request& request);

/// The plugin, served on 127.0.0.1 at a free port and announced in `directory`/test.spec, which is
/// made (0755) and removed with it.
class TestPlugin {
 public:
  /// `io` outlives it, and runs it.
  /// @throws Error kIo
  explicit TestPlugin(boost::asio::io_context& io,
                      const std::string& directory = "/usr/share/docker/plugins");
  TestPlugin(const TestPlugin&) = delete;
  TestPlugin& operator=(const TestPlugin&) = delete;
  ~TestPlugin();

  /// "http://127.0.0.1:4711"
  const std::string& url() const { return url_; }
  /// Any thread.
  void Stop() { server_.Stop(); }

 private:
  std::string spec_;
  std::string url_;
  http::Server server_;
};

}  // namespace cnm::remote
