#pragma once

#include "net/tls/tls_source.hpp"
#include "tests/unit/support/loopback.hpp"
#include "tests/unit/support/test_authority.hpp"
#include "tests/unit/support/tls_layer.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace canang::test {

using context_ptr = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

inline context_ptr client_context(int most = TLS1_3_VERSION) {
  context_ptr context{SSL_CTX_new(TLS_client_method()), &SSL_CTX_free};
  SSL_CTX_set_max_proto_version(context.get(), most);
  return context;
}

/// A certificate, and the source that has it.
struct tls_server_side {
  test_authority authority;
  std::string file = authority.certify("server", "DNS:localhost");
  net::tls_source source{{.certificate = file}};

  tls_server_side() { EXPECT_EQ(source.load(), ""); }
};

/// A client that speaks TLS on a socket of this machine. Nothing of it blocks.
class tls_client {
public:
  tls_client(raw_client&& raw, SSL_CTX* context) : raw_(std::move(raw)), side_(context, false) {}

  /// Goes on with whatever there is to do. @returns what has come in clear so far.
  const std::string& pump() {
    raw_.receive();
    side_.feed(std::exchange(raw_.got, {}));
    if (!side_.is_ready())
      side_.step();
    char some[4096];
    while (const auto size = side_.read(some))
      clear_.append(some, size);
    push();
    return clear_;
  }

  bool has(std::string_view text) { return pump().find(text) != std::string::npos; }
  bool is_ready() {
    pump();
    return side_.is_ready();
  }
  bool is_over() {
    pump();
    return raw_.is_over;
  }

  void send(std::string_view clear) {
    side_.write(clear);
    push();
  }

  void forget() { clear_.clear(); }
  SSL* native() { return side_.native(); }
  tls_side& side() { return side_; }
  raw_client& raw() { return raw_; }

private:
  void push() {
    const std::string records{side_.records()};
    side_.sent(records.size());
    raw_.send(records);
  }

  raw_client raw_;
  tls_side side_;
  std::string clear_;
};

} // namespace canang::test
