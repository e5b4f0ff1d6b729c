// What a client of event streams says of where it was, and what is made of it: ids in, ids out.

#include "net/protocol/sse.hpp"

#include "net/limits.hpp"
#include "net/protocol/sse_id.hpp"
#include "net/stream/room_ids_layer.hpp"
#include "tests/fuzz/fuzz_input.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace canang::net;
using canang::fuzz::require;

/// Takes so many bytes at a time, and keeps them.
class narrow_place final : public byte_layer {
public:
  narrow_place(std::string& out, std::size_t room) : out_(out), room_(room) {}

  read_result read(int, std::span<char>) override { return {.size = 0}; }
  std::ptrdiff_t write(int, const iovec* pieces, std::size_t) override {
    const auto size = std::min(room_, pieces->iov_len);
    out_.append(static_cast<const char*>(pieces->iov_base), size);
    return static_cast<std::ptrdiff_t>(size);
  }
  int flush(int) override { return 0; }
  bool holds_output() const noexcept override { return false; }
  std::size_t held_bytes() const noexcept override { return 0; }
  std::size_t take_wire_bytes() noexcept override { return 0; }

private:
  std::string& out_;
  std::size_t room_;
};

std::string id_of(const room_positions& positions) {
  std::string id;
  for (const auto& [room, at] : positions) {
    id += (id.empty() ? "" : ",") + name_in_id(room) + '=';
    append_position(id, at.epoch, at.offset);
  }
  return id;
}

void check_ids(std::string_view text) {
  if (const auto position = parse_position(text)) {
    std::string again;
    append_position(again, position->epoch, position->offset);
    const auto same = parse_position(again);
    require(same && same->epoch == position->epoch && same->offset == position->offset,
            "a position is read back");
  }
  if (const auto positions = parse_room_ids(text, 256)) {
    const auto again = parse_room_ids(id_of(*positions), 256);
    require(again && again->size() == positions->size(), "an id is read back");
    for (std::size_t i = 0; i < again->size(); ++i)
      require((*again)[i].first == (*positions)[i].first, "with the same rooms");
  }
}

void check_question(std::string_view path, std::string_view query, std::string_view last_id) {
  const auto read = read_sse_question({.room = path.empty() ? std::nullopt : std::optional{path},
                                       .query = query,
                                       .last_event_id = last_id,
                                       .max_rooms = 8,
                                       .max_id_bytes = max_event_id_bytes});
  if (const auto* const wrong = std::get_if<std::string>(&read)) {
    require(!wrong->empty() && wrong->find('\n') == std::string::npos, "a refusal is one line");
    return;
  }
  const auto& opening = std::get<sse_opening>(read);
  const auto& asked = opening.parameters;
  require(asked.other_rooms.size() < 8, "no more rooms than one may be in");
  require(last_id.empty() || opening.is_return, "who brings an id was here before");
  for (const auto& other : asked.other_rooms)
    require(other.room != asked.room, "no room twice");
}

/// What comes out is the same however it is cut, whatever goes in.
void check_layer(std::string_view bytes, std::size_t cut, std::size_t room) {
  const auto run = [&](std::size_t piece_size, std::size_t below) {
    std::string out;
    room_ids_layer layer{{{"a", "p:1"}, {"b"}}, std::make_unique<narrow_place>(out, below)};
    for (auto left = bytes; !left.empty();) {
      const auto part = left.substr(0, piece_size);
      const iovec piece{const_cast<char*>(part.data()), part.size()};
      const auto taken = layer.write(-1, &piece, 1);
      require(taken >= 0, "it takes");
      left.remove_prefix(static_cast<std::size_t>(taken));
    }
    return out;
  };
  require(run(cut, room) == run(bytes.size(), 1U << 20U), "cuts change nothing");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  canang::fuzz::input in{data, size};
  const auto cut = 1 + std::size_t{in.byte()};
  const auto room = 1 + std::size_t{in.byte()};
  const auto text = canang::fuzz::text_of(in.all(2048));
  check_ids(text);
  const auto mark = text.find('?');
  const auto bar = text.find('|');
  check_question(text.substr(0, std::min(mark, bar)),
                 mark == std::string_view::npos ? "" : text.substr(mark + 1),
                 bar == std::string_view::npos ? "" : text.substr(bar + 1));
  check_layer(text, cut, room);
  return 0;
}
