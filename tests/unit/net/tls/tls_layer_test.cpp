#include "net/tls/tls_layer.hpp"

#include "net/limits.hpp"
#include "tests/unit/support/tls_client.hpp"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/sslerr.h>

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace canang::net {
namespace {

using step = tls_layer::step;

/// A layer on one end of a pair of sockets, and a client on memory BIOs whose bytes the test carries.
struct tls_layer_test : testing::Test {
  test::tls_server_side server;
  test::context_ptr context = test::client_context();
  loop_metrics metrics;
  int near = -1; // the layer's end
  int far = -1;
  std::unique_ptr<tls_layer> layer;
  std::optional<test::tls_side> client;

  void SetUp() override { begin(); }
  void TearDown() override { hang_up(); }

  void begin() {
    hang_up();
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    near = ends[0];
    far = ends[1];
    layer = std::make_unique<tls_layer>(server.source.current().get(), &metrics);
    client.emplace(context.get(), false);
  }

  void hang_up() {
    layer.reset();
    EXPECT_EQ(metrics.inbox_bytes.value(), 0U);
    EXPECT_EQ(metrics.outbox_memory_bytes.value(), 0U);
    for (int* const end : {&near, &far})
      if (*end >= 0)
        ::close(std::exchange(*end, -1));
  }

  std::string records_of_client() {
    std::string records{client->records()};
    client->sent(records.size());
    return records;
  }

  void carry(std::string_view bytes) const {
    ASSERT_EQ(::send(far, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }

  std::string arrived() const {
    std::string all;
    char some[4096];
    ssize_t size = 0;
    while ((size = ::recv(far, some, sizeof some, MSG_DONTWAIT)) > 0)
      all.append(some, static_cast<std::size_t>(size));
    return all;
  }

  void shake() {
    for (int i = 0; i < 4; ++i) {
      client->step();
      carry(records_of_client());
      static_cast<void>(layer->shake(near));
      client->feed(arrived());
    }
    ASSERT_TRUE(client->is_ready());
    ASSERT_EQ(layer->shake(near), step::done);
    static_cast<void>(layer->take_wire_bytes());
  }

  std::string decrypted() {
    client->feed(arrived());
    std::string clear;
    char some[4096];
    while (const auto size = client->read(some))
      clear.append(some, size);
    return clear;
  }

  std::string encrypted(std::string_view clear) {
    client->write(clear);
    return records_of_client();
  }

  /// Records with a change of the client's keys.
  std::string update_of_keys(int answer = SSL_KEY_UPDATE_NOT_REQUESTED) {
    SSL_key_update(client->native(), answer);
    client->step();
    return records_of_client();
  }

  /// As much as makes up for all records without data. @returns whether all of it was read.
  bool take_data() {
    std::string clear;
    carry(encrypted(std::string(tls_data_between_controls, 'x')));
    while (read(clear).size > 0) {
    }
    return clear.size() == tls_data_between_controls;
  }

  read_result read(std::string& into, std::size_t most = 64 * 1024) {
    std::string room(most, '\0');
    const auto got = layer->read(near, room);
    if (got.size > 0)
      into.append(room, 0, static_cast<std::size_t>(got.size));
    return got;
  }

  std::ptrdiff_t write(std::initializer_list<std::string_view> pieces) {
    std::vector<iovec> all;
    for (const auto piece : pieces)
      all.push_back({const_cast<char*>(piece.data()), piece.size()});
    return layer->write(near, all.data(), all.size());
  }
};

TEST_F(tls_layer_test, shakes_hands_and_reads_wherever_the_bytes_are_cut) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    context = test::client_context(version);
    begin();
    bool is_done = false;
    for (int flight = 0; flight < 4 && !(is_done && client->is_ready()); ++flight) {
      client->step();
      for (const char c : records_of_client()) {
        ASSERT_FALSE(is_done) << "nothing comes behind the last byte";
        carry({&c, 1});
        const auto at = layer->shake(near);
        ASSERT_TRUE(at == step::hello || at == step::more || at == step::done);
        is_done = at == step::done;
      }
      for (const char c : arrived())
        client->feed({&c, 1});
    }
    ASSERT_TRUE(is_done);
    client->step();
    ASSERT_TRUE(client->is_ready());
    const auto record = encrypted("hello");
    std::string clear;
    for (std::size_t i = 0; i < record.size(); ++i) {
      EXPECT_EQ(read(clear).size, -EAGAIN) << "before byte " << i;
      carry({record.data() + i, 1});
    }
    EXPECT_EQ(read(clear).size, 5);
    EXPECT_EQ(clear, "hello");
  }
}

TEST_F(tls_layer_test, says_whether_the_hello_is_still_to_come_that_costs_most) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    context = test::client_context(version);
    begin();
    client->step();
    const auto hello = records_of_client();
    for (const char one : hello.substr(0, hello.size() - 1)) {
      EXPECT_EQ(layer->shake(near), step::hello);
      carry({&one, 1});
    }
    EXPECT_EQ(layer->shake(near), step::hello);
    carry(hello.substr(hello.size() - 1));
    EXPECT_EQ(layer->shake(near), step::more);
    client->feed(arrived());
    shake();
  }
}

