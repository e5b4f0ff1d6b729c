#include "net/protocol/centrifugo.hpp"
#include "net/protocol/protocol.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace canang::net {
namespace {

using namespace std::string_literals;

std::string text_of(std::span<const char> bytes) { return {bytes.data(), bytes.size()}; }

std::string position_of(const std::optional<resume_position>& since) {
  return since ? " since " + since->epoch + ':' + std::to_string(since->offset) : ""s;
}

/// Notes what the client wants, as lines.
struct noting_sink final : command_sink {
  std::vector<std::string> did;
  std::vector<std::string> replies;
  const wire_format* joined_as = nullptr;
  std::string session{};
  std::vector<std::string> rooms; // that the server has chosen
  conversation_ptr* talk = nullptr;
  bool admits_at_once = true;
  std::optional<std::uint32_t> expires_in_s{};
  std::string data{}; // of the last command that had any
  bool answers_calls = false;
  told_data told{};

  void note(std::string what, std::uint32_t request) {
    did.push_back(std::move(what) + " #" + std::to_string(request));
  }

  void open() override { did.emplace_back("open"); }
  void on_command(identify_command&& command) override {
    note("is " + command.shown.user
           + (command.shown.token.empty() ? ""s : " by " + command.shown.token),
         0);
    data = command.data + ' ' + command.name + ' ' + command.version;
    for (const auto& room : command.rooms)
      data += ' ' + room;
    if (admits_at_once)
      (*talk)->on_admitted(*this);
  }
  void on_refresh(const refresh_command& command) override {
    note("refresh " + std::string{command.room.value_or("")} + " by " + std::string{command.token},
         command.request);
  }
  void on_command(join_command&& command) override {
    joined_as = command.format;
    data = command.data;
    note("join " + command.room + position_of(command.since) + " note "
           + std::to_string(command.note) + (command.token.empty() ? ""s : " by " + command.token),
         command.request);
  }
  void on_entering(entering_command&& command) override {
    for (auto& one : command.rooms)
      on_command(std::move(one));
    note("enter", command.request);
  }
  void on_command(const leave_command& command) override {
    note("leave " + std::string{command.room}, command.request);
  }
  void on_command(const publish_command& command) override {
    EXPECT_TRUE(command.is_from_outside);
    EXPECT_TRUE(command.tells_author);
    note("publish " + std::string{*command.room} + ' ' + text_of(command.data), command.request);
  }
  void on_command(const query_command& command) override {
    static constexpr const char* names[] = {"members ", "counts ", "history "};
    note(names[static_cast<int>(command.what)] + std::string{command.room} + ' '
           + (command.limit > 1'000'000 ? "all"s : std::to_string(command.limit))
           + position_of(command.since) + (command.is_reverse ? " reverse" : ""),
         command.request);
  }
  bool on_call(const call_command& command) override {
    if (!answers_calls)
      return false;
    note("call " + std::string{command.method} + ' ' + std::string{command.data}, command.request);
    return true;
  }
  connection_facts facts() const override {
    return {.node = "n1",
            .connection = 7,
            .pings = std::chrono::milliseconds{24'100},
            .session = session,
            .rooms = rooms,
            .expires_in_s = expires_in_s,
            .data = told};
  }
  void reply(frame_type type, std::string_view payload) override {
    EXPECT_EQ(type, frame_type::text);
    replies.emplace_back(payload);
  }
  void close(std::uint16_t code, std::string_view text) override {
    note("close " + std::string{text}, code);
  }
};

struct centrifugo_talk : testing::Test {
  conversation_ptr talk = centrifugo_json_format().language.converse();
  noting_sink sink;

  void SetUp() override { sink.talk = &talk; }

  void open(std::string user = {}) {
    connection_parameters parameters;
    parameters.user = std::move(user);
    talk->on_open(parameters, sink);
  }

  void say(std::string_view message) {
    talk->decode(frame_type::text, {message.data(), message.size()}, sink);
  }

  void connect() {
    talk = centrifugo_json_format().language.converse();
    open();
    say(R"({"id":1,"connect":{}})");
    sink.did.clear();
    sink.replies.clear();
  }

  std::vector<std::string> done_for(std::string_view message) {
    connect();
    say(message);
    return sink.did;
  }

