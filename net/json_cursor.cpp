#include "net/json_cursor.hpp"

#include "base/hex_digit.hpp"

#include <cstdint>
#include <cstring>

namespace canang::net {

namespace {

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

constexpr bool is_space(char c) noexcept { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

constexpr bool is_high_surrogate(unsigned unit) noexcept { return (unit & 0xFC00U) == 0xD800U; }
constexpr bool is_low_surrogate(unsigned unit) noexcept { return (unit & 0xFC00U) == 0xDC00U; }

/// Of four hexadecimal digits, which are known to be that.
unsigned unit_at(const char* digits) noexcept {
  unsigned unit = 0;
  for (int i = 0; i < 4; ++i)
    unit = unit << 4U | static_cast<unsigned>(hex_digit(digits[i]));
  return unit;
}

char* write_utf8(unsigned point, char* out) noexcept {
  const auto put = [&](unsigned byte) { *out++ = static_cast<char>(byte); };
  const auto put_rest = [&](unsigned shift) { put(0x80U | (point >> shift & 0x3FU)); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xC0U | point >> 6U);
    put_rest(0);
  } else if (point < 0x10000) {
    put(0xE0U | point >> 12U);
    put_rest(6);
    put_rest(0);
  } else {
    put(0xF0U | point >> 18U);
    put_rest(12);
    put_rest(6);
    put_rest(0);
  }
  return out;
}

/// Writes what the escape at `at`, behind its backslash, stands for. Moves `at` behind it.
char* write_escaped(const char*& at, const char* end, char* out) noexcept {
  const auto kind = *at++;
  switch (kind) {
  case 'b': *out = '\b'; return out + 1;
  case 'f': *out = '\f'; return out + 1;
  case 'n': *out = '\n'; return out + 1;
  case 'r': *out = '\r'; return out + 1;
  case 't': *out = '\t'; return out + 1;
  case 'u': break;
  default: *out = kind; return out + 1;
  }
  auto point = unit_at(at);
  at += 4;
  const bool has_other = end - at >= 6 && at[0] == '\\' && at[1] == 'u';
  if (is_high_surrogate(point) && has_other && is_low_surrogate(unit_at(at + 2))) {
    point = 0x10000U + ((point & 0x3FFU) << 10U | (unit_at(at + 2) & 0x3FFU));
    at += 6; // with the backslash and the u
  } else if (is_high_surrogate(point) || is_low_surrogate(point)) {
    point = 0xFFFDU; // half a character
  }
  return write_utf8(point, out);
}

} // namespace

char json_cursor::peek() noexcept {
  if (has_failed_)
    return '\0';
  skip_space();
  return at_ == end_ ? '\0' : *at_;
}

std::string_view json_cursor::value() noexcept {
  (void)peek();
  const auto* const begin = at_;
  if (has_failed_ || !pass_value())
    return {};
  return {begin, static_cast<std::size_t>(at_ - begin)};
}

bool json_cursor::skip_null() noexcept { return peek() == 'n' && pass_word("null"); }

void json_cursor::enter_object() noexcept {
  is_at_first_ = peek() == '{' && go_deeper();
  if (!is_at_first_)
    fail();
}

bool json_cursor::next_field(std::string_view& name) noexcept {
  const auto is_first = is_at_first_;
  is_at_first_ = false;
  if (peek() == '}') {
    ++at_;
    --depth_;
    return false;
  }
  if (!is_first && !take(','))
    return false;
  if (peek() != '"')
    return fail();
  name = value();
  return is_good() && take(':');
}

bool json_cursor::fail() noexcept {
  has_failed_ = true;
  return false;
}

bool json_cursor::is_done() noexcept {
  return depth_ == 0 && peek() == '\0' && at_ == end_ && is_good();
}

void json_cursor::skip_space() noexcept {
  while (at_ != end_ && is_space(*at_))
    ++at_;
}

/// Passes white space and a character that has to be there.
bool json_cursor::take(char expected) noexcept {
  if (peek() != expected)
    return fail();
  ++at_;
  return true;
}

bool json_cursor::go_deeper() noexcept {
  if (depth_ == max_depth_)
    return fail();
  ++depth_;
  ++at_;
  return true;
}

/// The next character is the value's first. Calls itself as deep as the nesting that is allowed.
bool json_cursor::pass_value() noexcept {
  switch (at_ == end_ ? '\0' : *at_) {
  case '{': return pass_object();
  case '[': return pass_array();
  case '"': return pass_string();
  case 't': return pass_word("true");
  case 'f': return pass_word("false");
  case 'n': return pass_word("null");
  default: return pass_number();
  }
}

bool json_cursor::pass_object() noexcept {
  enter_object();
  std::string_view name;
  while (next_field(name))
    value();
  return is_good();
}

bool json_cursor::pass_array() noexcept {
  if (!go_deeper())
    return false;
  if (peek() != ']') {
    do {
      value();
    } while (peek() == ',' && take(','));
  }
  --depth_;
  return take(']');
}

bool json_cursor::pass_string() noexcept {
  for (++at_; at_ != end_;) {
    const auto byte = static_cast<std::uint8_t>(*at_);
    if (byte < 0x20)
      return fail();
    if (byte == '\\') {
      if (!pass_escape())
        return false;
      continue;
    }
    ++at_;
    if (byte == '"')
      return true;
  }
  return fail();
}

bool json_cursor::pass_escape() noexcept {
  if (end_ - at_ < 2)
    return fail();
  if (at_[1] != 'u') {
    constexpr std::string_view known = "\"\\/bfnrt";
    const auto is_known = known.find(at_[1]) != std::string_view::npos;
    at_ += 2;
    return is_known || fail();
  }
  return pass_escaped_unit();
}

bool json_cursor::pass_escaped_unit() noexcept {
  if (end_ - at_ < 6 || at_[0] != '\\' || at_[1] != 'u')
    return fail();
  for (std::size_t i = 2; i < 6; ++i)
    if (hex_digit(at_[i]) < 0)
      return fail();
  at_ += 6;
  return true;
}

bool json_cursor::pass_number() noexcept {
  const auto has = [&](char c) { return at_ != end_ && *at_ == c; };
  if (has('-'))
    ++at_;
  if (has('0'))
    ++at_; // and no digit behind it
  else if (!pass_digits())
    return false;
  if (has('.')) {
    ++at_;
    if (!pass_digits())
      return false;
  }
  if (!has('e') && !has('E'))
    return true;
  ++at_;
  if (has('+') || has('-'))
    ++at_;
  return pass_digits();
}

/// At least one.
bool json_cursor::pass_digits() noexcept {
  const auto* const begin = at_;
  while (at_ != end_ && is_digit(*at_))
    ++at_;
  return at_ != begin || fail();
}

bool json_cursor::pass_word(std::string_view word) noexcept {
  if (static_cast<std::size_t>(end_ - at_) < word.size()
      || std::memcmp(at_, word.data(), word.size()) != 0)
    return fail();
  at_ += word.size();
  return true;
}

char* unescape_json(std::string_view raw, char* out) noexcept {
  const auto* at = raw.data() + 1;
  const auto* const end = raw.data() + raw.size() - 1;
  while (at != end) {
    if (*at == '\\')
      out = write_escaped(++at, end, out);
    else
      *out++ = *at++;
  }
  return out;
}

} // namespace canang::net
