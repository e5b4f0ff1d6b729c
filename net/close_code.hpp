#pragma once

#include <cstdint>

namespace canang::net {

/// Close codes of our own, as Centrifugo's clients know them: from 3500 on a client does not come back by itself.

/// Publications were lost to the client, and it cannot be told otherwise.
inline constexpr std::uint16_t messages_lost = 3010;

/// Its user was disconnected, or removed from the only room of a connection that has no word for that.
inline constexpr std::uint16_t force_disconnect = 3503;

} // namespace canang::net
