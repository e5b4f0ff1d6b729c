#include "net/http/body_reader.hpp"

#include "base/hex_digit.hpp"
#include "net/limits.hpp"

#include <algorithm>

namespace canang::net {

namespace {

/// What may stand in a line of text: no control character but the tab (RFC 9110, 5.5).
bool is_text(char c) noexcept {
  return (static_cast<unsigned char>(c) >= 0x20 && c != '\x7f') || c == '\t';
}

/// Digits of a size that fits into 64 bits, zeros in front included.
constexpr unsigned max_size_digits = 16;

} // namespace

body_reader::body_reader(const body_framing& framing, std::size_t limit)
  : limit_(limit), is_chunked_(framing.is_chunked) {
  if (is_chunked_) {
    next_ = part::size;
    return;
  }
  left_ = framing.length;
  if (left_ > limit_)
    at_ = state::too_large;
  else if (left_ == 0)
    at_ = state::whole;
}

std::size_t body_reader::take(std::string_view bytes) {
  std::size_t taken = 0;
  while (taken < bytes.size() && at_ == state::more) {
    if (next_ == part::data)
      taken += take_data(bytes.substr(taken));
    else
      take_line_byte(bytes[taken++]);
  }
  return taken;
}

std::size_t body_reader::take_data(std::string_view bytes) {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
  const auto wanted = body_.size() + size;
  if (wanted > body_.capacity()) // never more than is allowed, and a few times only
    body_.reserve(std::max(wanted, std::min(limit_, 2 * body_.capacity())));
  const auto part = bytes.substr(0, size);
  body_.insert(body_.end(), part.begin(), part.end());
  left_ -= size;
  if (left_ == 0)
    end_data();
  return size;
}

void body_reader::end_data() noexcept {
  if (is_chunked_)
    next_ = part::data_end;
  else
    at_ = state::whole;
}

void body_reader::expect(char c, char wanted, part next) noexcept {
  if (c == wanted)
    next_ = next;
  else
    at_ = state::bad;
}

void body_reader::take_digit(char c) {
  if (const int digit = hex_digit(c); digit >= 0) {
    if (++digits_ > max_size_digits)
      at_ = state::bad;
    left_ = left_ << 4U | static_cast<unsigned>(digit);
  } else if (digits_ == 0) {
    at_ = state::bad;
  } else if (c == '\r') {
    next_ = part::size_end;
  } else if (c == ';') {
    next_ = part::extension;
  } else {
    at_ = state::bad;
  }
}

void body_reader::begin_data() {
  digits_ = 0;
  line_bytes_ = 0;
  if (left_ == 0)
    next_ = part::trailer;
  else if (left_ > limit_ - body_.size())
    at_ = state::too_large;
  else
    next_ = part::data;
}

void body_reader::take_line_byte(char c) {
  if (++line_bytes_ > max_chunk_line_bytes) {
    at_ = state::bad;
    return;
  }
  switch (next_) {
  case part::size: take_digit(c); break;
  case part::extension:
    if (c == '\r')
      next_ = part::size_end;
    else if (!is_text(c))
      at_ = state::bad;
    break;
  case part::size_end:
    if (c == '\n')
      begin_data();
    else
      at_ = state::bad;
    break;
  case part::data: break;
  case part::data_end: expect(c, '\r', part::data_end_lf); break;
  case part::data_end_lf:
    expect(c, '\n', part::size);
    left_ = 0;
    line_bytes_ = 0;
    break;
  case part::trailer:
    next_ = c == '\r' ? part::end_lf : part::trailer_text;
    if (c != '\r' && !is_text(c))
      at_ = state::bad;
    break;
  case part::trailer_text:
    if (c == '\r')
      next_ = part::trailer_lf;
    else if (!is_text(c))
      at_ = state::bad;
    break;
  case part::trailer_lf: expect(c, '\n', part::trailer); break;
  case part::end_lf: at_ = c == '\n' ? state::whole : state::bad; break;
  }
}

} // namespace canang::net
