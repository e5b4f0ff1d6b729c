#pragma once

#include "cluster/redis/shard.hpp"

#include <boost/asio/ssl/context.hpp>

#include <optional>
#include <string>

namespace canang::cluster {

/// The authorities and the client certificate that the options name.
/// @returns nothing, and in `why` the file and what is wrong with it, when one can't be used.
[[nodiscard]] std::optional<boost::asio::ssl::context>
make_tls_context(const redis_options& options, std::string& why);

/// Asks for `host` by SNI, and takes only its certificate.
[[nodiscard]] bool expect_server(SSL* session, const std::string& host, std::string& why);

/// What was wrong with the server's certificate; empty when it was something else that failed.
[[nodiscard]] std::string why_untrusted(SSL* session);

} // namespace canang::cluster
