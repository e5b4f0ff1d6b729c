#pragma once

#include "net/protocol/centrifugo/request.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <variant>

/// What both readers look for in a command: names and numbers are those of client.proto.

namespace canang::net::centrifugo {

struct method_field {
  method what;
  std::string_view name;
  std::uint32_t number;
};

/// Of several methods in a command the first one here counts.
inline constexpr std::array method_fields{
  method_field{method::connect, "connect", 4},
  method_field{method::subscribe, "subscribe", 5},
  method_field{method::unsubscribe, "unsubscribe", 6},
  method_field{method::publish, "publish", 7},
  method_field{method::presence, "presence", 8},
  method_field{method::presence_stats, "presence_stats", 9},
  method_field{method::history, "history", 10},
  method_field{method::ping, "ping", 11},
  method_field{method::send, "send", 12},
  method_field{method::rpc, "rpc", 13},
  method_field{method::refresh, "refresh", 14},
  method_field{method::sub_refresh, "sub_refresh", 15},
};

/// What a field holds, and where it goes.
using text_field = std::string_view request::*;
using flag_field = bool request::*;
using offset_field = std::uint64_t request::*;
using number_field = std::int32_t request::*;
struct data_field {}; ///< JSON in JSON, else bytes
struct subs_field {}; ///< subscriptions by channel
struct since_field {};
using field_kind = std::variant<text_field, flag_field, offset_field, number_field, data_field,
                                subs_field, since_field>;

struct request_field {
  method of;
  std::string_view name;
  std::uint32_t number;
  field_kind kind;
};

inline constexpr std::array request_fields{
  request_field{method::connect, "token", 1, &request::token},
  request_field{method::connect, "data", 2, data_field{}},
  request_field{method::connect, "subs", 3, subs_field{}},
  request_field{method::connect, "name", 4, &request::name},
  request_field{method::connect, "version", 5, &request::version},

  request_field{method::subscribe, "channel", 1, &request::channel},
  request_field{method::subscribe, "token", 2, &request::token},
  request_field{method::subscribe, "recover", 3, &request::recover},
  request_field{method::subscribe, "epoch", 6, &request::epoch},
  request_field{method::subscribe, "offset", 7, &request::offset},
  request_field{method::subscribe, "data", 8, data_field{}},
  request_field{method::subscribe, "positioned", 9, &request::positioned},
  request_field{method::subscribe, "recoverable", 10, &request::recoverable},
  request_field{method::subscribe, "join_leave", 11, &request::join_leave},
  request_field{method::subscribe, "delta", 12, &request::delta},

  request_field{method::unsubscribe, "channel", 1, &request::channel},

  request_field{method::publish, "channel", 1, &request::channel},
  request_field{method::publish, "data", 2, data_field{}},

  request_field{method::presence, "channel", 1, &request::channel},

  request_field{method::presence_stats, "channel", 1, &request::channel},

  request_field{method::history, "channel", 1, &request::channel},
  request_field{method::history, "limit", 7, &request::limit},
  request_field{method::history, "since", 8, since_field{}},
  request_field{method::history, "reverse", 9, &request::reverse},

  request_field{method::send, "data", 1, data_field{}},

  request_field{method::rpc, "data", 1, data_field{}},
  request_field{method::rpc, "method", 2, &request::rpc_method},

  request_field{method::refresh, "token", 1, &request::token},

  request_field{method::sub_refresh, "channel", 1, &request::channel},
  request_field{method::sub_refresh, "token", 2, &request::token},
};

/// Whether a method that was found takes the place of the one that counts so far. Of equal ones the last counts.
constexpr bool counts_before(method found, method so_far) noexcept {
  return so_far == method::none || found <= so_far;
}

/// What a command is that was read to its end: without an id and a method it is empty.
constexpr method settled(const request& read) noexcept {
  return read.what == method::none && read.id != 0 ? method::unknown : read.what;
}

} // namespace canang::net::centrifugo
