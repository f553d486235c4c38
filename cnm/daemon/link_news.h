// link_news.h: the kernel's news about links that have gone.
#pragma once

#include <functional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "common/base/fd.h"

namespace cnm::daemon {

/// Calls back after each bundle of news in which a link of this netns was removed: a container that
/// died without a word takes its link with it. Also when news were lost, because then one may have.
class LinkNews {
 public:
  /// Listens from now on; `gone` is called in the io_context's thread.
  /// @throws Error kKernel "listen to link news: reason"
  LinkNews(boost::asio::io_context& io, std::function<void()> gone);
  void Stop();

 private:
  void Wait();
  bool ReadRemovals();

  std::function<void()> gone_;
  boost::asio::posix::stream_descriptor socket_;
};

}  // namespace cnm::daemon