  std::string fault(const failed_command& failed) {
    std::string out;
    EXPECT_TRUE(talk->encode_fault(failed, websocket_framing(), out));
    return out.substr(2); // of a short frame
  }
};

using lines = std::vector<std::string>;

TEST_F(centrifugo_talk, opens_at_once_and_waits_for_connect) {
  open("ann");
  EXPECT_EQ(sink.did, lines{"open"});
  say(R"({"id":9,"connect":{"name":"js"}})");
  EXPECT_EQ(sink.did, (lines{"open", "is ann #0"}));
  EXPECT_EQ(sink.replies,
            lines{R"({"id":9,"connect":{"client":"n1/7","ping":25,"pong":true,"node":"n1"}})"});
}

TEST_F(centrifugo_talk, answers_when_the_client_is_in_the_rooms_of_the_server) {
  sink.rooms = {"#ann", "all"};
  open("ann");
  say(R"({"id":9,"connect":{"subs":{"#ann":{"recover":true,"epoch":"e","offset":5},"all":{},)"
      R"("other":{"recover":true}}}})");
  EXPECT_EQ(sink.did, (lines{"open", "is ann #0", "join #ann since e:5 note 7 #0",
                             "join all note 3 #0", "enter #9"}));
  EXPECT_TRUE(sink.replies.empty());
  const outgoing_publication missed{.data = "1", .offset = 6};
  std::string rooms;
  talk->encode_entered({.note = 7,
                        .at = {.room = "#ann", .epoch = "e", .offset = 5, .recovered = true},
                        .recovered = {&missed, 1}},
                       rooms);
  talk->encode_entered({.note = 3, .at = {.room = "all", .epoch = "f"}}, rooms);
  std::string out;
  talk->encode_connected(9, rooms, sink.facts(), websocket_framing(), out);
  EXPECT_EQ(
    out.substr(4), // behind the head of the frame
    R"({"id":9,"connect":{"client":"n1/7","ping":25,"pong":true,"node":"n1","subs":{)"
    R"("#ann":{"epoch":"e","offset":5,"recoverable":true,"positioned":true,"was_recovering":true,)"
    R"("recovered":true,"publications":[{"data":1,"offset":6}]},)"
    R"("all":{"epoch":"f","offset":0,"recoverable":true,"positioned":true}}}})");
}

TEST_F(centrifugo_talk, answers_in_protobuf_when_the_client_is_in_the_rooms_of_the_server) {
  const auto other = centrifugo_protobuf_format().language.converse();
  std::string rooms;
  other->encode_entered({.note = 3, .at = {.room = "r", .epoch = "e", .offset = 7}}, rooms);
  // subs {key: r, value {recoverable, epoch: e, offset: 7, positioned}}
  const std::string entry("\x32\x0e\x0a\1r\x12\x09\x18\1\x32\1e\x48\7\x50\1", 16);
  EXPECT_EQ(rooms, entry);
  other->encode_entered({.note = 3, .at = {.room = "r", .epoch = "e", .offset = 7}}, rooms);
  EXPECT_EQ(rooms, entry + entry);
  std::string with;
  std::string without;
  other->encode_connected(9, rooms, sink.facts(), websocket_framing(), with);
  other->encode_connected(9, {}, sink.facts(), websocket_framing(), without);
  EXPECT_EQ(with.size(), without.size() + rooms.size());
  EXPECT_TRUE(with.ends_with(rooms));
}

TEST_F(centrifugo_talk, names_the_session_where_the_client_needs_it) {
  open();
  sink.session = "abc1";
  say(R"({"id":9,"connect":{}})");
  EXPECT_EQ(
    sink.replies,
    lines{
      R"({"id":9,"connect":{"client":"n1/7","ping":25,"pong":true,"node":"n1","session":"abc1"}})"});
}

TEST_F(centrifugo_talk, reads_on_when_it_is_known_who_the_client_is) {
  sink.admits_at_once = false;
  open("ann");
  say(R"({"id":1,"connect":{"token":"x"}})"
      "\n"
      R"({"id":2,"subscribe":{"channel":"r","token":"y"}})");
  EXPECT_EQ(sink.did, (lines{"open", "is ann by x #0"}));
  EXPECT_TRUE(sink.replies.empty());
  sink.expires_in_s = 60;
  talk->on_admitted(sink);
  EXPECT_EQ(sink.replies, lines{R"({"id":1,"connect":{"client":"n1/7","ping":25,"pong":true,)"
                                R"("node":"n1","expires":true,"ttl":60}})"});
  EXPECT_EQ(sink.did, (lines{"open", "is ann by x #0", "join r note 0 by y #2"}));
}

TEST_F(centrifugo_talk, takes_no_command_while_it_is_not_known_who_the_client_is) {
  sink.admits_at_once = false;
  open();
  say(R"({"id":1,"connect":{"token":"x"}})");
  say(R"({"id":2,"connect":{}})");
  EXPECT_EQ(sink.did, (lines{"open", "is  by x #0", "close bad request #3501"}));
}

TEST_F(centrifugo_talk, takes_the_token_of_the_url_where_connect_has_none) {
  connection_parameters parameters;
  parameters.token = "u";
  talk->on_open(parameters, sink);
  say(R"({"id":1,"connect":{}})");
  EXPECT_EQ(sink.did, (lines{"open", "is  by u #0"}));
}

TEST_F(centrifugo_talk, may_connect_again_with_another_token_when_one_has_expired) {
  sink.admits_at_once = false;
  open();
  say(R"({"id":7,"connect":{"token":"x"}})");
  const failed_command expired{.what = command_kind::identify, .why = command_fault::token_expired};
  EXPECT_EQ(fault(expired), R"({"id":7,"error":{"code":109,"message":"token expired"}})");
  say(R"({"id":8,"connect":{"token":"y"}})");
  talk->on_admitted(sink);
  EXPECT_EQ(sink.did, (lines{"open", "is  by x #0", "is  by y #0"}));
  EXPECT_EQ(sink.replies.size(), 1U);
}

TEST_F(centrifugo_talk, has_no_word_for_other_faults_of_who_it_is) {
  sink.admits_at_once = false;
  open();
  say(R"({"id":7,"connect":{"token":"x"}})");
  std::string out;
  for (const auto why :
       {command_fault::bad_token, command_fault::no_token, command_fault::unavailable})
    EXPECT_FALSE(
      talk->encode_fault({.what = command_kind::identify, .why = why}, websocket_framing(), out));
  EXPECT_EQ(out, "");
}

TEST_F(centrifugo_talk, refreshes_with_a_token_alone) {
  EXPECT_EQ(done_for(R"({"id":5,"refresh":{"token":"t"}})"), lines{"refresh  by t #5"});
  EXPECT_EQ(done_for(R"({"id":6,"sub_refresh":{"channel":"r","token":"t"}})"),
            lines{"refresh r by t #6"});
  for (const auto* const without :
       {R"({"id":5,"refresh":{}})", R"({"id":5,"sub_refresh":{"channel":"r"}})",
        R"({"id":5,"sub_refresh":{"token":"t"}})"}) {
    EXPECT_EQ(done_for(without), lines{});
    EXPECT_EQ(sink.replies, lines{R"({"id":5,"error":{"code":107,"message":"bad request"}})"});
  }
}

TEST_F(centrifugo_talk, tells_how_long_a_refresh_holds) {
  const auto told = [](const wire_format& format, const refreshed& is) {
    std::string out;
    format.language.converse()->encode_refreshed(is, websocket_framing(), out);
    return out.substr(2);
  };
  const auto& json = centrifugo_json_format();
  EXPECT_EQ(told(json, {.request = 5}), R"({"id":5,"refresh":{}})");
  EXPECT_EQ(told(json, {.request = 5, .expires_in_s = 60}),
            R"({"id":5,"refresh":{"expires":true,"ttl":60}})");
  EXPECT_EQ(told(json, {.request = 5, .is_of_room = true, .expires_in_s = 60}),
            R"({"id":5,"sub_refresh":{"expires":true,"ttl":60}})");
  EXPECT_EQ(told(json, {.expires_in_s = 60}), R"({"push":{"refresh":{"expires":true,"ttl":60}}})");
  EXPECT_EQ(told(json, {}), R"({"push":{"refresh":{}}})");
  const auto& protobuf = centrifugo_protobuf_format();
  EXPECT_EQ(told(protobuf, {.expires_in_s = 60}), "\x08\x22\x06\x62\x04\x08\x01\x10<"s);
  EXPECT_EQ(told(protobuf, {.request = 5, .expires_in_s = 60}), "\x08\x08\x05\x72\x04\x18\x01 <"s);
  EXPECT_EQ(told(protobuf, {.request = 5, .is_of_room = true, .expires_in_s = 60}),
            "\x08\x08\x05\x7a\x04\x08\x01\x10<"s);
}

TEST_F(centrifugo_talk, takes_each_command_for_what_it_is) {
  EXPECT_EQ(done_for(R"({"id":2,"subscribe":{"channel":"r"}})"), lines{"join r note 0 #2"});
  EXPECT_EQ(done_for(R"({"id":2,"unsubscribe":{"channel":"r"}})"), lines{"leave r #2"});
  EXPECT_EQ(done_for(R"({"id":2,"publish":{"channel":"r","data":{"a": 1}}})"),
            lines{R"(publish r {"a": 1} #2)"});
  EXPECT_EQ(done_for(R"({"id":2,"presence":{"channel":"r"}})"), lines{"members r 0 #2"});
  EXPECT_EQ(done_for(R"({"id":2,"presence_stats":{"channel":"r"}})"), lines{"counts r 0 #2"});
  EXPECT_EQ(done_for(R"({"id":2,"history":{"channel":"r"}})"), lines{"history r 0 #2"});
  EXPECT_EQ(done_for(R"({"id":2,"history":{"channel":"r","limit":-1,"reverse":true}})"),
            lines{"history r all reverse #2"});
  EXPECT_EQ(
    done_for(R"({"id":2,"history":{"channel":"r","limit":5,"since":{"offset":3,"epoch":"e"}}})"),
    lines{"history r 5 since e:3 #2"});
  EXPECT_EQ(
    done_for(R"({"id":2,"history":{"channel":"r","limit":5,"since":{"offset":0,"epoch":""}}})"),
    lines{"history r 5 #2"});
  EXPECT_EQ(done_for("{}"), lines{}) << "the answer to a ping";
}

TEST_F(centrifugo_talk, remembers_what_a_subscription_asked_for) {
  EXPECT_EQ(done_for(R"({"id":2,"subscribe":{"channel":"r","positioned":true}})"),
            lines{"join r note 1 #2"});
  EXPECT_EQ(done_for(R"({"id":2,"subscribe":{"channel":"r","recoverable":true}})"),
            lines{"join r note 2 #2"});
  EXPECT_EQ(
    done_for(R"({"id":2,"subscribe":{"channel":"r","recover":true,"epoch":"e","offset":5}})"),
    lines{"join r since e:5 note 6 #2"});
}

TEST_F(centrifugo_talk, heeds_what_the_room_says_of_those_who_do_not_ask) {
  const auto heed = [this](const room_traits& room, std::optional<resume_position> since = {}) {
    join_command join{.room = "r", .since = std::move(since)};
    if (join.since)
      join.note = 6;
    talk->heed(room, join);
    return std::to_string(join.note) + (join.may_recover ? " may recover" : "")
           + (join.newest_only ? " newest" : "");
  };
  const resume_position nowhere{};
  EXPECT_EQ(heed({}), "0");
  EXPECT_EQ(heed({}, nowhere), "6");
  EXPECT_EQ(heed({.is_positioned = true}), "1");
  EXPECT_EQ(heed({.is_recoverable = true}), "2 may recover");
  EXPECT_EQ(heed({.keeps_newest = true}), "0") << "it does not recover";
  EXPECT_EQ(heed({.keeps_newest = true}, nowhere), "6 newest");
  EXPECT_EQ(heed({.is_recoverable = true, .keeps_newest = true, .offers_newest = true}),
            "6 may recover newest");
}

TEST_F(centrifugo_talk, tells_moves_to_those_who_asked) {
  (void)done_for(R"({"id":2,"subscribe":{"channel":"r"}})");
  const auto* const quiet = sink.joined_as;
  (void)done_for(R"({"id":2,"subscribe":{"channel":"r","join_leave":true}})");
  ASSERT_NE(sink.joined_as, quiet);
  outgoing_publication came{.data = R"({"id":"n1/7","user":"ann"})",
                            .what = outgoing_publication::kind::joined,
                            .offset = 4,
                            .room = "r"};
  std::string out;
  quiet->encode(came, out);
  EXPECT_EQ(out, "");
  sink.joined_as->encode(came, out);
  EXPECT_EQ(out.substr(2),
            R"({"push":{"channel":"r","join":{"info":{"user":"ann","client":"n1/7"}}}})");
}

TEST_F(centrifugo_talk, tells_who_published) {
  outgoing_publication said{.data = "1", .offset = 4, .room = "r"};
  said.author = member_view{"n1/7", "ann"};
  std::string out;
  centrifugo_json_format().encode(said, out);
  EXPECT_EQ(
    out.substr(2),
    R"({"push":{"channel":"r","pub":{"data":1,"info":{"user":"ann","client":"n1/7"},"offset":4}}})");
  const std::vector<std::pair<std::string, std::string>> tags{{"a\"", "1"}, {"b", ""}};
  auto tagged = said;
  tagged.author.reset();
  tagged.tags = tags;
  out.clear();
  centrifugo_json_format().encode(tagged, out);
  EXPECT_EQ(out.substr(2),
            R"({"push":{"channel":"r","pub":{"data":1,"tags":{"a\"":"1","b":""},"offset":4}}})");
  out.clear();
  centrifugo_protobuf_format().encode(said, out);
  EXPECT_EQ(out.substr(2), "\x19\"\x17\x12\x01r\"\x12\"\x01"
                           "1*\x0b\n\x03"
                           "ann\x12\x04n1/7"
                           "0\x04");
}

