#pragma once

#include <cstddef>
#include <cstdint>

namespace canang::net {

/// Every limit of tokens and of the keys that check them, with its unit and the reason for the number. None can be
/// changed by an operator.

/// Of a whole token: it comes in a header line or a query, which proxies let through up to 8 KiB.
inline constexpr std::size_t max_token_bytes = 8 * 1024;

/// Nesting of a header's or payload's JSON: `caps` needs 4, the rest is what is in `info`.
inline constexpr std::size_t max_token_depth = 32;

/// Of a `kid`, in a token and in a JWK Set: the longest in use are thumbprints and ARNs. It is only ever compared.
inline constexpr std::size_t max_key_id_bytes = 256;

/// Keys that a token without a matching `kid` is tried with: 8 checks of the slowest algorithm take as long as
/// a handshake of TLS, and rotation needs two.
inline constexpr std::size_t max_tried_keys = 8;

/// Of `info`, without white space: every member of a room is told it with each join.
inline constexpr std::size_t max_info_bytes = 4 * 1024;

/// Rooms that a token puts its connection in: as many as one may be in by default.
inline constexpr std::size_t max_token_rooms = 128;

/// Patterns of `caps` in all: each question of the connection may go through them.
inline constexpr std::size_t max_token_grants = 64;

/// The farthest moment, before 1970 or after it, that a date may name, in seconds: JSON carries whole numbers safely up
/// to 2^53 - 1 (RFC 8259, 6), and no arithmetic with a leeway comes near an overflow.
inline constexpr std::int64_t max_numeric_date = (std::int64_t{1} << 53) - 1;

/// Keys that count at the same time: large providers publish a dozen.
inline constexpr std::size_t max_token_keys = 64;

/// A JWK Set, or a file of keys in PEM: 64 keys of RSA with their certificates.
inline constexpr std::size_t max_key_set_bytes = 256 * 1024;

/// Of an HMAC secret, in bytes: below 128 bits it can be guessed from a single token, and beyond its hash's block HMAC
/// hashes it first.
inline constexpr std::size_t min_secret_bytes = 16;
inline constexpr std::size_t max_secret_bytes = 1024;

/// Of RSA keys: RFC 7518, 3.3, asks for 2048 bits at least; a check with 8192 takes fifteen times as long.
inline constexpr int min_rsa_bits = 2048;
inline constexpr int max_rsa_bits = 8192;

} // namespace canang::net
