// Any bytes behind a good handshake. What is handed on must be what a plain parser of RFC 6455 makes
// of the same bytes.

#include "net/websocket/session.hpp"
#include "tests/fuzz/client.hpp"
#include "tests/fuzz/utf8.hpp"

namespace {

using namespace canang::net;
using canang::fuzz::require;

using message_list = std::vector<std::pair<frame_type, std::string>>;

constexpr std::size_t max_message_bytes = 700;

/// What a client's bytes say, up to the first thing that is wrong or a close frame.
struct parsed {
  message_list messages;
};

parsed parse(std::span<const std::uint8_t> stream) {
  parsed result;
  std::string message;
  int message_opcode = 0;
  std::size_t at = 0;
  const auto left = [&] { return stream.size() - at; };
  while (left() >= 2) {
    const int first = stream[at];
    const int opcode = first & 0x0F;
    const bool fin = (first & 0x80) != 0;
    const bool is_control = opcode >= 8;
    std::uint64_t length = stream[at + 1] & 0x7FU;
    const bool masked = stream[at + 1] >= 128;
    const std::size_t extra = length == 127 ? 8 : length == 126 ? 2 : 0;
    at += 2;
    if (extra == 8 && left() > 0 && stream[at] >= 128)
      return result;
    if (left() < extra + 4)
      return result;
    if (extra > 0) {
      length = 0;
      for (std::size_t i = 0; i < extra; ++i)
        length = length * 256 + stream[at + i];
      if ((extra == 2 && length < 126) || (extra == 8 && length < 65536))
        return result;
    }
    const bool is_known = opcode <= 2 || (opcode >= 8 && opcode <= 10);
    if (!masked || !is_known || (first & 0x70) != 0 || (is_control && (!fin || length > 125))
        || (opcode == 0 && message_opcode == 0)
        || ((opcode == 1 || opcode == 2) && message_opcode != 0) || opcode == 8)
      return result;
    at += extra;
    const auto* const key = stream.data() + at;
    at += 4;
    if (length > left() || (!is_control && message.size() + length > max_message_bytes))
      return result;
    if (!is_control) {
      for (std::uint64_t i = 0; i < length; ++i)
        message += static_cast<char>(stream[at + i] ^ key[i % 4]);
      message_opcode = opcode == 0 ? message_opcode : opcode;
      if (fin) {
        if (message_opcode == 1 && !canang::fuzz::decode_utf8(message))
          return result;
        result.messages.emplace_back(static_cast<frame_type>(message_opcode), std::move(message));
        message.clear();
        message_opcode = 0;
      }
    }
    at += static_cast<std::size_t>(length);
  }
  return result;
}

struct notes {
  message_list messages;
  int closes = 0;
  int handlers = 0;
};

enum class action : std::uint8_t { none, close, abort, pause_once, send, drop };

class handler final : public session_handler {
public:
  handler(notes& into, session& from, buffer_pool& buffers, action first)
    : notes_(into), session_(from), buffers_(buffers), first_(first) {
    ++notes_.handlers;
  }
  ~handler() override { --notes_.handlers; }

  void on_message(frame_type type, std::span<const char> payload) override {
    require(notes_.closes == 0, "no message after the end");
    require(payload.size() <= max_message_bytes, "no message over the limit");
    notes_.messages.emplace_back(type, std::string{payload.begin(), payload.end()});
    const auto reply = buffers_.make("\x81\x02hi");
    switch (std::exchange(first_, action::none)) {
    case action::close: session_.close(1012, "closing", close_reason::drain); break;
    case action::abort: session_.abort(close_reason::drain); break;
    case action::pause_once: session_.pause_reading(true); break;
    case action::send:
      session_.ping();
      session_.send(reply, 0, reply->size());
      session_.send_reply(reply, nullptr);
      break;
    default: break;
    }
  }

  void on_closed(const close_info& info) override {
    require(++notes_.closes == 1, "the end comes once");
    require(info.code >= 1000 && info.code <= 4999, "a connection ends with a code");
    require(!session_.is_open(), "what is over is not open");
  }

private:
  notes& notes_;
  session& session_;
  buffer_pool& buffers_;
  action first_;
};

http_request_header handshake() {
  namespace http = boost::beast::http;
  http_request_header request{http::verb::get, "/ws", 11};
  request.set(http::field::host, "localhost");
  request.set(http::field::connection, "Upgrade");
  request.set(http::field::upgrade, "websocket");
  request.set(http::field::sec_websocket_version, "13");
  request.set(http::field::sec_websocket_key, "dGhlIHNhbXBsZSBub25jZQ==");
  return request;
}

struct world {
  loop_context context{
    {max_message_bytes, 64 * 1024, std::chrono::seconds{10}, std::chrono::seconds{5}}};
  boost::asio::io_context& io = context.io;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static world all;
  canang::fuzz::input in{data, size};
  const auto pieces = in.byte() % 16U + 1U;
  const auto first = static_cast<action>(in.byte() % 6);
  const auto early_size = in.byte();
  const auto stream = in.all(4096);
  canang::fuzz::input rest{stream.data(), stream.size()};
  const auto early = canang::fuzz::text_of(rest.take(early_size));
  notes seen;
  all.context.new_turn();

  canang::fuzz::client client{all.context};
  auto session = make_websocket_session(
    all.context, {client.take_server_end(), handshake(), std::string{early}});
  session->attach(std::make_unique<handler>(seen, *session, all.context.buffers, first));
  session->open();
  client.turn();
  client.send(rest.all(stream.size()), pieces);
  if (first == action::pause_once)
    session->pause_reading(false);
  if (first == action::drop)
    session->abort(close_reason::handler_error);
  client.turn();
  client.leave();

  const auto expected = parse(stream);
  require(seen.messages.size() <= expected.messages.size(), "no message was made up");
  require(std::equal(seen.messages.begin(), seen.messages.end(), expected.messages.begin()),
          "messages are handed on byte for byte");
  if (first != action::close && first != action::abort)
    require(seen.messages.size() == expected.messages.size(), "no message was lost");
  require(client.got.starts_with("HTTP/1.1 101 "), "the handshake was answered");
  require(seen.closes == 1, "the end was told");
  session.reset();
  client.turn();
  require(seen.handlers == 0, "no handler is left over");
  require(all.context.metrics.connections.value() == 0, "no session is left over");
  require(all.context.metrics.outbox_bytes.value() == 0, "no byte is left over");
  require(all.context.metrics.outbox_memory_bytes.value() == 0, "no buffer is left over");
  require(all.context.metrics.inbox_bytes.value() == 0, "no unfinished message is left over");
  return 0;
}
