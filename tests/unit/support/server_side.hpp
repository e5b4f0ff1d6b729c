#pragma once

#include "net/protocol/centrifugo.hpp"
#include "net/protocol/commands.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace canang::test {

/// What a membership that the server began is told in, by those who speak one of the formats of Centrifugo's protocol.
inline const net::wire_format& by_server(const net::wire_format& of) {
  struct quiet_sink final : net::command_sink {
    explicit quiet_sink(net::conversation& with) : talk(with) {}

    net::conversation& talk;

    void open() override {}
    void on_command(net::identify_command&&) override { talk.on_admitted(*this); }
    void on_command(net::join_command&&) override {}
    void on_command(const net::leave_command&) override {}
    void on_command(const net::publish_command&) override {}
    void on_command(const net::query_command&) override {}
    void reply(net::frame_type, std::string_view) override {}
    void close(std::uint16_t, std::string_view) override {}
  };
  const auto talk = of.language.converse();
  net::join_command wanted{.room = "r"};
  EXPECT_FALSE(talk->take_invitation(wanted)) << "it has not connected";
  quiet_sink sink{*talk};
  const std::string connect = &of == &net::centrifugo_json_format()
                                ? R"({"id":1,"connect":{}})"
                                : std::string{"\4\x08\1\x22\0", 5};
  talk->decode(net::frame_type::text, connect, sink);
  EXPECT_TRUE(talk->take_invitation(wanted));
  return *wanted.format;
}

} // namespace canang::test
