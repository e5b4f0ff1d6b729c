#include "cluster/envelope.hpp"

#include "cluster/epoch.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <utility>

namespace canang::cluster {

namespace {

constexpr std::uint8_t binary_flag = 1U;
constexpr std::uint8_t no_echo_flag = 2U;
constexpr std::uint8_t joined_flag = 4U;
constexpr std::uint8_t left_flag = 8U;
constexpr std::uint8_t notes_flag = 16U;
constexpr std::uint8_t known_flags = 31U;

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

std::uint8_t flags_of(const publication& message, bool with_notes) noexcept {
  std::uint8_t flags = message.type == payload_type::binary ? binary_flag : std::uint8_t{0};
  if (!message.echo)
    flags |= no_echo_flag;
  if (message.kind == publication_kind::joined)
    flags |= joined_flag;
  if (message.kind == publication_kind::left)
    flags |= left_flag;
  if (with_notes)
    flags |= notes_flag;
  return flags;
}

publication_kind kind_of(std::uint8_t flags) noexcept {
  if ((flags & joined_flag) != 0)
    return publication_kind::joined;
  return (flags & left_flag) != 0 ? publication_kind::left : publication_kind::message;
}

template <class Length>
void put_text(std::string& out, std::string_view text) {
  put(out, static_cast<Length>(text.size()));
  out += text;
}

template <class Length>
bool take_text(std::string_view& from, std::string& into) {
  Length size = 0;
  if (!take(from, size) || from.size() < size)
    return false;
  into.assign(from.substr(0, size));
  from.remove_prefix(size);
  return true;
}

/// What is said of an author.
enum author_mark : std::uint8_t { no_author, named_author, author_with_info };

author_mark mark_of(const std::optional<publication_author>& author) noexcept {
  if (!author)
    return no_author;
  return author->info.empty() && author->room_info.empty() ? named_author : author_with_info;
}

/// Their texts are no longer than their lengths can tell: see `max_tag_value_bytes`, and `net::max_info_bytes`.
std::string text_of(const publication_notes& notes) {
  std::string out;
  const auto mark = mark_of(notes.author);
  put(out, static_cast<std::uint8_t>(mark));
  if (notes.author) {
    put_text<std::uint8_t>(out, notes.author->user);
    put_text<std::uint8_t>(out, notes.author->client);
  }
  if (mark == author_with_info) {
    put_text<std::uint16_t>(out, notes.author->info);
    put_text<std::uint16_t>(out, notes.author->room_info);
  }
  put(out, static_cast<std::uint8_t>(notes.tags.size()));
  for (const auto& [name, value] : notes.tags) {
    put_text<std::uint8_t>(out, name);
    put_text<std::uint16_t>(out, value);
  }
  return out;
}

bool take_author(std::string_view& from, std::optional<publication_author>& into) {
  std::uint8_t mark = no_author;
  if (!take(from, mark) || mark > author_with_info)
    return false;
  if (mark == no_author)
    return true;
  auto& author = into.emplace();
  if (!take_text<std::uint8_t>(from, author.user) || !take_text<std::uint8_t>(from, author.client))
    return false;
  return mark == named_author
         || (take_text<std::uint16_t>(from, author.info)
             && take_text<std::uint16_t>(from, author.room_info)
             && mark_of(into) == author_with_info);
}

bool take_tags(std::string_view& from, std::vector<publication_tag>& into) {
  std::uint8_t count = 0;
  if (!take(from, count) || count > max_tags)
    return false;
  into.resize(count);
  return std::all_of(into.begin(), into.end(), [&](publication_tag& tag) {
    return take_text<std::uint8_t>(from, tag.first) && take_text<std::uint16_t>(from, tag.second);
  });
}

bool take_notes(std::string_view& from, publication& into) {
  publication_notes notes;
  if (!take_author(from, notes.author) || !take_tags(from, notes.tags))
    return false;
  into.notes = std::make_unique<const publication_notes>(std::move(notes));
  return true;
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
  auto body = bytes.substr(0, size);
  if ((flags & notes_flag) != 0 && !take_notes(body, into))
    return false;
  into.data.assign(body);
  bytes.remove_prefix(size);
  return true;
}

} // namespace

void append_batch_header(std::string& out, const batch_id& id) {
  put(out, id.origin);
  put(out, id.sequence);
}

void append_publication(std::string& out, const publication& message, bool with_notes) {
  with_notes = with_notes && message.notes;
  put(out, flags_of(message, with_notes));
  put(out, message.publisher);
  const auto notes = with_notes ? text_of(*message.notes) : std::string{};
  put(out, static_cast<std::uint32_t>(notes.size() + message.data.size()));
  out += notes;
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

std::string unordered_message(const publication& message, const batch_id& id, bool with_notes) {
  std::string text = std::to_string(unordered_version) + " 1\n";
  append_batch_header(text, id);
  append_publication(text, message, with_notes);
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
