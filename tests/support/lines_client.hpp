#pragma once

#include "tests/support/sim_node.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace canang::sim {

/// A client of a simulated node that speaks the lines protocol, and judges all that it is told: each request has
/// one answer; a room's publications come in order, without gap or double, from where the answer to the join
/// said on, and none before that or after the room is left.
class lines_client {
public:
  /// Connects, and says who it is.
  lines_client(sim_node& node, std::uint32_t loop,
               net::recovered_in place = net::recovered_in::messages);
  lines_client(sim_node& node, std::uint32_t loop, const net::wire_format& format);

  std::uint32_t join(const std::string& room, const std::string& history = {});
  std::uint32_t leave(const std::string& room);
  std::uint32_t publish(const std::string& room, const std::string& text);

  /// Publishes wherever it is; asks for "members", "counts" or "history".
  std::uint32_t shout(const std::string& room, const std::string& text);
  std::uint32_t ask(const std::string& room, const std::string& what);

  /// Commands go in one message from now on, until `send`.
  void gather() { is_gathering_ = true; }
  void send();

  /// Judges what has come since the last call.
  void verify();

  /// Moreover: nothing is missing, as the node has come to rest.
  void verify_complete();

  /// The answer to a request, without what it is about: "joined", "left", "stored", or a fault; empty if there
  /// is none yet.
  [[nodiscard]] std::string answer(std::uint32_t request) const;

  [[nodiscard]] bool is_in(const std::string& room) const;

  /// Where it is in the room, or was: to resume from.
  [[nodiscard]] std::string position(const std::string& room);

  /// Times that it was told of a loss, and of what it did not have yet.
  [[nodiscard]] std::size_t losses() const noexcept { return losses_; }
  [[nodiscard]] client& peer() noexcept { return peer_; }
  [[nodiscard]] const std::vector<std::string>& ended() const noexcept { return ended_; }

private:
  enum class kind { join, leave, publish, shout, ask };

  struct request {
    kind what;
    std::string room;
    std::string text;
    std::string answer;
  };

  struct membership {
    bool is_in = false;
    std::uint64_t next = 0; // offset
    std::string epoch{};
  };

  std::uint32_t add(kind what, const std::string& room, const std::string& text);
  void take(std::string_view message);
  void take_joined(std::string_view rest);
  void take_failed(std::string_view rest);
  void take_broken(std::string_view rest);
  void take_publication(const std::string& room, std::uint64_t offset, std::string_view text);
  void note_answer(std::uint32_t number, kind what, std::string_view answer);
  [[nodiscard]] bool awaits_join(const std::string& room) const;
  [[nodiscard]] const std::vector<cluster::publication_ptr>& record(const std::string& room);

  sim_node& node_;
  client& peer_;
  std::map<std::uint32_t, request> requests_;
  std::map<std::string, membership> rooms_;
  std::vector<std::string> ended_; // "ROOM CODE TEXT"
  std::string lines_;              // that were not sent yet
  bool is_gathering_ = false;
  std::uint32_t last_request_ = 0;
  std::size_t judged_ = 0;
  std::size_t losses_ = 0;
};

} // namespace canang::sim