/// It has a key for a group that we do not use, and another group to offer.
TEST_F(tls_layer_test, says_that_it_awaits_the_second_hello_that_it_asked_for) {
  SSL_CTX_set1_groups_list(context.get(), "P-521:X25519");
  begin();
  client->step();
  carry(records_of_client());
  EXPECT_EQ(layer->shake(near), step::hello);
  client->feed(arrived());
  client->step();
  const auto second = records_of_client();
  carry(second.substr(0, 100));
  EXPECT_EQ(layer->shake(near), step::hello);
  carry(second.substr(100));
  EXPECT_EQ(layer->shake(near), step::more);
  client->feed(arrived());
  client->step();
  EXPECT_TRUE(client->is_ready());
  carry(records_of_client());
  EXPECT_EQ(layer->shake(near), step::done);
}

TEST_F(tls_layer_test, calls_the_socket_drained_only_when_it_has_just_seen_it) {
  shake();
  auto both = encrypted("one");
  both += encrypted("two");
  carry(both);
  std::string clear;
  EXPECT_FALSE(read(clear).is_drained) << "the second one is decrypted next";
  carry(encrypted("three"));
  while (clear != "onetwothree") {
    const auto got = read(clear);
    ASSERT_GT(got.size, 0);
    ASSERT_TRUE(!got.is_drained || clear == "onetwothree") << clear;
  }
  const auto last = read(clear);
  EXPECT_EQ(last.size, -EAGAIN);
  EXPECT_TRUE(last.is_drained);
}

