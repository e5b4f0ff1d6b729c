#include "bench/load/payload.hpp"

#include <algorithm>
#include <vector>

namespace canang::load::payload {

namespace {

// 61 starts: a prime, so that the start does not go in step with batches of 2^n messages.
constexpr std::uint32_t filler_starts = 61;

std::vector<char>& filler_store() {
  static std::vector<char> store;
  return store;
}

template <unsigned Chars>
void encode_number(std::uint64_t n, char* p) noexcept {
  for (unsigned i = Chars; i-- > 0; n >>= 6)
    p[i] = detail::digits[n & 63U];
}

} // namespace

void reserve_filler(std::size_t size) {
  auto& store = filler_store();
  const auto wanted = size + filler_starts;
  std::uint32_t x = 2463534242U;
  while (store.size() < wanted) {
    x ^= x << 13, x ^= x >> 17, x ^= x << 5; // Marsaglia's xorshift32
    store.push_back(detail::digits[x >> 26]);
  }
}

const char* filler_text(std::uint32_t sequence) noexcept {
  return filler_store().data() + sequence % filler_starts;
}

std::uint64_t prefix(std::uint32_t run, std::uint32_t room) noexcept {
  char text[8];
  encode_number<4>(run, text);
  encode_number<4>(room, text + 4);
  return prefix_of(text);
}

void encode(const header& h, std::size_t size, std::string& out) {
  out.resize(std::max(size, header_size));
  char* p = out.data();
  encode_number<4>(h.run, p);
  encode_number<4>(h.room, p + 4);
  encode_number<3>(h.publisher, p + 8);
  encode_number<5>(h.sequence, p + 11);
  encode_number<8>(h.time_ns, p + 16);
  if (size > header_size)
    std::memcpy(p + header_size, filler_text(h.sequence), size - header_size);
}

bool decode(std::string_view message, header& h) noexcept {
  if (message.size() < header_size)
    return false;
  for (char c : message.substr(0, header_size))
    if (detail::digits.find(c) == std::string_view::npos)
      return false;
  const char* p = message.data();
  h.run = static_cast<std::uint32_t>(detail::decode_number<4>(p));
  h.room = static_cast<std::uint32_t>(detail::decode_number<4>(p + 4));
  h.publisher = publisher_of(p);
  h.sequence = sequence_of(p);
  h.time_ns = time_ns_of(p);
  return true;
}

} // namespace canang::load::payload
