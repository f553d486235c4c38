// handler.h: the REST API: a request in, the engine asked, an answer out (libnetwork.md §1).
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "cnm/engine/engine.h"
#include "common/http/message.h"

namespace cnm::api {

/// The API over an engine, which outlives it. Stateless: any number of threads at once.
class Api {
 public:
  /// The JSON of all networks and endpoints of the host (cnm/inventory).
  using Inventory = std::function<std::string()>;

  /// Without an engine every request is answered 503 "NetworkController is not available"; without
  /// an inventory there is no such route.
  explicit Api(engine::Engine* engine, Inventory inventory = {})
      : engine_(engine), inventory_(std::move(inventory)) {}

  /// Whether the answer is in memory and records alone: no driver is asked, and nobody waited for.
  static bool OnlyReads(const http::Request& request);

  /// 200 or 201 with JSON (none for DELETE), 301 for an unclean path, else text/plain: 404 "404
  /// page not found" where there is no route, and the failures of status.h. Throws nothing of the
  /// engine's.
  http::Response Handle(const http::Request& request) const;

 private:
  engine::Engine* engine_;
  Inventory inventory_;
};

}  // namespace cnm::api
