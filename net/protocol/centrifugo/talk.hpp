#pragma once

#include "net/protocol/centrifugo/reply_words.hpp"
#include "net/protocol/conversation.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace canang::net::centrifugo {

/// The formats of a connection: what its memberships are in, by what they asked for.
struct format_family {
  const wire_format& plain;
  const wire_format& with_moves; ///< joins and leaves too
  const wire_format& changes;    ///< publications as what they change
  const wire_format& changes_with_moves;
  const wire_format& by_server; ///< of memberships that the server began

  /// Of the first two, that with changes.
  [[nodiscard]] const wire_format& with_changes(const wire_format* one) const noexcept {
    return one == &with_moves ? changes_with_moves : changes;
  }
};

/// One client's conversation in Centrifugo's protocol: `connect` first, then what it likes.
class talk final : public conversation {
public:
  talk(const reply_words& words, const format_family& formats) noexcept
    : words_(words), formats_(formats) {}

  void on_open(const connection_parameters& parameters, command_sink& sink) override;
  void decode(frame_type type, std::span<const char> message, command_sink& sink) override;
  void on_admitted(command_sink& sink) override;
  [[nodiscard]] std::chrono::seconds refresh_grace() const noexcept override;
  void heed(const room_traits& room, join_command& join) const override;
  void encode_entered(const join_reply& reply, std::string& rooms) override;
  void encode_connected(std::uint32_t request, std::string_view rooms,
                        const connection_facts& facts, const framing& frames,
                        std::string& out) override;
  [[nodiscard]] bool take_invitation(join_command& wanted) const override;
  bool encode_fault(const failed_command& failed, const framing& frames, std::string& out) override;
  void encode_stored(const stored_publish& stored, const framing& frames,
                     std::string& out) override;
  void encode_refreshed(const refreshed& is, const framing& frames, std::string& out) override;
  void encode_called(const call_answer& is, const framing& frames, std::string& out) override;
  void encode_left(const leave_command& left, const framing& frames, std::string& out) override;
  void encode_members(const members_answer& is, const framing& frames, std::string& out) override;
  void encode_counts(const counts_answer& are, const framing& frames, std::string& out) override;
  void encode_history(const history_reply& is, const framing& frames, std::string& out) override;

private:
  [[nodiscard]] bool take(const request& asked, command_sink& sink);
  void take_from(read_result result, request& asked, command_sink& sink);
  void connect(const request& asked, command_sink& sink);
  void refresh(const request& asked, command_sink& sink) const;
  void subscribe(const request& asked, command_sink& sink) const;
  void enter_rooms(std::vector<std::string>&& rooms, command_sink& sink);
  void append_connected(std::string& out, std::uint32_t request, const connection_facts& facts,
                        std::string_view rooms) const;
  void publish(const request& asked, command_sink& sink) const;
  void ask_history(const request& asked, command_sink& sink) const;
  [[nodiscard]] bool encode_not_connected(const failed_command& failed, const framing& frames,
                                          std::string& out);
  void refuse(const request& asked, const error& why, command_sink& sink) const;
  template <class Write>
  void reply(command_sink& sink, Write write) const;

  /// A `connect` that is not answered.
  struct connecting {
    std::uint32_t request = 0;
    std::vector<std::pair<std::string, resume_position>> had{}; ///< of server-side subscriptions
    std::string rest{}; ///< of its message, which is read when it is answered
  };

  [[nodiscard]] bool is_connected() const noexcept { return stage_ == stage::connected; }

  enum class stage : std::uint8_t { new_here, connecting, connected };

  const reply_words& words_;
  const format_family& formats_;
  std::unique_ptr<credentials> said_; // by its URL, until it has connected
  std::unique_ptr<connecting> connecting_;
  stage stage_ = stage::new_here;
};

} // namespace canang::net::centrifugo
