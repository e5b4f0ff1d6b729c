#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace canang::load {

/// What a dialect found in a message of the server.
class dialect_events {
public:
  /// A publication of the room. The view ends with the call.
  virtual void on_publication(std::string_view payload) = 0;
  /// The server has confirmed that this connection is a member of its room.
  virtual void on_joined() = 0;
  /// The protocol wants this message sent to the server.
  virtual void on_reply(std::string_view message) = 0;
  /// The server refused something; the connection is of no more use.
  virtual void on_refused(std::string_view why) = 0;

protected:
  ~dialect_events() = default;
};

/// How a kind of server wants to be spoken to. Has no state: one object serves all connections and
/// threads; a dialect that must know where a connection stands reads it from the server's answers.
class dialect {
public:
  virtual ~dialect() = default;

  virtual std::string_view name() const = 0;
  /// True: each message is a publication as it is, and the handshake is the join. Such messages
  /// bypass opening(), encode_publish() and decode().
  virtual bool is_transparent() const = 0;
  /// Whether all messages, to and from the server, are binary ones.
  virtual bool is_binary() const { return false; }
  /// Whether a client may connect and join no room: its room then has an empty name, and on_joined()
  /// tells that it is connected.
  virtual bool may_join_none() const { return false; }
  /// Path and query of the handshake, from those of the URL that the user gave.
  virtual std::string handshake_target(std::string_view path, std::string_view query,
                                       std::string_view room) const = 0;
  /// Sec-WebSocket-Protocol, empty for none.
  virtual std::string_view subprotocol() const = 0;
  /// First message after the handshake, empty for none.
  virtual std::string opening(std::string_view room) const = 0;
  /// Writes the message that publishes `payload` over `out`.
  virtual void encode_publish(std::string_view room, std::string_view payload,
                              std::string& out) const = 0;
  /// Finds what is in a message; false when it can't be understood.
  virtual bool decode(std::string_view message, std::string_view room,
                      dialect_events& events) const = 0;
};

/// The dialect of that name; null when there is none.
std::unique_ptr<dialect> make_dialect(std::string_view name);
/// The names, for the help text: "plain, ...".
std::string_view dialect_names();

} // namespace canang::load
