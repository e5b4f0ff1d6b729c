#include "net/emulation.hpp"

#include "base/hex_digit.hpp"
#include "base/parse_number.hpp"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace canang::net {

namespace {

constexpr std::size_t random_bytes = 12;
constexpr std::size_t random_size = 2 * random_bytes; // in digits
constexpr std::size_t mac_size = 8;
constexpr std::size_t digits = random_size + mac_size;

/// From the kernel's generator: nobody can guess one from others.
std::string random_digits() {
  std::array<unsigned char, random_bytes> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    throw std::system_error{errno, std::generic_category(), "getrandom"};
  std::string text;
  text.reserve(emulated_sessions::max_secret_size);
  for (const auto byte : bytes)
    append_hex(text, byte, 2);
  return text;
}

/// Of what is in a secret besides.
std::string mac_of(std::string_view random, std::string_view loop, const emulation_key& key) {
  std::string text{random};
  text += loop;
  const auto mac = siphash<2, 4>(key, text);
  text.clear();
  append_hex(text, mac, mac_size);
  return text;
}

} // namespace

std::string text_of(const emulation_key& key) {
  std::string text;
  for (const auto word : key)
    append_hex(text, word, 16);
  return text;
}

std::optional<emulation_key> read_emulation_key(std::string_view text) noexcept {
  emulation_key key{};
  if (text.size() != 32)
    return std::nullopt;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int digit = hex_digit(text[i]);
    if (digit < 0)
      return std::nullopt;
    key[i / 16] = key[i / 16] << 4U | static_cast<std::uint64_t>(digit);
  }
  return key;
}

std::string emulated_sessions::add(emulated_session& session) {
  const auto loop = std::to_string(loop_);
  for (;;) {
    auto secret = random_digits();
    secret += mac_of(secret, loop, key_);
    secret += loop;
    if (sessions_.try_emplace(secret, &session).second)
      return secret;
  }
}

bool is_secret_of(std::string_view secret, const emulation_key& key) noexcept {
  return secret.size() > digits
         && secret.substr(random_size, mac_size)
              == mac_of(secret.substr(0, random_size), secret.substr(digits), key);
}

void emulated_sessions::remove(std::string_view secret) noexcept {
  if (const auto found = sessions_.find(secret); found != sessions_.end())
    sessions_.erase(found);
}

void emulated_sessions::take(std::string_view secret, std::string&& message,
                             const emulation_answer& answer) const {
  const auto found = sessions_.find(secret);
  if (found == sessions_.end())
    answer(emulation_outcome::unknown);
  else
    found->second->take(std::move(message), answer);
}

std::optional<std::uint32_t> loop_of_secret(std::string_view secret) noexcept {
  if (secret.size() <= digits || secret.size() > emulated_sessions::max_secret_size)
    return std::nullopt;
  const auto chance = secret.substr(0, digits);
  if (!std::all_of(chance.begin(), chance.end(), [](char c) { return hex_digit(c) >= 0; }))
    return std::nullopt;
  return parse_number<std::uint32_t>(secret.substr(digits));
}

} // namespace canang::net
