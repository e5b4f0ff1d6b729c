#pragma once

#include "base/name_map.hpp"
#include "net/metrics.hpp"
#include "net/socket/byte_layer.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace canang::net {

/// Gives the events of a stream of several rooms their ids. An EventSource remembers the last id alone, so each has
/// to say where the client is in *all* its rooms, and no two clients with different rooms or positions can be
/// sent the same. What the members of a room share says `id: ROOM=POSITION`; in front of each client's socket this
/// puts in the positions of its other rooms. It does so where the bytes go out, in their order: an id never says
/// more than what the client has, also while a long history waits in front of what is live.
///
/// An event must get its new id in the same block as its data: with an id that comes a moment later a client that
/// loses its connection between the two would get the event twice.
///
/// Holds `max_stream_piece_bytes` and one id more at most of what the socket did not take. Of one session, on its
/// loop.
class room_ids_layer final : public byte_layer {
public:
  /// What is known of a room before anything is sent: where the client says it was, or nothing. The name as it
  /// stands in ids.
  struct room {
    std::string name;
    std::string position{};
  };

  /// `below` may be null: the socket itself. What the rooms take of memory is in `memory_bytes`, if there is one,
  /// while the layer lives.
  explicit room_ids_layer(std::vector<room> rooms, std::unique_ptr<byte_layer> below = {},
                          counter* memory_bytes = nullptr);
  ~room_ids_layer() override;

  read_result read(int descriptor, std::span<char> into) override;
  std::ptrdiff_t write(int descriptor, const iovec* pieces, std::size_t count) override;
  int flush(int descriptor) override;
  void end(int descriptor) override {
    if (below_)
      below_->end(descriptor);
  }
  void put_above(std::unique_ptr<byte_layer> below) override { below_ = std::move(below); }
  [[nodiscard]] bool holds_output() const noexcept override {
    return !output_.empty() || (below_ && below_->holds_output());
  }
  [[nodiscard]] std::size_t held_bytes() const noexcept override {
    return output_.size() + line_.size() + (below_ ? below_->held_bytes() : 0);
  }
  [[nodiscard]] std::size_t take_wire_bytes() noexcept override {
    return below_ ? below_->take_wire_bytes() : std::exchange(wire_bytes_, 0);
  }

private:
  /// What stands at the place where the last bytes ended.
  enum class place : std::uint8_t {
    line_start, ///< as far as `line_` goes it may become an id
    in_id,      ///< `line_` is what has come of it
    in_line,    ///< of something else
  };

  [[nodiscard]] std::size_t take(std::string_view bytes);
  [[nodiscard]] std::size_t take_start(std::string_view bytes);
  [[nodiscard]] std::size_t take_id(std::string_view bytes);
  void write_id(std::string_view known);
  [[nodiscard]] std::ptrdiff_t write_below(int descriptor, const iovec* pieces, std::size_t count);

  [[nodiscard]] std::size_t cost() const noexcept;

  std::vector<room> rooms_;
  name_view_map<std::size_t> index_; // which are in `rooms_`
  std::unique_ptr<byte_layer> below_;
  counter* memory_bytes_;
  place place_ = place::line_start;
  bool is_id_written_ = false;
  std::size_t wire_bytes_ = 0; // since somebody asked; of a layer below that one's count
  std::string line_;
  std::string output_; // made, and not taken below
};

} // namespace canang::net
