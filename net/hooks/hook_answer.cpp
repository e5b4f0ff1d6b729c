#include "net/hooks/hook_answer.hpp"

#include "net/auth/claim_values.hpp"
#include "net/auth/token_limits.hpp"
#include "net/base64.hpp"
#include "net/http/authority.hpp"
#include "net/http/target.hpp"
#include "net/json_cursor.hpp"
#include "net/utf8.hpp"

#include <simdjson.h>

#include <charconv>
#include <memory>
#include <optional>
#include <utility>

namespace canang::net {

namespace {

/// Codes of errors: those below are of clients' own libraries. Centrifugo's documents ask for 400 to 1999, and its server
/// takes any. Without one that can be told it is its "permission denied".
constexpr std::uint32_t least_error = 100;
constexpr std::uint32_t default_error = 103;

/// And of disconnects: what a close frame may have (RFC 6455, 7.4.2). Without one: one after which clients stay away.
constexpr std::uint32_t least_disconnect = 3000;
constexpr std::uint32_t most_disconnect = 4999;
constexpr std::uint32_t default_disconnect = 4500;

bool is_text(std::string_view raw) noexcept { return raw.starts_with('"'); }

/// What a string says; `raw` is JSON with its quotes.
std::string text_of(std::string_view raw) {
  std::string text(raw.size(), '\0');
  text.resize(static_cast<std::size_t>(unescape_json(raw, text.data()) - text.data()));
  return text;
}

bool is_of_stay(hook_kind what) noexcept {
  return what == hook_kind::refresh || what == hook_kind::sub_refresh;
}

/// Calls `take` with the name, in lower case, and the value of each member, as it stands, but for those that are null.
/// @returns false where it is no object, or `take` does.
template <class Take>
bool each_member(std::string_view json, const Take& take) {
  json_cursor reads{json, max_hook_depth};
  reads.enter_object();
  std::string_view raw_name;
  while (reads.next_field(raw_name)) {
    const auto value = reads.value();
    if (reads.is_good() && value != "null" && !take(to_lower(text_of(raw_name)), value))
      return false;
  }
  return reads.is_done();
}

bool read_string(std::string_view raw, std::string& into) {
  if (!is_text(raw))
    return false;
  into = text_of(raw);
  return true;
}

bool read_flag(std::string_view raw, bool& into) {
  into = raw == "true";
  return into || raw == "false";
}

/// Only digits: neither a fraction nor an exponent, whatever they come to.
template <class Number>
bool read_number(std::string_view raw, Number& into) {
  const auto* const end = raw.data() + raw.size();
  const auto [stopped_at, error] = std::from_chars(raw.data(), end, into);
  return error == std::errc{} && stopped_at == end;
}

/// Unix time in seconds; 0 and what is below: never.
bool read_expiry(std::string_view raw, expiry& into) {
  std::int64_t at = 0;
  if (!read_number(raw, at) || at > max_numeric_date)
    return false;
  into = at > 0 ? expiry{at} : std::nullopt;
  return true;
}

/// For readers of what is parsed whole.
template <class Read, class Into>
bool read_parsed(std::string_view raw, Read read, Into& into) {
  static thread_local simdjson::dom::parser parser;
  simdjson::dom::element value;
  return parser.parse(raw.data(), raw.size()).get(value) == simdjson::SUCCESS && read(value, into);
}

hook_data_ptr data_of(frame_type type, std::string bytes) {
  return std::make_shared<const hook_data>(hook_data{.type = type, .bytes = std::move(bytes)});
}

/// Takes one member of a result after the other.
class result_reader {
public:
  explicit result_reader(hook_kind what) : what_(what) {}

  /// @returns what is wrong with it, or nothing.
  std::string read(std::string_view json) {
    std::string wrong;
    const bool is_good = each_member(json, [&](const std::string& name, std::string_view raw) {
      if (!take(name, raw) && wrong.empty())
        wrong = "the result's '" + name + "' is not what it has to be";
      return true; // that it has expired counts, whatever else is wrong
    });
    return is_good ? wrong : "the result is no object";
  }

  [[nodiscard]] bool says_expired() const noexcept { return result_.is_expired; }

  hook_result done() && {
    if (what_ == hook_kind::refresh && !result_.expires_at)
      result_.is_expired = true;
    return std::move(result_);
  }

private:
  bool take(const std::string& name, std::string_view raw) {
    if (name == "data" || name == "b64data")
      return take_data(name, raw);
    if (what_ == hook_kind::publish || what_ == hook_kind::rpc)
      return true;
    if (name == "expire_at")
      return read_expiry(raw, result_.expires_at);
    if (name == "info" || name == "b64info")
      return take_info(name, raw);
    if (what_ == hook_kind::connect)
      return take_of_connect(name, raw);
    if (what_ == hook_kind::refresh && name == "meta")
      return take_meta(raw);
    return is_of_stay(what_) && name == "expired" ? take_expired(raw) : true;
  }

