// The same bytes to the frame reader and to Beast's stream: they must say the same, part by part
// and to the close code. `is_known` has the few differences that are allowed: three where Beast
// 1.81 does not do as RFC 6455 says, and two where it has an older list of close codes or another
// taste.

#include "net/websocket/frame_reader.hpp"

#include "tests/fuzz/beast_reader.hpp"
#include "tests/fuzz/utf8.hpp"

#include <algorithm>
#include <memory>

namespace {

using namespace canang::net;
using canang::fuzz::conversation;
using canang::fuzz::require;
using kind = conversation::kind;
using fault = frame_reader::fault;

/// Reads as a session does: what is not whole yet is given again with what follows.
class listener {
public:
  explicit listener(std::size_t max_message_bytes) : limit_(max_message_bytes) {}

  void feed(std::string_view piece) {
    const auto size = unread_.size() + piece.size();
    // memory of its own size, so that a step too far is seen
    const auto bytes = std::make_unique<char[]>(size);
    std::copy(unread_.begin(), unread_.end(), bytes.get());
    std::copy(piece.begin(), piece.end(), bytes.get() + unread_.size());
    std::span<char> input{bytes.get(), size};
    while (!has_ended_ && read_one(input)) {
    }
    unread_.assign(input.begin(), input.end());
    require(has_ended_ || unread_.size() <= frame_reader::max_unread_bytes, "little waits");
    require(has_ended_ || unread_.empty() || reader_.awaited() == 0, "a payload does not wait");
  }

  [[nodiscard]] bool has_ended() const { return has_ended_; }
  [[nodiscard]] fault wrong() const { return wrong_; }
  [[nodiscard]] const conversation& said() const { return said_; }

  /// The fault is a 64-bit length with its highest bit set.
  [[nodiscard]] bool has_highest_bit() const { return has_highest_bit_; }

private:
  bool read_one(std::span<char>& input) {
    const auto front = input;
    const auto item = reader_.next(input, limit_);
    const std::string payload{item.payload.begin(), item.payload.end()};
    switch (item.what) {
    case frame_reader::kind::need_more: return false;
    case frame_reader::kind::data:
      said_.unfinished += payload;
      require(said_.unfinished.size() <= limit_, "no message is over the limit");
      if (item.ends_message)
        said_.events.push_back(
          {reader_.is_text() ? kind::text : kind::binary, std::exchange(said_.unfinished, {})});
      return true;
    case frame_reader::kind::ping: said_.events.push_back({kind::ping, payload}); return true;
    case frame_reader::kind::pong: said_.events.push_back({kind::pong, payload}); return true;
    case frame_reader::kind::close:
      said_.events.push_back({kind::close, payload, item.close_code});
      break;
    case frame_reader::kind::fault:
      wrong_ = item.wrong;
      said_.fault_code = close_code_of(item.wrong);
      has_highest_bit_ = wrong_ == fault::length_form && front.size() > 2
                         && (front[1] & 0x7F) == 127 && (front[2] & 0x80) != 0;
      break;
    }
    has_ended_ = true;
    return false;
  }

  frame_reader reader_;
  std::size_t limit_;
  std::string unread_;
  conversation said_;
  fault wrong_ = fault::none;
  bool has_ended_ = false;
  bool has_highest_bit_ = false;
};

/// Whether `beast` differs from `ours` behind the events that both have, of which there are `same`,
/// as it is known to.
bool is_known(const listener& ours, const conversation& beast, std::size_t same) {
  const bool has_more = beast.events.size() > same;
  const bool we_have_more = ours.said().events.size() > same;
  // 5.2: "the most significant bit MUST be 0"; Beast takes it for a size over the limit.
  if (ours.has_highest_bit() && beast.fault_code == 1009 && !has_more && !we_have_more)
    return true;
  // 7.4.2 defines no code from 5000; Beast lets them through.
  if (ours.wrong() == fault::close_code && !we_have_more && has_more
      && beast.events[same].close_code >= 5000)
    return true;
  // 7.4.2 has codes below 3000 registered, and 1014 is since Beast's list was made; it refuses it.
  if (we_have_more && ours.said().events[same].close_code == 1014 && beast.fault_code == 1002)
    return true;
  // 7.4.1 has 1007 for what is no UTF-8; for a close frame's reason Beast says 1002, which is
  // allowed too.
  if (ours.wrong() == fault::close_reason_not_utf8 && beast.fault_code == 1002 && !has_more
      && !we_have_more)
    return true;
  // 8.1: a text that ends within a character is no text; before an empty last fragment Beast takes
  // it.
  return ours.wrong() == fault::not_utf8 && !we_have_more && has_more
         && beast.events[same].what == kind::text
         && canang::fuzz::begins_utf8(beast.events[same].payload);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  canang::fuzz::input in{data, size};
  const std::array<std::size_t, 2> piece_sizes{in.byte() + 1U, in.byte() + 1U};
  const std::size_t limit = 4U * in.byte() + 1U;
  const auto stream = in.all(2048);

  listener ours{limit};
  canang::fuzz::input rest{stream.data(), stream.size()};
  auto sizes = piece_sizes;
  for (auto piece = rest.take(sizes[0]); !piece.empty() && !ours.has_ended();
       piece = rest.take(sizes[0])) {
    ours.feed(canang::fuzz::text_of(piece));
    std::swap(sizes[0], sizes[1]);
  }

  // Beast looks at a header when all of it has come. No bytes make good what is wrong already.
  std::string bytes{canang::fuzz::text_of(stream)};
  if (ours.wrong() != fault::none)
    bytes.append(14, '\0');
  const auto beast = canang::fuzz::read_by_beast(bytes, piece_sizes, limit);

  const auto& said = ours.said();
  const auto ends =
    std::mismatch(said.events.begin(), said.events.end(), beast.events.begin(), beast.events.end());
  const auto same = static_cast<std::size_t>(ends.first - said.events.begin());
  if (is_known(ours, beast, same))
    return 0;
  require(same == said.events.size(), "Beast reads what we read");
  require(same == beast.events.size(), "we read what Beast reads");
  require(said.fault_code == beast.fault_code, "a fault is told by the same close code");
  require(said.fault_code != 0 || said.unfinished == beast.unfinished,
          "as much of a message has come");
  return 0;
}
