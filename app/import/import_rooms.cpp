#include "app/import/import_rooms.hpp"

#include "app/import/imported_values.hpp"
#include "app/room_tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string>

namespace canang::app {

namespace {

/// The names of a permission: of version 6 and 5 alike.
struct permission {
  std::string_view setting;
  std::string_view anonymous;
  std::string_view subscriber;
  std::string_view client;
};

constexpr permission subscribing{"allow-subscribe", "allow_subscribe_for_anonymous", "",
                                 "allow_subscribe_for_client"};
constexpr permission publishing{"allow-publish", "allow_publish_for_anonymous",
                                "allow_publish_for_subscriber", "allow_publish_for_client"};
constexpr std::array<permission, 2> asking{
  {{"allow-presence", "allow_presence_for_anonymous", "allow_presence_for_subscriber",
    "allow_presence_for_client"},
   {"allow-history", "allow_history_for_anonymous", "allow_history_for_subscriber",
    "allow_history_for_client"}}};

class room_import {
public:
  room_import(imported_keys& keys, std::string_view v6, bool anonymous, toml_writer& out)
    : keys_(keys), v6_(v6), anonymous_(anonymous), out_(out) {}

  void write() {
    write_history();
    from_.clear();
    const bool presence = flag("presence", false);
    out_.line("presence", presence ? "true" : "false", from_);
    write_join_leave();
    write_recovery();
    write_delta();
    write_user_rooms();
    write_subscribe();
    write_publish();
    for (const auto& one : asking) {
      from_.clear();
      write_who(one, by_flags(one));
    }
  }

private:
  const imported_key* take(std::string_view name) {
    if (name.empty())
      return nullptr;
    const auto* const key = keys_.take({std::string{v6_}.append(name), name});
    if (key != nullptr)
      from_.append(from_.empty() ? "" : ", ").append(name);
    return key;
  }

  /// What is neither true nor false is what lets clients do less.
  bool flag(std::string_view name, bool strict) {
    const auto* const key = take(name);
    if (key == nullptr)
      return false;
    const auto value = flag_of(*key);
    if (!value)
      out_.note(fmt::format("{} is neither true nor false: taken as {}.", key->path, strict));
    return value.value_or(strict);
  }

  void write_history() {
    const auto* const size = take("history_size");
    const auto* const ttl = take("history_ttl");
    const auto number = size != nullptr ? number_of(*size) : 0;
    const auto duration = ttl != nullptr ? duration_of(*ttl) : std::chrono::milliseconds{0};
    if (!number || !duration || *number < 0)
      out_.note(fmt::format("{}: not a number of messages with a duration.", from_));
    const bool is_kept = number.value_or(0) > 0 && duration && *duration >= least_history_ttl;
    auto kept = is_kept ? static_cast<std::uint64_t>(*number) : 0;
    if (kept == 0 && number.value_or(0) > 0)
      out_.note("A history needs a size and a time: there is none.");
    if (kept > max_history_size)
      out_.note("This is the longest history that Canang takes.");
    kept = std::min(kept, max_history_size);
    out_.line("history-size", std::to_string(kept), from_);
    if (kept > 0)
      out_.line("history-ttl", toml_text(to_text(*duration)), "history_ttl");
  }

  void write_join_leave() {
    from_.clear();
    const bool join_leave = flag("join_leave", false);
    const bool is_pushed = flag("force_push_join_leave", false);
    if (join_leave && !is_pushed)
      out_.note("Every member of a room gets these, not only those that ask.");
    out_.line("join-leave", join_leave ? "true" : "false", from_);
  }

  /// There a client that may recover needs no permission to see the history.
  void write_recovery() {
    from_.clear();
    write_flag("force-positioning", flag("force_positioning", false));
    from_.clear();
    const bool is_forced = flag("force_recovery", false);
    const bool is_allowed = flag("allow_recovery", false);
    if (is_allowed && !is_forced)
      out_.note("Every subscription can recover, not only those that ask.");
    write_flag("force-recovery", is_forced || is_allowed);
    from_.clear();
    const bool keeps_newest = text_is("force_recovery_mode", "cache", "stream");
    out_.line("recovery-mode", toml_text(keeps_newest ? "cache" : "stream"), from_);
    from_.clear();
    const bool is_offered = flag("auto_cache_recover", false);
    if (is_offered && !(is_forced && keeps_newest))
      out_.note("This needs force_recovery, and force_recovery_mode cache.");
    write_flag("auto-recovery", is_offered && is_forced && keeps_newest);
  }

