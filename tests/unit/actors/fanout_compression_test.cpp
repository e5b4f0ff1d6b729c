// Members that get what a turn brings compressed: once for all of them, and for nobody else.

#include "actors/fanout.hpp"
#include "net/protocol/centrifugo.hpp"
#include "net/protocol/plain.hpp"
#include "tests/unit/support/deflated.hpp"
#include "tests/unit/support/fake_session.hpp"
#include "tests/unit/support/fanout_fixture.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace canang::actors {
namespace {

using net::compression;
using test::fake_session_ptr;
using test::server_frames;
using test::server_messages;
using test::some_json;

struct fanout_compression_test : testing::Test {
  net::loop_context context{{}};
  cluster::room_settings_source settings{table_of(true)};
  fanout members{context, &settings};

  static std::shared_ptr<const cluster::room_settings_table> table_of(bool compresses,
                                                                      std::size_t least = 200) {
    auto table = std::make_shared<cluster::room_settings_table>();
    table->rooms.compresses = compresses;
    table->rooms.compression_min_bytes = least;
    table->namespaces["off"].compresses = false;
    return table;
  }

  fake_session_ptr join(connection_id id, const net::wire_format& format,
                        const std::string& name = "room", room_id room = test::room_a) {
    auto session = test::make_fake_session();
    members.attach(id, session);
    add_member request{room, id, &format, {}};
    request.room_name = name;
    members.add(request);
    session->got.clear(); // the answer
    return session;
  }

  fake_session_ptr join_plain(connection_id id, compression how) {
    return join(id, net::plain_format().with(how));
  }

  void deliver(std::string data, connection_id publisher = 0, bool echo = true,
               room_id room = test::room_a) {
    members.deliver(room, test::fanout_fixture::publication(std::move(data), publisher, echo));
  }

  [[nodiscard]] std::uint64_t compressed_bytes() const {
    return context.metrics.deflated_from_bytes_total.value();
  }
};

TEST_F(fanout_compression_test, compresses_once_for_all_who_agreed_on_it) {
  std::vector<fake_session_ptr> packed;
  for (connection_id id = 1; id <= 50; ++id)
    packed.push_back(join_plain(id, compression::deflate));
  const auto plain = join_plain(100, compression::none);
  const auto narrow = join_plain(101, compression::narrow_deflate);
  deliver(some_json(1000));
  deliver("short");
  members.flush();
  EXPECT_EQ(compressed_bytes(), 2000U) << "once for each of two windows";
  const std::vector messages{some_json(1000), std::string{"short"}};
  for (const auto& session : packed) {
    EXPECT_EQ(session->got, packed[0]->got);
    EXPECT_EQ(session->sends.size(), 1U);
  }
  EXPECT_EQ(server_messages(packed[0]->got), messages);
  EXPECT_EQ(server_frames(packed[0]->got)[0].first_byte, 0xC1U);
  EXPECT_EQ(server_frames(packed[0]->got)[1].first_byte, 0x81U) << "it is below the minimum";
  EXPECT_EQ(server_messages(narrow->got, 9), messages);
  EXPECT_EQ(server_frames(plain->got)[0].first_byte, 0x81U);
  EXPECT_EQ(server_messages(plain->got), messages);
  EXPECT_EQ(context.metrics.deliveries_total.value(), 104U);
}

TEST_F(fanout_compression_test, costs_nothing_where_nobody_agreed_on_it) {
  join_plain(1, compression::none);
  deliver(some_json(1000));
  members.flush();
  EXPECT_EQ(compressed_bytes(), 0U);
}

TEST_F(fanout_compression_test, gives_each_its_own_part_of_a_turn) {
  const auto a = join_plain(1, compression::deflate);
  const auto b = join_plain(2, compression::deflate);
  deliver(some_json(300), 1, false);
  const auto late = join_plain(3, compression::deflate);
  deliver(some_json(400));
  deliver(some_json(500), 2, false);
  members.flush();
  EXPECT_EQ(server_messages(a->got), (std::vector{some_json(400), some_json(500)}));
  EXPECT_EQ(server_messages(b->got), (std::vector{some_json(300), some_json(400)}));
  EXPECT_EQ(server_messages(late->got), (std::vector{some_json(400), some_json(500)}));
}

TEST_F(fanout_compression_test, compresses_a_turn_of_one_frame_as_one) {
  const auto& format = net::centrifugo_json_format();
  const auto plain = join(1, format);
  const auto packed = join(2, format.with(compression::deflate));
  for (int i = 0; i < 20; ++i) // each of which is below the minimum
    deliver("\"message " + std::to_string(i) + "\"");
  members.flush();
  const auto frames = server_frames(packed->got);
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_EQ(frames[0].first_byte, 0xC1U);
  EXPECT_EQ(server_messages(packed->got), server_messages(plain->got));
  EXPECT_LT(packed->got.size() * 2, plain->got.size());
}

/// Each format that members have takes its own time: there are many, and whoever may join may have them all.
TEST_F(fanout_compression_test, compresses_no_more_in_a_turn_than_some_milliseconds_worth) {
  constexpr std::size_t size = 100'000;
  const std::string text(size - 2, 'a');
  std::vector<fake_session_ptr> all;
  for (const auto how : {compression::deflate, compression::narrow_deflate})
    for (const auto* const format :
         {&net::plain_format(), &net::plain_meta_format(), &net::centrifugo_json_format()})
      all.push_back(join(all.size() + 1, format->with(how)));
  for (int turn = 1; turn <= 3; ++turn) {
    const auto before = compressed_bytes();
    deliver('"' + text + '"');
    members.flush();
    EXPECT_GE(compressed_bytes() - before, 2 * size);
    EXPECT_LE(compressed_bytes() - before, 4 * size);
  }
  for (const auto& session : all) {
    const auto got = server_messages(session->got);
    ASSERT_EQ(got.size(), 3U) << "the others get them as they are";
    for (const auto& message : got)
      EXPECT_NE(message.find(text), std::string::npos);
  }
}

TEST_F(fanout_compression_test, does_what_the_settings_of_the_room_say) {
  const auto& format = net::plain_format().with(compression::deflate);
  const auto off = join(1, format, "off:1", test::room_b);
  const auto on = join(2, format);
  deliver(some_json(300));
  deliver(some_json(300), 0, true, test::room_b);
  members.flush();
  EXPECT_EQ(server_frames(on->got)[0].first_byte, 0xC1U);
  EXPECT_EQ(server_frames(off->got)[0].first_byte, 0x81U);
  settings.set(table_of(true, 301));
  members.on_tick(net::loop_context::clock::now());
  deliver(some_json(300));
  deliver(some_json(301));
  members.flush();
  EXPECT_EQ(server_frames(on->got)[1].first_byte, 0x81U);
  EXPECT_EQ(server_frames(on->got)[2].first_byte, 0xC1U);
  settings.set(table_of(false));
  members.on_tick(net::loop_context::clock::now());
  deliver(some_json(1000));
  members.flush();
  EXPECT_EQ(server_frames(on->got)[3].first_byte, 0x81U) << "a client may get it as it is";
}

TEST_F(fanout_compression_test, twins_of_a_format_are_known_by_their_address) {
  const auto& format = net::plain_format();
  EXPECT_EQ(&format.with(compression::none), &format);
  EXPECT_EQ(&format.with(compression::deflate), &format.with(compression::deflate));
  EXPECT_NE(&format.with(compression::deflate), &format.with(compression::narrow_deflate));
  EXPECT_EQ(&format.with(compression::deflate).language, &format.language);
}

} // namespace
} // namespace canang::actors
