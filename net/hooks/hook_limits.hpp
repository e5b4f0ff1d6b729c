#pragma once

#include <chrono>
#include <cstddef>

namespace canang::net {

/// Every limit of what is asked and told over HTTP, with its unit and the reason for the number. What an operator may
/// change is in `hook_settings`.

/// Questions of one kind that may wait for the limit of those at the same time, and their bytes: at that limit and 10 ms for an answer
/// it takes a third of a second to ask them all.
inline constexpr std::size_t max_waiting_hooks = 4096;
inline constexpr std::size_t max_waiting_hook_bytes = 16UL * 1024 * 1024;

/// Connections to one server that are kept for the next request, and for how long: servers close theirs after 5 s to
/// 75 s.
inline constexpr std::size_t max_idle_hook_links = 64;
inline constexpr std::chrono::seconds longest_idle_hook_link{30};

/// Events of one hook that wait to be told, and their bytes: what comes when all clients of a large node go within some
/// seconds.
inline constexpr std::size_t max_waiting_events = 65'536;
inline constexpr std::size_t max_waiting_event_bytes = 16UL * 1024 * 1024;

/// Of those that go in one request, and their bytes.
inline constexpr std::size_t max_events_in_request = 256;
inline constexpr std::size_t max_event_request_bytes = 256UL * 1024;

/// How often a request with events is tried. The pauses between tries double, from `hook_settings::event_pause` up to the
/// longest: a minute and a half in all, in which a program is restarted.
inline constexpr unsigned most_event_tries = 8;
inline constexpr std::chrono::milliseconds longest_event_pause{30'000};

} // namespace canang::net
