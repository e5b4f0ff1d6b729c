#include "net/json_cursor.hpp"
#include "net/protocol/centrifugo/request_fields.hpp"
#include "net/utf8.hpp"

#include <cassert>
#include <charconv>
#include <memory>

// Commands in JSON, one a line (decode.go of the protocol). All of a line is checked, so `data` can be handed on. Of
// fields of one name the last counts, and `null` is as if it were not there, as for the protocol's own server; `null`
// as `data` is data.

namespace canang::net::centrifugo {

namespace {

/// Scratch that is kept from message to message.
constexpr std::size_t max_kept_bytes = 256 * 1024;

/// What the strings of one command say that had escapes.
class unescaped_texts {
public:
  /// @param most bytes that all of them have together.
  void begin(std::size_t most) noexcept {
    most_ = most;
    used_ = 0;
  }

  /// @param raw JSON with its quotes.
  std::string_view add(std::string_view raw) {
    if (used_ == 0)
      make_room();
    auto* const begin = bytes_.get() + used_;
    const auto size = static_cast<std::size_t>(unescape_json(raw, begin) - begin);
    used_ += size;
    assert(used_ <= most_);
    return {begin, size};
  }

  void give_back_what_is_large() noexcept {
    if (capacity_ <= max_kept_bytes)
      return;
    bytes_.reset();
    capacity_ = 0;
  }

private:
  /// For all of the command at once: what was given out must not move.
  void make_room() {
    if (capacity_ >= most_)
      return;
    bytes_.reset();
    capacity_ = 0;
    bytes_ = std::make_unique_for_overwrite<char[]>(most_);
    capacity_ = most_;
  }

  std::unique_ptr<char[]> bytes_;
  std::size_t capacity_ = 0;
  std::size_t most_ = 0;
  std::size_t used_ = 0;
};

/// Reads one line. Lives as long as that takes.
class command_reader {
public:
  command_reader(std::string_view line, unescaped_texts& texts, request& into)
    : json_(line, max_json_depth), texts_(texts), into_(into) {}

  bool read() {
    read_fields([this](std::string_view name) { read_command_field(name); });
    into_.what = settled(into_);
    return json_.is_done();
  }

  // One for each kind of field.
  void operator()(text_field to) { read_text(into_.*to); }
  void operator()(flag_field to) { read_flag(into_.*to); }
  void operator()(offset_field to) { read_number(into_.*to); }
  void operator()(number_field to) { read_number(into_.*to); }
  void operator()(data_field) { into_.data = json_.value(); }
  void operator()(subs_field) {
    if (json_.skip_null())
      return;
    into_.subs.clear();
    read_fields([this](std::string_view channel) {
      if (into_.subs.size() < max_server_subs)
        read_sub(into_.subs.emplace_back(server_sub{.channel = channel}));
      else
        json_.value();
    });
  }
  void operator()(since_field) {
    if (json_.skip_null())
      return;
    auto& since = into_.since.emplace();
    read_fields([&](std::string_view name) {
      if (name == "offset")
        read_number(since.offset);
      else if (name == "epoch")
        read_text(since.epoch);
      else
        json_.value();
    });
  }

private:
  /// Reads an object. `read_field` is given a name and passes the value.
  template <class ReadField>
  void read_fields(const ReadField& read_field) {
    json_.enter_object();
    std::string_view raw_name;
    while (json_.next_field(raw_name))
      read_field(text_of(raw_name));
  }

  void read_command_field(std::string_view name) {
    const auto* const found =
      std::find_if(method_fields.begin(), method_fields.end(),
                   [&](const method_field& one) { return one.name == name; });
    if (found != method_fields.end())
      read_method(found->what);
    else if (name == "id")
      read_number(into_.id);
    else
      json_.value();
  }

  void read_method(method what) {
    if (json_.skip_null())
      return;
    if (!counts_before(what, into_.what)) {
      pass_object();
      return;
    }
    into_ = request{.id = into_.id, .what = what};
    read_fields([this](std::string_view name) { read_request_field(name); });
  }

  void pass_object() {
    if (json_.peek() == '{')
      json_.value();
    else
      json_.fail();
  }

  void read_request_field(std::string_view name) {
    const auto* const found =
      std::find_if(request_fields.begin(), request_fields.end(), [&](const request_field& one) {
        return one.of == into_.what && one.name == name;
      });
    if (found != request_fields.end())
      std::visit(*this, found->kind);
    else
      json_.value();
  }

  void read_sub(server_sub& to) {
    if (json_.skip_null())
      return;
    read_fields([&](std::string_view name) {
      if (name == "recover")
        read_flag(to.recover);
      else if (name == "epoch")
        read_text(to.at.epoch);
      else if (name == "offset")
        read_number(to.at.offset);
      else
        json_.value();
    });
  }

  void read_text(std::string_view& to) {
    if (json_.skip_null())
      return;
    const auto is_text = json_.peek() == '"';
    const auto raw = json_.value();
    if (is_text && !raw.empty())
      to = text_of(raw);
    else
      json_.fail();
  }

  void read_flag(bool& to) {
    if (json_.skip_null())
      return;
    const auto raw = json_.value();
    if (raw == "true" || raw == "false")
      to = raw == "true";
    else
      json_.fail();
  }

  /// Only digits: neither a fraction nor an exponent, whatever they come to.
  template <class Number>
  void read_number(Number& to) {
    if (json_.skip_null())
      return;
    const auto raw = json_.value();
    const auto* const end = raw.data() + raw.size();
    const auto [stopped_at, error] = std::from_chars(raw.data(), end, to);
    if (error != std::errc{} || stopped_at != end)
      json_.fail();
  }

  std::string_view text_of(std::string_view raw) {
    const auto inside = raw.substr(1, raw.size() - 2);
    return inside.find('\\') == std::string_view::npos ? inside : texts_.add(raw);
  }

  json_cursor json_;
  unescaped_texts& texts_;
  request& into_;
};

class json_reader final : public request_reader {
public:
  void begin(std::string_view message) override {
    // Lines without a command at the end are none; npos + 1 is 0.
    rest_ = message.substr(0, message.find_last_not_of(" \t\r\n") + 1);
    commands_ = 0;
    is_bad_ = false;
    texts_.give_back_what_is_large();
  }

  read_result next(request& into) override {
    if (is_bad_)
      return read_result::bad;
    if (rest_.empty()) {
      texts_.give_back_what_is_large();
      return read_result::end;
    }
    into = {};
    if (++commands_ <= max_commands_in_message && read(take_line(), into))
      return read_result::command;
    is_bad_ = true;
    texts_.give_back_what_is_large();
    return read_result::bad;
  }

  std::string_view rest() const noexcept override { return rest_; }

private:
  std::string_view take_line() noexcept {
    const auto line = rest_.substr(0, rest_.find('\n'));
    rest_.remove_prefix(std::min(line.size() + 1, rest_.size()));
    return line;
  }

  bool read(std::string_view line, request& into) {
    if (line.find_first_not_of(" \t\r") == std::string_view::npos)
      return true; // as if it were {}
    texts_.begin(line.size());
    return is_utf8(line) && command_reader{line, texts_, into}.read();
  }

  std::string_view rest_;
  std::size_t commands_ = 0;
  bool is_bad_ = false;
  unescaped_texts texts_;
};

} // namespace

request_reader& json_requests() {
  static thread_local json_reader reader;
  return reader;
}

} // namespace canang::net::centrifugo
