// exit_status.h: how cnm-firewalld ends, for it and for who calls it. Internal to this folder.
#pragma once

namespace cnm::firewall::firewalld {

inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;  ///< why is on stdout
inline constexpr int kWrongUse = 2;
inline constexpr int kNotRunning = 3;  ///< there is no firewalld on the bus, or no bus

}  // namespace cnm::firewall::firewalld