TEST_F(centrifugo_talk, answers_by_itself_what_needs_nobody) {
  connect();
  say(R"({"id":2,"ping":{}})"
      "\n"
      R"({"id":3,"rpc":{"method":"x"}})"
      "\n"
      R"({"id":4,"what":{}})");
  EXPECT_EQ(sink.did, lines{});
  EXPECT_EQ(sink.replies, (lines{R"({"id":2,"ping":{}})",
                                 R"({"id":3,"error":{"code":104,"message":"method not found"}})",
                                 R"({"id":4,"error":{"code":104,"message":"method not found"}})"}));
}

TEST_F(centrifugo_talk, closes_those_who_break_the_rules_and_reads_no_further) {
  const lines closed{"close bad request #3501"};
  EXPECT_EQ(done_for("nonsense"), closed);
  EXPECT_EQ(done_for(""), closed);
  EXPECT_EQ(done_for("\n"), closed);
  EXPECT_EQ(done_for(R"({"send":{"data":1}})"), lines{"close not available #3508"});
  EXPECT_EQ(done_for(R"({"subscribe":{"channel":"r"}})"), closed) << "no id";
  EXPECT_EQ(done_for(R"({"id":2,"connect":{}})"
                     "\n"
                     R"({"id":3,"subscribe":{"channel":"r"}})"),
            closed)
    << "a second time";
  talk = centrifugo_json_format().language.converse();
  sink.did.clear();
  say(R"({"id":2,"subscribe":{"channel":"r"}})"
      "\n"
      R"({"id":3,"connect":{}})");
  EXPECT_EQ(sink.did, closed) << "before connect";
}

