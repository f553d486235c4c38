// teardown.cc: going on after a failure.
#include "cnm/teardown.h"

namespace cnm {

void Teardown::ThrowIfFailed() const {
  if (errors_.empty()) return;
  Error first = errors_.front();
  for (size_t i = 1; i < errors_.size(); ++i) first.AddDetail(errors_[i].message());
  throw first;
}

}  // namespace cnm
