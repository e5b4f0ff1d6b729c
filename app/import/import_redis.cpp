#include "app/import/import_options.hpp"
#include "app/import/imported_values.hpp"
#include "app/import/redis_urls.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace canang::app {

namespace {

/// What is wrong with the file of a certificate or a key: it is the thing itself.
bool is_pem_itself(std::string_view text) {
  return text.find("-----BEGIN") != std::string_view::npos || text.starts_with("LS0tLS1"); // base64
}

/// The Redis that a configuration names, of an engine or of a broker.
class redis_import {
public:
  redis_import(imported_keys& keys, toml_writer& out) : keys_(keys), out_(out) {}

  void write() {
    if (!find_base())
      return;
    auto database = read_database();
    uses_tls_ = flag("tls.enabled", "redis_tls");
    urls_ = redis_urls{std::move(database), uses_tls_};
    take_secrets();
    const bool has_urls = read_urls();
    note_secrets();
    if (has_urls)
      out_.list("redis", urls_.all(), from_);
    else
      out_.note(fmt::format("Without Redis this node is alone: name one. ({})", from_));
    write_prefix();
    if (urls_.have_tls())
      write_files();
    write_timeout("redis-connect-timeout", "connect_timeout", "redis_connect_timeout");
    write_timeout("redis-command-timeout", "io_timeout", "redis_io_timeout");
  }

private:
  const imported_key* take(std::string_view name, std::string_view v5) {
    const auto v6 = base_.empty() ? std::string{} : base_ + std::string{name};
    return keys_.take({v6, base_.empty() ? v5 : std::string_view{}});
  }

  void add_from(const imported_key* key) {
    if (key != nullptr)
      from_.append(from_.empty() ? "" : ", ").append(key->path);
  }

  bool flag(std::string_view name, std::string_view v5) {
    const auto* const key = take(name, v5);
    add_from(key);
    return key != nullptr && flag_of(*key).value_or(true);
  }

  /// Where the keys of Redis are, or that there is none in use.
  bool find_base() {
    const auto* const engine = keys_.take({"engine.type", "engine"});
    const auto* const enabled = keys_.take({"broker.enabled"});
    const auto* const broker = keys_.take({"broker.type", "broker"});
    const bool is_v5 = (engine != nullptr && engine->name == "engine")
                       || (broker != nullptr && broker->name == "broker");
    const bool is_broker = broker != nullptr && !broker->text.empty()
                           && (is_v5 || (enabled != nullptr && flag_of(*enabled).value_or(false)));
    const auto* const chosen = is_broker ? broker : engine;
    for (const auto* const key : {engine, enabled, broker})
      add_from(key);
    if (chosen == nullptr || chosen->text != "redis") {
      if (chosen != nullptr && chosen->text != "memory")
        out_.note(fmt::format("{}: Canang has memory and Redis alone. This node stands alone.",
                              chosen->path));
      else if (!from_.empty())
        out_.note(fmt::format("This node stands alone, in memory: {}.", from_));
      return false;
    }
    if (!is_v5)
      base_ = is_broker ? "broker.redis." : "engine.redis.";
    return true;
  }

  std::string read_database() {
    const auto* const key = take("db", "redis_db");
    add_from(key);
    const auto number = key != nullptr ? number_of(*key) : 0;
    if (number && *number >= 0)
      return std::to_string(*number);
    out_.note(fmt::format("{} is not a number: database 0.", key->path));
    return "0";
  }

  void take_secrets() {
    for (const auto& [v6, v5] : {std::pair{"user", "redis_user"},
                                 {"password", "redis_password"},
                                 {"sentinel_user", "redis_sentinel_user"},
                                 {"sentinel_password", "redis_sentinel_password"}})
      add_secret(take(v6, v5));
  }

  void add_secret(const imported_key* key) {
    const bool is_new =
      key != nullptr && std::find(secrets_.begin(), secrets_.end(), key->path) == secrets_.end();
    if (is_new)
      secrets_.push_back(key->path);
  }

  void note_secrets() {
    if (!secrets_.empty())
      out_.note(fmt::format("{}: who logs in to Redis is secret, and not shown. Give whole URLs in "
                            "CANANG_REDIS, as redis://USER:PASSWORD@HOST:PORT, percent-encoded.",
                            fmt::join(secrets_, ", ")));
  }