TEST_F(centrifugo_talk, has_a_code_for_each_fault) {
  const auto code = [&](command_kind what, command_fault why) {
    return fault({.what = what, .why = why, .request = 3, .room = "r"});
  };
  const auto error = [](int number, const std::string& message, bool is_temporary = false) {
    return R"({"id":3,"error":{"code":)" + std::to_string(number) + R"(,"message":")" + message
           + (is_temporary ? R"(","temporary":true}})" : R"("}})");
  };
  EXPECT_EQ(code(command_kind::join, command_fault::joined_before),
            error(105, "already subscribed"));
  EXPECT_EQ(code(command_kind::join, command_fault::bad_room), error(107, "bad request"));
  EXPECT_EQ(code(command_kind::join, command_fault::not_allowed), error(103, "permission denied"));
  EXPECT_EQ(code(command_kind::join, command_fault::too_many_rooms), error(106, "limit exceeded"));
  EXPECT_EQ(code(command_kind::join, command_fault::unavailable),
            error(100, "internal server error", true));
  EXPECT_EQ(code(command_kind::join, command_fault::room_limit),
            error(111, "too many requests", true));
  EXPECT_EQ(code(command_kind::publish, command_fault::too_large), error(106, "limit exceeded"));
  EXPECT_EQ(code(command_kind::query, command_fault::not_kept), error(108, "not available"));
  EXPECT_EQ(code(command_kind::query, command_fault::unrecoverable),
            error(112, "unrecoverable position"));
  EXPECT_EQ(code(command_kind::leave, command_fault::not_joined), R"({"id":3,"unsubscribe":{}})")
    << "it has what it wants";
}

