#pragma once

#include "net/protocol/conversation.hpp"

/// Private to the files of the plain protocol.

namespace canang::net {

/// The client's half of the plain protocol: the URL names the room, and every message is a publication.
class plain_words : public conversation {
public:
  void end() noexcept final {} // stateless, and shared
  void on_open(const connection_parameters& parameters, command_sink& sink) final;
  void decode(frame_type type, std::span<const char> message, command_sink& sink) final;
};

/// Without a word for anything else.
[[nodiscard]] conversation_ptr plain_conversation() noexcept;

} // namespace canang::net
