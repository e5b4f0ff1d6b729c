#pragma once

#include <cstdint>

namespace canang::net {

/// Close codes of our own, as Centrifugo's clients know them: from 3500 on a client does not come back by itself.

/// Publications were lost to the client, and it cannot be told otherwise.
inline constexpr std::uint16_t messages_lost = 3010;

/// The time that its token gave it is over.
inline constexpr std::uint16_t connection_expired = 3005;

/// The same of its only room, where its protocol has no other word for that.
inline constexpr std::uint16_t membership_expired = 3006;

/// Its token is none of ours.
inline constexpr std::uint16_t invalid_token = 3500;

/// Its user was disconnected, or removed from the only room of a connection that has no word for that.
inline constexpr std::uint16_t force_disconnect = 3503;

/// It is banned, from the node or from the only room of a connection that has no word for that. Centrifugo's clients
/// know it as "permission denied", and do not come back by themselves.
inline constexpr std::uint16_t banned = 3507;

} // namespace canang::net
