#pragma once

#include "net/protocol/centrifugo/request_fields.hpp"

#include <string>
#include <string_view>

/// Commands as text, to be compared: `7 publish channel=a data={}`, without what has its default.

namespace canang::test {

inline std::string_view name_of(net::centrifugo::method what) {
  for (const auto& one : net::centrifugo::method_fields)
    if (one.what == what)
      return one.name;
  return what == net::centrifugo::method::none ? "none" : "unknown";
}

inline std::string described(const net::centrifugo::request& said) {
  auto all = std::to_string(said.id).append(" ").append(name_of(said.what));
  const auto text = [&](std::string_view name, std::string_view value) {
    if (!value.empty())
      all.append(" ").append(name).append("=").append(value);
  };
  const auto flag = [&](std::string_view name, bool is_set) {
    if (is_set)
      all.append(" ").append(name);
  };
  const auto number = [&](std::string_view name, auto value) {
    if (value != 0)
      text(name, std::to_string(value));
  };
  text("channel", said.channel);
  text("token", said.token);
  text("data", said.data);
  text("name", said.name);
  text("version", said.version);
  for (const auto& sub : said.subs)
    all.append(" sub=")
      .append(sub.channel)
      .append(sub.recover ? "!" : "?")
      .append(sub.at.epoch)
      .append(":")
      .append(std::to_string(sub.at.offset));
  flag("recover", said.recover);
  flag("positioned", said.positioned);
  flag("recoverable", said.recoverable);
  flag("join_leave", said.join_leave);
  text("epoch", said.epoch);
  number("offset", said.offset);
  text("delta", said.delta);
  number("limit", said.limit);
  if (said.since)
    all.append(" since=")
      .append(said.since->epoch)
      .append(":")
      .append(std::to_string(said.since->offset));
  flag("reverse", said.reverse);
  text("method", said.rpc_method);
  return all;
}

/// All of a message: its commands, each with a `;` behind it, then `bad` where it cannot be read.
inline std::string described(net::centrifugo::request_reader& reader, std::string_view message) {
  using net::centrifugo::read_result;
  std::string all;
  net::centrifugo::request said;
  reader.begin(message);
  auto result = reader.next(said);
  for (; result == read_result::command; result = reader.next(said))
    all.append(described(said)).append(";");
  if (result == read_result::bad)
    all += "bad";
  return all;
}

} // namespace canang::test
