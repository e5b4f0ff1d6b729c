// What comes on a control channel: whatever is read is within its limits, and is written again as it was.

#include "cluster/control/relay_wire.hpp"
#include "cluster/control/wire.hpp"
#include "cluster/rooms/moderation_store.hpp"
#include "tests/fuzz/fuzz_input.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>

namespace {

using namespace canang::cluster;
using canang::fuzz::require;

void look_at(std::string_view bytes) {
  control_message read;
  if (read_control_message(bytes, read) != control_wire_errc::none)
    return;
  require(bytes.size() <= max_control_message_bytes, "it is not too long");
  require(read.number > 0, "numbers begin at 1");
  std::string again;
  if (const auto* const command = std::get_if<control_command>(&read.content)) {
    require(is_valid(*command), "a command is within its limits");
    again = encode(read.node, read.number, *command);
  } else if (const auto* const answer = std::get_if<control_answer>(&read.content)) {
    again = encode(read.node, read.number, *answer);
  } else {
    return;
  }
  control_message same;
  require(read_control_message(again, same) == control_wire_errc::none, "it can be read again");
  require(same.number == read.number && same.node == read.node, "and says the same");
  require(same.content.index() == read.content.index(), "of the same kind");
}

void look_at_relayed(std::string_view bytes) {
  relay_envelope read;
  if (read_relayed(bytes, read) != control_wire_errc::none)
    return;
  control_message command;
  require(read_control_message(bytes, command) != control_wire_errc::none, "it is no command");
  require(read.number > 0, "numbers begin at 1");
  std::string again;
  if (const auto* const said = std::get_if<relay_envelope::said>(&read.content)) {
    require(!said->session.empty() && said->session.size() <= max_relayed_session_bytes,
            "it names a session");
    require(!said->data.empty() && said->data.size() <= max_relayed_bytes, "and says something");
    again =
      encode_relayed(read.node, read.number, {std::string{said->session}, std::string{said->data}});
  } else {
    again = encode_outcome(read.node, read.number, std::get<relay_outcome>(read.content));
  }
  relay_envelope same;
  require(read_relayed(again, same) == control_wire_errc::none, "it can be read again");
  require(same.number == read.number && same.node == read.node
            && same.content.index() == read.content.index(),
          "and says the same");
}

/// What a Redis has of an act, `KEY NUL ACT`: what is read can be told to clients, and is written again as it was.
void look_at_act(std::string_view bytes) {
  const auto cut = std::min(bytes.find('\0'), bytes.size());
  const auto text = bytes.substr(0, cut);
  const auto key = read_act_key(text);
  if (key)
    require(is_valid(*key) && to_text(*key) == text, "a key has one text");
  const auto stored = bytes.substr(std::min(cut + 1, bytes.size()));
  constexpr moderation_act::clock::time_point now{std::chrono::hours{1}};
  const auto act = read_act(text, stored, 1000, now);
  if (!act)
    return;
  require(key.has_value() && act->text == text, "it is of a key that can be");
  require(told_to_client(*act).size() <= 123, "its reason fits into a close frame");
  require(act->ends_at >= now, "and its end is not before it was read");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  look_at({reinterpret_cast<const char*>(data), size});
  look_at_relayed({reinterpret_cast<const char*>(data), size});
  look_at_act({reinterpret_cast<const char*>(data), size});
  return 0;
}