  /// Whatever else but `false` stands there may be meant for yes.
  bool take_expired(std::string_view raw) {
    const bool is_read = read_flag(raw, result_.is_expired);
    result_.is_expired = result_.is_expired || !is_read;
    return is_read;
  }

  bool take_of_connect(const std::string& name, std::string_view raw) {
    if (name == "user")
      return read_string(raw, result_.user) && (result_.user.empty() || is_user_name(result_.user));
    if (name == "channels")
      return read_parsed(raw, read_rooms, result_.rooms);
    if (name == "subs")
      return read_parsed(raw, read_subscriptions, result_.rooms);
    if (name == "caps")
      return read_parsed(raw, read_grants, result_.grants);
    return name == "meta" ? take_meta(raw) : true;
  }

  bool take_meta(std::string_view raw) {
    auto meta = short_json(raw);
    if (meta)
      result_.meta = std::move(*meta);
    return meta.has_value();
  }

  /// What is in base64 goes first, as in Centrifugo.
  bool take_info(const std::string& name, std::string_view raw) {
    result_.says_info = true;
    if (name == "b64info")
      return is_text(raw) && read_base64_info(text_of(raw), base64_info_) && take_base64_info();
    auto info = short_json(raw);
    if (info && base64_info_.empty())
      result_.info = *info;
    return info.has_value();
  }

  bool take_base64_info() {
    if (!base64_info_.empty())
      result_.info = base64_info_;
    return true;
  }

  /// What is in base64 goes first, but for publish, as in Centrifugo.
  bool take_data(const std::string& name, std::string_view raw) {
    if (name == "data") {
      if (!has_base64_data_ || what_ == hook_kind::publish)
        result_.data = data_of(frame_type::text, std::string{raw});
      return true;
    }
    auto bytes = is_text(raw) ? decode_base64(text_of(raw)) : std::nullopt;
    if (!bytes)
      return false;
    if (bytes->empty())
      return true; // as if it were not there, as in Centrifugo
    if (what_ == hook_kind::publish && result_.data)
      return true;
    has_base64_data_ = true;
    const auto type = is_utf8(*bytes) ? frame_type::text : frame_type::binary;
    result_.data = data_of(type, std::move(*bytes));
    return true;
  }

  const hook_kind what_;
  hook_result result_{};
  std::string base64_info_;
  bool has_base64_data_ = false;
};

/// Cuts what is longer, between two characters.
void shorten(std::string& text, std::size_t most) {
  if (text.size() <= most)
    return;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0U) == 0x80U)
    --most;
  text.resize(most);
}

/// It is a no, whatever of it can be read.
hook_refusal read_refusal(std::string_view json, bool is_disconnect) {
  hook_refusal refusal{.is_disconnect = is_disconnect};
  const bool is_object = each_member(json, [&](const std::string& name, std::string_view raw) {
    if (name == "code" && !read_number(raw, refusal.code))
      refusal.code = 0;
    else if (name == (is_disconnect ? "reason" : "message"))
      (void)read_string(raw, refusal.text);
    else if (name == "temporary" && !is_disconnect)
      (void)read_flag(raw, refusal.is_temporary);
    return true;
  });
  const bool has_code = refusal.code >= (is_disconnect ? least_disconnect : least_error)
                        && (!is_disconnect || refusal.code <= most_disconnect);
  if (!is_object || !has_code) {
    refusal.wrong = is_disconnect ? "its disconnect has no code from 3000 to 4999: 4500 is taken"
                                  : "its error has no code from 100 on: 103 is taken";
    refusal.code = is_disconnect ? default_disconnect : default_error;
    if (refusal.text.empty())
      refusal.text = is_disconnect ? "disconnected" : "permission denied";
  }
  if (is_disconnect)
    shorten(refusal.text, max_hook_reason_bytes);
  return refusal;
}

/// The three members of an answer, as they stand.
struct answer_parts {
  std::string_view result;
  std::string_view error;
  std::string_view disconnect;
};

bool read_parts(std::string_view body, answer_parts& into) {
  return is_utf8(body) && each_member(body, [&](const std::string& name, std::string_view raw) {
           if (name == "result")
             into.result = raw;
           else if (name == "error")
             into.error = raw;
           else if (name == "disconnect")
             into.disconnect = raw;
           return true;
         });
}

} // namespace

std::variant<hook_result, hook_refusal, bad_hook_answer> parse_hook_answer(hook_kind what,
                                                                           std::string_view body) {
  answer_parts parts;
  if (!read_parts(body, parts))
    return bad_hook_answer{"it is no object in JSON"};
  if (!parts.disconnect.empty() || !parts.error.empty()) {
    const bool is_disconnect = !parts.disconnect.empty();
    return read_refusal(is_disconnect ? parts.disconnect : parts.error, is_disconnect);
  }
  if (parts.result.empty() && is_of_stay(what))
    return hook_result{.is_expired = true};
  if (parts.result.empty())
    return bad_hook_answer{"it has no result"};
  result_reader reader{what};
  if (auto wrong = reader.read(parts.result); !wrong.empty() && !reader.says_expired())
    return wrong;
  return std::move(reader).done();
}

} // namespace canang::net
