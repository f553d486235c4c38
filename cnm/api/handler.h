// handler.h: the REST API: a request in, the engine asked, an answer out (libnetwork.md §1).
#pragma once

#include "cnm/engine/engine.h"
#include "common/http/message.h"

namespace cnm::api {

/// The API over an engine, which outlives it. Stateless: any number of threads at once.
class Api {
 public:
  /// Without an engine every request is answered 503 "NetworkController is not available".
  explicit Api(engine::Engine* engine) : engine_(engine) {}

  /// 200 or 201 with JSON (none for DELETE), 301 for an unclean path, else text/plain: 404 "404
  /// page not found" where there is no route, and the failures of status.h. Throws nothing of the
  /// engine's.
  http::Response Handle(const http::Request& request) const;

 private:
  engine::Engine* engine_;
};

}  // namespace cnm::api
