// service_state.h: telling systemd how a service is doing (sd_notify(3)).
#pragma once

#include <string_view>

namespace cnm::daemon {

/// Sends `state` ("READY=1", "STOPPING=1") to the socket in NOTIFY_SOCKET. Without that variable
/// nothing happens; a failure is a warning, for the service works all the same.
void NotifyServiceManager(std::string_view state) noexcept;

}  // namespace cnm::daemon