  void write_delta() {
    from_.clear();
    bool is_fossil = false;
    if (const auto* const key = take("allowed_delta_types")) {
      const auto types = list_of(*key, " ,");
      is_fossil = types && std::find(types->begin(), types->end(), "fossil") != types->end();
      if (!types)
        out_.note(fmt::format("{} is not a list: taken as none.", key->path));
    }
    out_.line("delta", toml_text(is_fossil ? "fossil" : "none"), from_);
  }

  /// Whether a text is `wanted`; it is noted where it is neither that nor `otherwise`.
  bool text_is(std::string_view name, std::string_view wanted, std::string_view otherwise) {
    const auto* const key = take(name);
    if (key == nullptr)
      return false;
    const auto text = text_of(*key);
    if (text == wanted)
      return true;
    if (text != otherwise && text != "")
      out_.note(fmt::format("{} is neither {} nor {}: taken as {}.", key->path, wanted, otherwise,
                            otherwise));
    return false;
  }

  void write_flag(std::string_view setting, bool value) {
    out_.line(setting, value ? "true" : "false", from_);
  }

  /// Where it is not told who may subscribe to rooms of users, a token has to say so.
  void write_user_rooms() {
    from_.clear();
    const auto* const key = take("allow_user_limited_channels");
    const auto value = key != nullptr ? flag_of(*key) : false;
    are_user_rooms_told_ = value.has_value();
    if (!value)
      out_.note(fmt::format("{} is neither true nor false: only a token lets clients subscribe.",
                            key->path));
    write_flag("user-rooms", value.value_or(false));
  }

  void write_subscribe() {
    from_.clear();
    const bool by_proxy = is_set({"subscribe_proxy_enabled", "subscribe_stream_proxy_enabled",
                                  "proxy_subscribe", "proxy_subscribe_stream"});
    auto who = by_flags(subscribing);
    if (by_proxy)
      out_.note(
        "A service was asked who may subscribe: name it in hook-subscribe. Until then: token.");
    if (by_proxy || !are_user_rooms_told_ || who == "nobody") // a token lets in there, too
      who = "token";
    subscribe_ = who;
    write_who(subscribing, who);
  }

  void write_publish() {
    from_.clear();
    const bool by_proxy =
      is_set({"publish_proxy_enabled", "proxy_publish", "subscribe_stream_proxy_bidirectional",
              "proxy_subscribe_stream_bidirectional"});
    auto who = by_flags(publishing);
    if (by_proxy) {
      out_.note("A service was asked who may publish: name it in hook-publish, and let members "
                "publish here. Until then: nobody.");
      who = "nobody";
    }
    write_who(publishing, who);
  }

  bool is_set(std::initializer_list<std::string_view> names) {
    bool is_any = false;
    for (const auto name : names)
      is_any = flag(name, true) || is_any; // each is told
    return is_any;
  }

  std::string_view by_flags(const permission& what) {
    const bool says_anonymous = flag(what.anonymous, false);
    const bool subscriber = flag(what.subscriber, false);
    const bool client = flag(what.client, false);
    const bool anonymous = says_anonymous && anonymous_;
    if (says_anonymous && !anonymous_ && (client || subscriber))
      out_.note(fmt::format("Clients without a user could not connect there: {} is not for anyone.",
                            what.setting));
    if (client)
      return anonymous ? "anyone" : "users";
    if (!subscriber)
      return "nobody";
    if (anonymous || subscribe_ != "anyone")
      return "members";
    out_.note(fmt::format("{}: of the members those that are users; who is a user can be a member.",
                          what.setting));
    return "users";
  }

  void write_who(const permission& what, std::string_view who) {
    out_.line(what.setting, toml_text(who), from_);
  }

  imported_keys& keys_;
  std::string_view v6_;
  bool anonymous_;
  toml_writer& out_;
  std::string from_; // the keys of the line to come
  std::string_view subscribe_ = "token";
  bool are_user_rooms_told_ = true;
};

} // namespace

void write_room_settings(imported_keys& keys, std::string_view v6, bool anonymous,
                         toml_writer& out) {
  room_import{keys, v6, anonymous, out}.write();
}

} // namespace canang::app
