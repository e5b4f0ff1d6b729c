#include "cluster/envelope.hpp"

#include "cluster/epoch.hpp"

#include <charconv>
#include <limits>
#include <optional>

namespace canang::cluster {

namespace {

constexpr std::uint8_t binary_flag = 1U;
constexpr std::uint8_t no_echo_flag = 2U;
constexpr std::uint8_t joined_flag = 4U;
constexpr std::uint8_t left_flag = 8U;
constexpr std::uint8_t known_flags = 15U;

template <class Number>
void put(std::string& out, Number number) {
  for (unsigned shift = 0; shift < 8 * sizeof(Number); shift += 8)
    out.push_back(static_cast<char>(static_cast<std::uint8_t>(number >> shift)));
}

template <class Number>
bool take(std::string_view& from, Number& into) {
  if (from.size() < sizeof(Number))
    return false;
  std::uint64_t number = 0;
  for (std::size_t i = sizeof(Number); i-- > 0;)
    number = (number << 8U) | static_cast<std::uint8_t>(from[i]);
  into = static_cast<Number>(number);
  from.remove_prefix(sizeof(Number));
  return true;
}

/// Takes a decimal number and the `end` behind it.
std::optional<std::uint64_t> take_number(std::string_view& from, char end) {
  std::uint64_t number = 0;
  const auto [stop, error] = std::from_chars(from.data(), from.data() + from.size(), number);
  if (error != std::errc{} || stop == from.data() + from.size() || *stop != end)
    return std::nullopt;
  from.remove_prefix(static_cast<std::size_t>(stop - from.data()) + 1);
  return number;
}

std::uint8_t flags_of(const publication& message) noexcept {
  std::uint8_t flags = message.type == payload_type::binary ? binary_flag : std::uint8_t{0};
  if (!message.echo)
    flags |= no_echo_flag;
  if (message.kind == publication_kind::joined)
    flags |= joined_flag;
  if (message.kind == publication_kind::left)
    flags |= left_flag;
  return flags;
}

publication_kind kind_of(std::uint8_t flags) noexcept {
  if ((flags & joined_flag) != 0)
    return publication_kind::joined;
  return (flags & left_flag) != 0 ? publication_kind::left : publication_kind::message;
}

bool take_publication(std::string_view& bytes, bool is_own, publication& into) {
  std::uint8_t flags = 0;
  std::uint64_t publisher = 0;
  std::uint32_t size = 0;
  if (!take(bytes, flags) || !take(bytes, publisher) || !take(bytes, size))
    return false;
  if (bytes.size() < size || (flags & ~known_flags) != 0)
    return false;
  into.publisher = is_own ? publisher : 0;
  into.type = (flags & binary_flag) != 0 ? payload_type::binary : payload_type::text;
  into.echo = (flags & no_echo_flag) == 0;
  into.kind = kind_of(flags);
  into.data.assign(bytes.substr(0, size));
  bytes.remove_prefix(size);
  return true;
}

} // namespace

void append_batch_header(std::string& out, const batch_id& id) {
  put(out, id.origin);
  put(out, id.sequence);
}

void append_publication(std::string& out, const publication& message) {
  put(out, flags_of(message));
  put(out, message.publisher);
  put(out, static_cast<std::uint32_t>(message.data.size()));
  out.append(message.data);
}

namespace {

/// All of a batch, without offsets.
envelope_errc read_publications(std::string_view bytes, std::uint64_t own_origin, batch& into) {
  batch_id id;
  if (!take(bytes, id.origin) || !take(bytes, id.sequence) || bytes.empty())
    return envelope_errc::truncated;
  into.epoch.clear();
  into.first = 0;
  into.is_removal = false;
  into.publications.clear();
  const auto now = std::chrono::steady_clock::now();
  while (!bytes.empty()) {
    auto message = std::make_shared<publication>();
    if (!take_publication(bytes, id.origin == own_origin, *message))
      return envelope_errc::truncated;
    message->received_at = now;
    into.publications.push_back(std::move(message));
  }
  return envelope_errc::none;
}

envelope_errc read_unordered(std::string_view bytes, std::uint64_t own_origin, batch& into) {
  const auto count = take_number(bytes, '\n');
  if (!count || *count == 0 || *count > bytes.size())
    return envelope_errc::truncated;
  const auto error = read_publications(bytes, own_origin, into);
  if (error == envelope_errc::none && into.publications.size() != *count)
    return envelope_errc::truncated;
  return error;
}

envelope_errc read_removal(std::string_view bytes, std::string_view epoch, batch& into) {
  const auto offset = take_number(bytes, '\n');
  if (!offset || *offset == 0 || !bytes.empty())
    return envelope_errc::truncated;
  into.epoch = epoch;
  into.first = *offset;
  into.publications.clear();
  into.is_removal = true;
  return envelope_errc::none;
}

} // namespace

envelope_errc read_batch(std::string_view bytes, std::string_view epoch, std::uint64_t last,
                         std::uint64_t own_origin, batch& into) {
  const auto error = read_publications(bytes, own_origin, into);
  if (error != envelope_errc::none)
    return error;
  if (last < into.publications.size())
    return envelope_errc::truncated;
  into.epoch = epoch;
  into.first = last - into.publications.size() + 1;
  auto offset = into.first;
  for (const auto& message : into.publications) {
    message->epoch = epoch;
    message->offset = offset++;
  }
  return envelope_errc::none;
}

std::string unordered_message(const publication& message, const batch_id& id) {
  std::string text = std::to_string(unordered_version) + " 1\n";
  append_batch_header(text, id);
  append_publication(text, message);
  return text;
}

envelope_errc read_message(std::string_view bytes, std::uint64_t own_origin, batch& into) {
  const auto version = take_number(bytes, ' ');
  if (!version)
    return envelope_errc::foreign;
  if (*version == unordered_version)
    return read_unordered(bytes, own_origin, into);
  if (*version != envelope_version && *version != removal_version)
    return envelope_errc::version;
  if (bytes.size() <= epoch_size || bytes[epoch_size] != ' ')
    return envelope_errc::truncated;
  const auto epoch = bytes.substr(0, epoch_size);
  if (!is_epoch(epoch))
    return envelope_errc::truncated;
  bytes.remove_prefix(epoch_size + 1);
  if (*version == removal_version)
    return read_removal(bytes, epoch, into);
  const auto first = take_number(bytes, ' ');
  const auto count = take_number(bytes, '\n');
  constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
  if (!first || !count || *first == 0 || *count == 0 || *first > most || *count > bytes.size())
    return envelope_errc::truncated;
  const auto error = read_batch(bytes, epoch, *first + *count - 1, own_origin, into);
  if (error == envelope_errc::none && into.publications.size() != *count)
    return envelope_errc::truncated;
  return error;
}

} // namespace canang::cluster