  bool read_urls() {
    if (const auto* const key = filled("cluster_address", "redis_cluster_address")) {
      add_from(key);
      out_.note(fmt::format("{}: Redis in cluster mode is not supported.", key->path));
      return false;
    }
    const auto* const master = take("sentinel_master_name", "redis_sentinel_master_name");
    const auto* const sentinels = filled("sentinel_address", "redis_sentinel_address");
    add_from(sentinels);
    add_from(master);
    return sentinels != nullptr ? read_sentinels(*sentinels, master) : read_servers();
  }

  /// A list that has something.
  const imported_key* filled(std::string_view name, std::string_view v5) {
    const auto* const key = take(name, v5);
    if (key != nullptr && key->items.empty() && key->text.empty()) {
      add_from(key);
      return nullptr;
    }
    return key;
  }

  bool read_sentinels(const imported_key& key, const imported_key* master) {
    const auto shards = list_of(key, " ");
    const bool sentinel_tls = flag("sentinel_tls.enabled", "redis_sentinel_tls");
    const bool is_plain = !uses_tls_ && !sentinel_tls;
    if (!shards || shards->size() != 1 || master == nullptr || !is_plain)
      out_.note(fmt::format("{}: Canang takes one list of Sentinels, with a name and without TLS.",
                            key.path));
    else
      note(key, urls_.add_sentinels(shards->front(), master->text));
    return !urls_.all().empty();
  }

  bool read_servers() {
    const auto* const key = take("address", "redis_address");
    add_from(key);
    if (key == nullptr)
      return urls_.add_server("127.0.0.1:6379").empty(); // the default there
    const auto addresses = list_of(*key, ", ");
    for (const auto& address : addresses.value_or(std::vector<std::string>{}))
      note(*key, urls_.add_server(address));
    if (urls_.had_secrets())
      add_secret(key);
    if (urls_.all().empty())
      out_.note(fmt::format("{} has no address for Canang.", key->path));
    return !urls_.all().empty();
  }

  void note(const imported_key& key, std::string_view fault) {
    if (!fault.empty())
      out_.note(fmt::format("{}: {}.", key.path, fault));
  }

  void write_prefix() {
    const auto* const key = take("prefix", "redis_prefix");
    if (key == nullptr || key->text.empty())
      return;
    const auto text = text_of(*key);
    if (text && is_writable(*text))
      out_.line("redis-prefix", toml_text(*text), key->path);
    else
      out_.note(fmt::format("{} is not a name: not translated.", key->path));
  }

  std::optional<std::string> file(std::string_view v6, std::string_view v5) {
    const auto* const key = take(v6, v5);
    if (key == nullptr || key->text.empty())
      return std::nullopt;
    auto text = text_of(*key);
    if (text && is_writable(*text) && !is_pem_itself(*text)) {
      file_from_ = key->path;
      return text;
    }
    out_.note(fmt::format("{} is not the name of a file: write what it says into one, and name it "
                          "here.",
                          key->path));
    return std::nullopt;
  }

  void write_files() {
    if (const auto ca = file("tls.server_ca_pem", "redis_tls_root_ca"))
      out_.line("redis-ca", toml_text(*ca), file_from_);
    const auto cert = file("tls.cert_pem", "redis_tls_cert");
    const auto cert_from = file_from_;
    const auto key = file("tls.key_pem", "redis_tls_key");
    if (!cert || !key) {
      if (cert || key)
        out_.note(fmt::format("A certificate needs a key, and both a file: {}.", file_from_));
      return;
    }
    out_.line("redis-cert", toml_text(*cert), cert_from);
    out_.line("redis-key", toml_text(*key), file_from_);
  }

  void write_timeout(std::string_view option, std::string_view v6, std::string_view v5) {
    static constexpr std::chrono::milliseconds least{50};
    const auto* const key = take(v6, v5);
    if (key == nullptr)
      return;
    const auto timeout = duration_of(*key);
    if (!timeout || *timeout < least)
      out_.note(fmt::format("{} is not a duration of 50 ms or more: {} has its default.", key->path,
                            option));
    else
      out_.line(option, toml_text(to_text(*timeout)), key->path);
  }

  imported_keys& keys_;
  toml_writer& out_;
  std::string base_; // of the keys in version 6; empty in version 5
  std::string from_; // the keys
  std::string file_from_;
  bool uses_tls_ = false;            // all of them
  std::vector<std::string> secrets_; // the keys
  redis_urls urls_{"0", false};
};

} // namespace

void write_redis_options(imported_keys& keys, toml_writer& out) { redis_import{keys, out}.write(); }

} // namespace canang::app