TEST_F(tls_layer_test, reads_into_less_room_than_a_record_has) {
  shake();
  const std::string sent(10'000, 'x');
  carry(encrypted(sent));
  std::string clear;
  while (read(clear, 7).size > 0) {
  }
  EXPECT_EQ(clear, sent);
}

TEST_F(tls_layer_test, has_small_pieces_share_a_record) {
  shake();
  EXPECT_EQ(write({"one", "", "two", "three"}), 11);
  EXPECT_EQ(layer->take_wire_bytes(), 11U + 22U) << "header, type and tag of one record";
  EXPECT_EQ(layer->take_wire_bytes(), 0U);
  EXPECT_EQ(decrypted(), "onetwothree");
}

TEST_F(tls_layer_test, cuts_what_is_large_into_records_wherever_its_pieces_end) {
  shake();
  const std::string a(16 * 1024 - 1, 'a');
  const std::string b(40'000, 'b');
  std::size_t taken = 0;
  std::string got;
  const auto all = a + "x" + b + "yz";
  while (taken < all.size()) {
    const auto rest = std::string_view{all}.substr(taken);
    const auto cut = std::min<std::size_t>(rest.size(), 16'383);
    const auto size = write({rest.substr(0, cut), rest.substr(cut)});
    ASSERT_GE(size, 0);
    taken += static_cast<std::size_t>(size);
    got += decrypted();
  }
  while (layer->holds_output()) {
    ASSERT_EQ(layer->flush(near), 0);
    got += decrypted();
  }
  EXPECT_EQ(got, all);
}

TEST_F(tls_layer_test, keeps_a_record_at_most_of_what_the_socket_does_not_take) {
  shake();
  const int small = 4096;
  ::setsockopt(near, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
  const std::string large(1'000'000, 'x');
  const auto taken = write({large});
  ASSERT_GT(taken, 0);
  ASSERT_LT(taken, 1'000'000);
  EXPECT_TRUE(layer->holds_output());
  EXPECT_LE(layer->held_bytes(), 16U * 1024 + 64);
  EXPECT_EQ(write({"dropped"}), 0) << "nothing more until that is gone";
  std::string got;
  while (layer->holds_output()) {
    got += decrypted();
    ASSERT_EQ(layer->flush(near), 0);
  }
  EXPECT_EQ(layer->held_bytes(), 0U);
  EXPECT_EQ(write({"other"}), 5) << "not what did not fit before";
  got += decrypted();
  EXPECT_EQ(got, std::string(static_cast<std::size_t>(taken), 'x') + "other");
}

/// Also after its header alone, of which OpenSSL does not tell.
TEST_F(tls_layer_test, counts_memory_from_the_first_byte_of_a_record_until_it_is_read) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    context = test::client_context(version);
    begin();
    shake();
    EXPECT_EQ(layer->held_bytes(), 0U);
    const auto record = encrypted("hello");
    std::string clear;
    for (const char one : record) {
      carry({&one, 1});
      static_cast<void>(read(clear, 2));
      EXPECT_EQ(metrics.inbox_bytes.value(), tls_input_bytes);
    }
    EXPECT_EQ(clear, "he");
    EXPECT_EQ(read(clear).size, 3);
    EXPECT_EQ(metrics.inbox_bytes.value(), 0U);
    carry(update_of_keys());
    static_cast<void>(read(clear));
    EXPECT_EQ(metrics.inbox_bytes.value(), 0U);
    EXPECT_EQ(layer->held_bytes(), 0U);
    carry(record.substr(0, 5)); // its end gives that back
    static_cast<void>(read(clear));
    EXPECT_EQ(layer->held_bytes(), tls_input_bytes);
  }
}

TEST_F(tls_layer_test, counts_memory_while_it_shakes_hands) {
  client->step();
  carry(records_of_client());
  EXPECT_EQ(layer->shake(near), step::more);
  EXPECT_EQ(metrics.inbox_bytes.value(), tls_input_bytes);
  client->feed(arrived());
  shake();
  EXPECT_EQ(metrics.inbox_bytes.value(), 0U);
}

TEST_F(tls_layer_test, counts_the_memory_of_what_the_socket_did_not_take) {
  shake();
  const int small = 4096;
  ::setsockopt(near, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
  const std::string large(1'000'000, 'x');
  for (int i = 0; i < 2; ++i) {
    ASSERT_GT(write({large}), 0);
    ASSERT_TRUE(layer->holds_output());
    const auto full = metrics.outbox_memory_bytes.value();
    EXPECT_EQ(full, layer->held_bytes());
    while (layer->holds_output()) {
      EXPECT_EQ(metrics.outbox_memory_bytes.value(), full) << "nothing of it is free yet";
      static_cast<void>(decrypted());
      ASSERT_EQ(layer->flush(near), 0);
    }
    EXPECT_EQ(metrics.outbox_memory_bytes.value(), 0U);
  }
  ASSERT_GT(write({large}), 0);
  EXPECT_GT(metrics.outbox_memory_bytes.value(), 0U); // its end gives that back
}

TEST_F(tls_layer_test, tells_the_end_of_the_stream_and_may_write_after_it) {
  shake();
  carry(encrypted("bye"));
  SSL_shutdown(client->native());
  carry(records_of_client());
  std::string clear;
  EXPECT_EQ(read(clear).size, 3);
  EXPECT_EQ(read(clear).size, 0);
  EXPECT_EQ(read(clear).size, 0);
  EXPECT_EQ(write({"answer"}), 6);
  EXPECT_EQ(decrypted(), "answer");
}

TEST_F(tls_layer_test, takes_a_bare_fin_for_the_end_too) {
  shake();
  carry(encrypted("bye").substr(0, 10));
  ::shutdown(far, SHUT_WR);
  std::string clear;
  EXPECT_EQ(read(clear).size, 0);
}

TEST_F(tls_layer_test, says_its_last_word_once) {
  shake();
  layer->end(near);
  EXPECT_GT(layer->take_wire_bytes(), 0U);
  layer->end(near);
  EXPECT_EQ(layer->take_wire_bytes(), 0U);
  EXPECT_EQ(decrypted(), "");
  EXPECT_EQ(SSL_get_shutdown(client->native()) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
}

TEST_F(tls_layer_test, fails_on_a_record_that_is_not_what_was_sent) {
  for (std::size_t at = 0; at < 30; ++at) {
    begin();
    shake();
    auto record = encrypted("hello, world");
    if (at == 3 || at == 4)
      continue; // another length: the rest is still awaited, or is of the next record
    record[at] = static_cast<char>(record[at] ^ 0x40);
    carry(record);
    std::string clear;
    EXPECT_EQ(read(clear).size, -EPROTO) << "byte " << at;
    EXPECT_EQ(read(clear).size, -EPROTO) << "and stays so";
    EXPECT_LT(write({"x"}), 0);
    EXPECT_EQ(clear, "");
    layer->end(near);
  }
}

TEST_F(tls_layer_test, fails_to_write_to_one_who_has_gone) {
  shake();
  ::close(std::exchange(far, -1));
  std::ptrdiff_t result = 0;
  for (int i = 0; i < 3 && result >= 0; ++i)
    result = write({"anybody there?"});
  EXPECT_EQ(result, -EPIPE);
  EXPECT_EQ(layer->flush(near), -EPIPE);
  EXPECT_FALSE(layer->holds_output());
  layer->end(near);
}

TEST_F(tls_layer_test, refuses_what_is_no_handshake_wherever_it_breaks) {
  client->step();
  const auto hello = records_of_client();
  for (std::size_t at = 0; at < hello.size(); at += 7) {
    begin();
    carry(hello.substr(0, at));
    ASSERT_EQ(layer->shake(near), step::hello) << at;
    carry(std::string(20'000, '\xFF'));
    auto result = layer->shake(near);
    for (int i = 0; i < 3 && result == step::hello; ++i)
      result = layer->shake(near);
    ASSERT_NE(result, step::done) << at;
  }
  for (std::size_t at = 0; at < hello.size(); at += 7) {
    begin();
    carry(hello.substr(0, at));
    ::shutdown(far, SHUT_WR);
    ASSERT_EQ(layer->shake(near), step::over) << at;
  }
}

TEST_F(tls_layer_test, refuses_what_is_older_than_tls_1_2) {
  context = test::client_context();
  SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
  SSL_CTX_set_max_proto_version(context.get(), TLS1_1_VERSION);
  SSL_CTX_set_security_level(context.get(), 0);
  SSL_CTX_set_cipher_list(context.get(), "ALL:@SECLEVEL=0");
  begin();
  client->step();
  carry(records_of_client());
  EXPECT_EQ(layer->shake(near), step::failed);
  EXPECT_NE(layer->fault(), 0U);
}

TEST_F(tls_layer_test, does_not_negotiate_again) {
  context = test::client_context(TLS1_2_VERSION);
  begin();
  shake();
  SSL_renegotiate(client->native());
  client->step();
  carry(records_of_client());
  std::string clear;
  EXPECT_EQ(read(clear).size, -EAGAIN) << "it is refused with a warning";
  client->feed(arrived());
  client->step();
  EXPECT_EQ(ERR_GET_REASON(ERR_peek_error()), SSL_R_NO_RENEGOTIATION);
}

/// Updates of keys cost us work and bring nothing: a read does not go on with them for ever. These are padded.
TEST_F(tls_layer_test, takes_no_more_than_its_share_of_what_brings_no_data) {
  shake();
  SSL_set_block_padding(client->native(), 4096);
  std::string updates;
  for (unsigned i = 0; i < max_tls_control_records; ++i)
    updates += update_of_keys();
  ASSERT_GT(updates.size(), 3 * max_tls_read_bytes);
  updates += encrypted("at last");
  std::string clear;
  std::size_t cost = 0;
  int cuts = 0;
  for (std::size_t at = 0; at < updates.size() || clear.empty();) {
    const auto sent = ::send(far, updates.data() + at, updates.size() - at, MSG_DONTWAIT);
    at += sent > 0 ? static_cast<std::size_t>(sent) : 0;
    const auto got = read(clear);
    ASSERT_TRUE(got.size == -EAGAIN || got.size == 7);
    EXPECT_GE(got.cost, cost_of_tls_record);
    cost += got.cost;
    cuts += got.size == -EAGAIN && !got.is_drained ? 1 : 0;
  }
  EXPECT_EQ(clear, "at last");
  EXPECT_GE(cuts, 2);
  EXPECT_GE(cost, updates.size() + max_tls_control_records * cost_of_tls_record);
}

TEST_F(tls_layer_test, says_what_records_cost_that_bring_a_byte_each) {
  shake();
  std::string records;
  for (int i = 0; i < 100; ++i)
    records += encrypted("x");
  carry(records);
  std::string clear;
  std::size_t cost = 0;
  while (clear.size() < 100) {
    const auto got = read(clear);
    ASSERT_EQ(got.size, 1);
    EXPECT_GE(got.cost, cost_of_tls_record);
    cost += got.cost;
  }
  EXPECT_EQ(cost, records.size() + 100 * cost_of_tls_record);
}

TEST_F(tls_layer_test, gives_up_one_that_sends_record_after_record_without_data) {
  shake();
  std::string clear;
  for (unsigned i = 0; i < max_tls_control_records; ++i) {
    carry(update_of_keys());
    EXPECT_EQ(read(clear).size, -EAGAIN);
  }
  carry(encrypted("little"));
  EXPECT_EQ(read(clear).size, 6) << "which does not make up for them";
  carry(update_of_keys());
  EXPECT_EQ(read(clear).size, -EPROTO);
  EXPECT_EQ(read(clear).size, -EPROTO) << "and stays so";
  EXPECT_LT(write({"x"}), 0);
}

TEST_F(tls_layer_test, decrypts_nothing_behind_one_record_too_many_without_data) {
  shake();
  std::string updates;
  for (int i = 0; i < 1000; ++i)
    updates += update_of_keys();
  carry(updates + encrypted("too late"));
  std::string clear;
  const auto got = read(clear);
  EXPECT_EQ(got.size, -EPROTO);
  EXPECT_LE(got.cost, max_tls_read_bytes + (max_tls_control_records + 1) * cost_of_tls_record);
  EXPECT_EQ(read(clear).size, -EPROTO);
  EXPECT_EQ(clear, "");
}

TEST_F(tls_layer_test, lets_one_that_sends_data_update_its_keys_as_often_as_it_likes) {
  shake();
  std::string clear;
  for (int round = 0; round < 4; ++round) {
    for (unsigned i = 0; i < max_tls_control_records; ++i) {
      carry(update_of_keys());
      ASSERT_EQ(read(clear).size, -EAGAIN);
    }
    ASSERT_TRUE(take_data());
  }
  EXPECT_EQ(write({"still here"}), 10);
}

/// Each update of keys that is asked for is answered: to one that takes no answers not for ever, whatever it sends.
TEST_F(tls_layer_test, gives_up_one_that_asks_and_does_not_take_the_answers) {
  shake();
  std::string clear;
  auto got = read_result{.size = -EAGAIN};
  for (unsigned i = 1; i < 20'000 && got.size == -EAGAIN; ++i) {
    carry(update_of_keys(SSL_KEY_UPDATE_REQUESTED));
    got = read(clear);
    if (i % max_tls_control_records == 0 && got.size == -EAGAIN)
      static_cast<void>(take_data()); // unless that was the last answer
  }
  EXPECT_EQ(got.size, -EPROTO);
  EXPECT_GT(layer->held_bytes(), 32U * 1024) << "not for its updates";
  EXPECT_LT(layer->held_bytes(), 128U * 1024);
}

} // namespace
} // namespace canang::net