TEST_F(centrifugo_talk, passes_on_what_is_meant_for_a_backend) {
  open();
  say(R"({"id":1,"connect":{"data":{"a": 1},"name":"js","version":"5","subs":{"r":{}}}})");
  EXPECT_EQ(sink.data, R"({"a": 1} js 5 r)");
  say(R"({"id":2,"subscribe":{"channel":"r","data":[1]}})");
  EXPECT_EQ(sink.data, "[1]");
}

TEST_F(centrifugo_talk, tells_what_a_backend_has_the_client_told) {
  sink.told = {.bytes = R"({"motd":1})"};
  open();
  say(R"({"id":1,"connect":{}})");
  EXPECT_EQ(sink.replies, lines{R"({"id":1,"connect":{"client":"n1/7","ping":25,"pong":true,)"
                                R"("node":"n1","data":{"motd":1}}})"});
  std::string out;
  centrifugo_json_format().encode_join(
    {.request = 2, .at = {"r", "e", 9, false}, .data = {.bytes = "[1]"}}, out);
  EXPECT_NE(out.find(R"("data":[1])"), std::string::npos) << out;
}

TEST_F(centrifugo_talk, asks_a_backend_what_clients_ask) {
  sink.answers_calls = true;
  EXPECT_EQ(done_for(R"({"id":3,"rpc":{"method":"sum","data":[1,2]}})"),
            lines{"call sum [1,2] #3"});
  EXPECT_TRUE(sink.replies.empty());
  const auto answer = [this](const told_data& data) {
    std::string out;
    talk->encode_called({.request = 3, .data = data}, websocket_framing(), out);
    return out.substr(2);
  };
  EXPECT_EQ(answer({.bytes = "3"}), R"({"id":3,"rpc":{"data":3}})");
  EXPECT_EQ(answer({}), R"({"id":3,"rpc":{}})");
  sink.answers_calls = false;
  say(R"({"id":4,"rpc":{"method":"sum"}})");
  EXPECT_EQ(sink.replies, lines{R"({"id":4,"error":{"code":104,"message":"method not found"}})"});
}

