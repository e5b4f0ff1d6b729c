#pragma once

#include "actors/fanout.hpp"
#include "tests/unit/support/bracket_protocol.hpp"
#include "tests/unit/support/fake_session.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace canang::test {

inline constexpr actors::room_id room_a = 1001;
inline constexpr actors::room_id room_b = 1002;

/// A fanout with sessions that only note what they are sent.
struct fanout_fixture : testing::Test {
  net::loop_context context{{}};
  actors::fanout members{context};

  fake_session_ptr attach(actors::connection_id id) {
    auto session = test::make_fake_session();
    members.attach(id, session);
    return session;
  }

  void add(actors::room_id room, actors::connection_id id,
           const net::wire_format& format = brackets(), std::vector<std::string> recovered = {}) {
    actors::add_member request{room, id, &format, {}};
    for (auto& data : recovered)
      request.recovered.push_back(publication(std::move(data), 0, true));
    members.add(request);
  }

  fake_session_ptr join(actors::room_id room, actors::connection_id id,
                        const net::wire_format& format = brackets()) {
    auto session = attach(id);
    add(room, id, format);
    return session;
  }

  static cluster::publication_ptr publication(std::string data, actors::connection_id publisher,
                                              bool echo) {
    auto message = std::make_shared<cluster::publication>();
    message->data = std::move(data);
    message->publisher = publisher;
    message->echo = echo;
    message->received_at = net::loop_context::clock::now();
    return message;
  }

  void deliver(actors::room_id room, std::string data, actors::connection_id publisher = 0,
               bool echo = true) {
    members.deliver(room, publication(std::move(data), publisher, echo));
  }
};

} // namespace canang::test
