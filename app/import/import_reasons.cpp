#include "app/import/import_reasons.hpp"

#include <algorithm>
#include <array>

namespace canang::app {

namespace {

/// Keys that are this or begin with it before one of `.`, `_` and `[`, and what there is to say. The longest counts.
struct reason {
  std::string_view begin;
  std::string_view why;
};

constexpr std::string_view same_keys =
  "one set of keys and rules is for all tokens; none of these keys is shown";
constexpr std::string_view no_such_check = "there is no such setting of tokens: see docs/tokens.md";
constexpr std::string_view always_signed = "signatures are always checked";
constexpr std::string_view any_audience =
  "audiences are compared, not matched: without token-audience tokens for others count, too";
constexpr std::string_view any_issuer =
  "issuers are compared, not matched: without token-issuer tokens of others count, too";
constexpr std::string_view user_in_sub = "the user is in the claim sub";
constexpr std::string_view nameless_tokens =
  "who has a token without a user comes in, without a name";
constexpr std::string_view no_proxy =
  "name the addresses in --hook-connect and so on: see docs/hooks.md";
constexpr std::string_view no_grpc = "there is no gRPC";
constexpr std::string_view no_transport = "no such transport";
constexpr std::string_view always_fallbacks =
  "the fallback transports are always there: see docs/centrifugo.md";
constexpr std::string_view one_compression =
  "messages are compressed once for all members of a room, at one level";
constexpr std::string_view no_buffers = "Canang has no such buffers";
constexpr std::string_view no_tls =
  "certificates are files, for --tls-cert and --tls-key: see docs/tls.md";
constexpr std::string_view own_paths = "the path is Canang's own: see docs/protocol.md";
constexpr std::string_view no_admin = "there is no web interface for administrators";
constexpr std::string_view always_metrics = "/metrics is always on the internal port";
constexpr std::string_view always_health = "/healthz and /readyz are always on the internal port";
constexpr std::string_view other_broker = "Canang has memory and Redis alone";
constexpr std::string_view one_redis = "presence is in the Redis of the rooms";
constexpr std::string_view other_redis =
  "no setting of Canang's links to Redis, or of a Redis that is not in use";
constexpr std::string_view api_inside = "the server API is on the internal port, with its keys";
constexpr std::string_view no_rpc = "remote calls are for --hook-rpc: see docs/hooks.md";
constexpr std::string_view no_consumers = "Canang reads no queues: publish by the server API";
constexpr std::string_view no_traces = "traces go to --otlp-endpoint: see docs/tracing.md";
constexpr std::string_view no_maps = "there are no such rooms";
constexpr std::string_view always_positioned =
  "whoever asks for a position is told one, in every room";
constexpr std::string_view any_deltas =
  "where deltas are allowed they are of everything that is published";
constexpr std::string_view no_filters = "all members of a room get all of it";
constexpr std::string_view no_names = "a room's name says nothing but its namespace";
constexpr std::string_view no_single =
  "personal-room puts all connections of a user in its room, and closes none";
constexpr std::string_view own_presence = "Canang has its own lifetime of presence";
constexpr std::string_view own_positions =
  "nodes prove their links to Redis: --redis-probe-interval";
constexpr std::string_view own_history = "a history ends with history-ttl, and has no more parts";
constexpr std::string_view no_check = "what a client may do is in the tables alone";
constexpr std::string_view no_user_limit =
  "there is no limit for a user: see --max-connections-per-ip";
constexpr std::string_view no_expiry =
  "the delay is fixed: what has expired has 25 s to be refreshed, see docs/tokens.md";
constexpr std::string_view any_data = "what is in a publication is not looked at";

constexpr std::array reasons{
  reason{"admin", no_admin},
  reason{"api_disable", api_inside},
  reason{"api_error_mode", api_inside},
  reason{"api_external", api_inside},
  reason{"api_handler_prefix", api_inside},
  reason{"api_insecure", api_inside},
  reason{"allow_positioning", always_positioned},
  reason{"allow_tags_filter", no_filters},
  reason{"broker", other_broker},
  reason{"broker.redis", other_redis},
  reason{"channel.history_meta_ttl", own_history},
  reason{"channel.max_length", "a room's name has up to 255 bytes"},
  reason{"channel.proxy", no_proxy},
  reason{"channel.publication_data_format", any_data},
  reason{"channel_max_length", "a room's name has up to 255 bytes"},
  reason{"channel_regex", no_names},
  reason{"client.channel_position_check_delay", own_positions},
  reason{"client.channel_position_max_time_lag", own_positions},
  reason{"client.concurrency", "a client's messages are taken in order"},
  reason{"client.disallow_anonymous_connection_tokens", nameless_tokens},
  reason{"client.expired_close_delay", no_expiry},
  reason{"client.expired_sub_close_delay", no_expiry},
  reason{"client.history_max_publication_limit", own_history},
  reason{"client.insecure", no_check},
  reason{"client.insecure_skip_token_signature_verify", always_signed},
  reason{"client.presence_update_interval", own_presence},
  reason{"client.proxy", no_proxy},
  reason{"client.recovery_max_publication_limit", own_history},
  reason{"client.stale_close_delay", "see --handshake-timeout"},
  reason{"client.subscribe_to_user_personal_channel", no_single},
  reason{"client.subscription_token", same_keys},
  reason{"client.token", no_such_check},
  reason{"client.token.audience_regex", any_audience},
  reason{"client.token.hmac_previous_secret_key_valid_until",
         "take its line away then, and reload"},
  reason{"client.token.issuer_regex", any_issuer},
  reason{"client.token.user_id_claim", user_in_sub},
  reason{"client.user_connection_limit", no_user_limit},
  reason{"client.user_id_http_header", "a header says nothing about a user"},
  reason{"client_channel_position_check_delay", own_positions},
  reason{"client_channel_position_max_time_lag", own_positions},
  reason{"client_concurrency", "a client's messages are taken in order"},
  reason{"client_expired_close_delay", no_expiry},
  reason{"client_expired_sub_close_delay", no_expiry},
  reason{"client_history_max_publication_limit", own_history},
  reason{"client_insecure", no_check},
  reason{"client_insecure_skip_token_signature_verify", always_signed},
  reason{"client_presence_update_interval", own_presence},
  reason{"client_recovery_max_publication_limit", own_history},
  reason{"client_stale_close_delay", "see --handshake-timeout"},
  reason{"client_user_connection_limit", no_user_limit},
  reason{"client_user_id_http_header", "a header says nothing about a user"},
  reason{"connect_proxy_name", no_proxy},
  reason{"consumers", no_consumers},
  reason{"controller", other_broker},
  reason{"debug", "there are no profiles to ask for"},
  reason{"delta_publish", any_deltas},
  reason{"disallow_anonymous_connection_tokens", nameless_tokens},
  reason{"emulation", always_fallbacks},
  reason{"enable_unreleased_features", "there are none"},
  reason{"engine.redis", other_redis},
  reason{"global_history_meta_ttl", own_history},
  reason{"global_presence_ttl", own_presence},
  reason{"global_redis_presence_user_mapping", own_presence},
  reason{"granular_proxy_mode", no_proxy},
  reason{"graphite", "metrics are for Prometheus"},
  reason{"grpc_api", no_grpc},
  reason{"health", always_health},
  reason{"history_meta_ttl", own_history},
  reason{"http3", no_transport},
  reason{"http_api", api_inside},
  reason{"http_server", no_tls},
  reason{"http_stream", always_fallbacks},
  reason{"init", no_transport},
  reason{"log.file", "the log goes to standard error"},
  reason{"log_file", "the log goes to standard error"},
  reason{"map", no_maps},
  reason{"map_broker", no_maps},
  reason{"map_clients_presence_channel_prefix", no_maps},
  reason{"map_users_presence_channel_prefix", no_maps},
  reason{"nats", other_broker},
  reason{"node", always_metrics},
  reason{"opentelemetry", no_traces},
  reason{"pid_file", "the service's manager knows the process"},
  reason{"presence_manager", one_redis},
  reason{"prometheus", always_metrics},
  reason{"proxies", no_proxy},
  reason{"proxy", no_proxy},
  reason{"publication_data_format", any_data},
  reason{"publish_proxy_name", no_proxy},
  reason{"redis", other_redis},
  reason{"refresh_proxy_name", no_proxy},
  reason{"rpc", no_rpc},
  reason{"separate_subscription_token_config", same_keys},
  reason{"shared_poll", no_maps},
  reason{"shutdown_termination_delay", "the process ends when its connections have"},
  reason{"sockjs", no_transport},
  reason{"sse", always_fallbacks},
  reason{"sub_refresh_proxy_enabled", no_proxy},
  reason{"sub_refresh_proxy_name", no_proxy},
  reason{"subscribe_proxy_name", no_proxy},
  reason{"subscribe_stream_proxy_name", no_proxy},
  reason{"subscription_token", same_keys},
  reason{"subscription_type", no_maps},
  reason{"swagger", "the server API is described in docs/server-api.md"},
  reason{"tarantool", other_broker},
  reason{"tls", no_tls},
  reason{"token", no_such_check},
  reason{"token_audience_regex", any_audience},
  reason{"token_issuer_regex", any_issuer},
  reason{"token_user_id_claim", user_in_sub},
  reason{"uni_grpc", no_grpc},
  reason{"uni_http_stream", no_transport},
  reason{"uni_sse", "event streams are always there, at /sse: see docs/protocol.md"},
  reason{"uni_websocket", "WebSocket is always there: see docs/protocol.md"},
  reason{"usage_stats", "Canang reports to nobody"},
  reason{"user_personal_channel_namespace", no_single},
  reason{"user_personal_single_connection", no_single},
  reason{"user_subscribe_to_personal", no_single},
  reason{"websocket", no_buffers},
  reason{"websocket.compression", one_compression},
  reason{"websocket.disabled", "WebSocket is always there: see docs/protocol.md"},
  reason{"websocket.handler_prefix", own_paths},
  reason{"websocket_compression", one_compression},
  reason{"websocket_disable", "WebSocket is always there: see docs/protocol.md"},
  reason{"websocket_handler_prefix", own_paths},
  reason{"webtransport", no_transport},
};

bool begins_with(std::string_view name, std::string_view begin) {
  if (!name.starts_with(begin))
    return false;
  return name.size() == begin.size()
         || std::string_view{"._["}.find(name[begin.size()]) != std::string_view::npos;
}

constexpr std::string_view without_namespace = "channel.without_namespace.";

} // namespace

std::string_view why_not_translated(std::string_view name) noexcept {
  if (name.starts_with(without_namespace))
    name.remove_prefix(without_namespace.size());
  const reason* best = nullptr;
  for (const auto& one : reasons)
    if (begins_with(name, one.begin) && (best == nullptr || one.begin.size() > best->begin.size()))
      best = &one;
  return best != nullptr ? best->why : "Canang has no such setting";
}

} // namespace canang::app