TEST_F(centrifugo_talk, tells_faults_in_a_backends_own_words) {
  const worded_fault words{.code = 1000, .text = "no \"x\"", .is_temporary = true};
  EXPECT_EQ(fault({.what = command_kind::join,
                   .why = command_fault::unavailable,
                   .request = 3,
                   .room = "r",
                   .worded = &words}),
            R"({"id":3,"error":{"code":1000,"message":"no \"x\"","temporary":true}})");
  sink.admits_at_once = false;
  open();
  say(R"({"id":1,"connect":{}})");
  EXPECT_EQ(fault({.what = command_kind::identify, .worded = &words}),
            R"({"id":1,"error":{"code":1000,"message":"no \"x\"","temporary":true}})");
  sink.did.clear();
  say(R"({"id":2,"connect":{}})");
  EXPECT_EQ(sink.did, lines{"is  #0"}) << "it may try again";
}

TEST_F(centrifugo_talk, tells_what_was_recovered_in_the_answer) {
  const outgoing_publication missed[] = {
    {.data = "1", .offset = 5},
    {.data = "{}", .what = outgoing_publication::kind::joined, .offset = 6},
    {.data = "two", .offset = 7},
  };
  std::string out;
  centrifugo_json_format().encode_join(
    {.request = 2, .note = 6, .at = {"r", "e", 4, true}, .recovered = missed}, out);
  EXPECT_EQ(out.substr(4), R"({"id":2,"subscribe":{"epoch":"e","offset":4,"recoverable":true,)"
                           R"("positioned":true,"was_recovering":true,"recovered":true,)"
                           R"("publications":[{"data":1,"offset":5},{"data":"two","offset":7}]}})");
  out.clear();
  centrifugo_json_format().encode_join({.request = 2, .note = 6, .at = {"r", "e", 9, false}}, out);
  EXPECT_EQ(out.substr(2), R"({"id":2,"subscribe":{"epoch":"e","offset":9,"recoverable":true,)"
                           R"("positioned":true,"was_recovering":true}})");
}

} // namespace
} // namespace canang::net
