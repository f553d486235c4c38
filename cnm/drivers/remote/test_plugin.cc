// test_plugin.cc: the network plugin "test".
#include "cnm/drivers/remote/test_plugin.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "common/base/atomic_file.h"
#include "common/base/error.h"
#include "common/base/fd.h"
#include "common/http/listen.h"

namespace cnm::remote {
namespace {

constexpr char kLoopback[] = "127.0.0.1";

http::Response Json(std::string body) {
  return {.headers = {{"Content-Type", "application/vnd.docker.plugins.v1+json"}},
          .body = std::move(body)};
}

}  // namespace

http::Response AnswerAsTestPlugin(const http::Request& request) {
  constexpr std::array<std::string_view, 6> kMethods = {
      "/NetworkDriver.CreateNetwork",  "/NetworkDriver.DeleteNetwork",
      "/NetworkDriver.CreateEndpoint", "/NetworkDriver.DeleteEndpoint",
      "/NetworkDriver.Join",           "/NetworkDriver.Leave"};
  if (request.target == "/Plugin.Activate") return Json(R"({"Implements": ["NetworkDriver"]})");
  if (request.target == "/NetworkDriver.GetCapabilities") return Json(R"({"Scope":"global"})");
  if (std::ranges::find(kMethods, request.target) != kMethods.end()) return Json("null");
  return http::TextResponse(404, fmt::format("the test plugin does not know {}", request.target));
}

TestPlugin::TestPlugin(boost::asio::io_context& io, const std::string& directory)
    : spec_(fmt::format("{}/test.spec", directory)), server_(io, AnswerAsTestPlugin) {
  Fd socket = http::ListenTcp(kLoopback, 0);
  url_ = fmt::format("http://{}:{}", kLoopback, http::PortOf(socket));
  MakeDirectories(directory);
  WriteFileAtomic(spec_, url_, Durability::kVolatile, 0644);
  server_.Listen(std::move(socket));
}

TestPlugin::~TestPlugin() {
  try {
    RemoveFile(spec_);
  } catch (const Error&) {  // the next one overwrites it
  }
}

}  // namespace cnm::remote
