#pragma once

#include "net/send_lanes.hpp"
#include "net/socket/byte_layer.hpp"
#include "tests/unit/support/test_authority.hpp"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <array>
#include <cerrno>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace canang::test {

/// One side of a TLS connection on memory BIOs: bytes go in and come out, nothing is read or written.
class tls_side {
public:
  tls_side(SSL_CTX* context, bool is_server) : ssl_(SSL_new(context), &SSL_free) {
    SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    if (is_server)
      SSL_set_accept_state(ssl_.get());
    else
      SSL_set_connect_state(ssl_.get());
  }

  void feed(std::span<const char> records) {
    if (!records.empty())
      BIO_write(SSL_get_rbio(ssl_.get()), records.data(), static_cast<int>(records.size()));
  }

  std::size_t read(std::span<char> into) {
    std::size_t size = 0;
    return SSL_read_ex(ssl_.get(), into.data(), into.size(), &size) == 1 ? size : 0;
  }

  std::size_t write(std::string_view clear) {
    std::size_t size = 0;
    return SSL_write_ex(ssl_.get(), clear.data(), clear.size(), &size) == 1 ? size : 0;
  }

  /// Records that are to be sent.
  std::string_view records() {
    char* data = nullptr;
    const auto size = BIO_get_mem_data(SSL_get_wbio(ssl_.get()), &data);
    return {data, static_cast<std::size_t>(size)};
  }

  void sent(std::size_t size) {
    std::string scrap(size, '\0');
    BIO_read(SSL_get_wbio(ssl_.get()), scrap.data(), static_cast<int>(size));
  }

  void step() { SSL_do_handshake(ssl_.get()); }
  [[nodiscard]] bool is_ready() const { return SSL_is_init_finished(ssl_.get()) == 1; }
  [[nodiscard]] SSL* native() { return ssl_.get(); }

  [[nodiscard]] bool holds_input() const {
    return SSL_pending(ssl_.get()) > 0 || BIO_ctrl_pending(SSL_get_rbio(ssl_.get())) > 0;
  }

private:
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
};

/// TLS between a session and its socket, after the handshake.
class tls_layer final : public net::byte_layer {
public:
  explicit tls_layer(tls_side side) : side_(std::move(side)) {}

  net::read_result read(int descriptor, std::span<char> into) override {
    for (;;) {
      if (const auto size = side_.read(into); size > 0)
        return {.size = static_cast<std::ptrdiff_t>(size),
                .is_drained = is_drained_ && !side_.holds_input(),
                .cost = size};
      const auto got = net::read_now(descriptor, into); // records, where the clear text goes next
      is_drained_ = got.is_drained;
      if (got.size <= 0)
        return got;
      side_.feed(into.first(static_cast<std::size_t>(got.size)));
    }
  }

  std::ptrdiff_t write(int descriptor, const iovec* pieces, std::size_t count) override {
    std::ptrdiff_t taken = 0;
    for (std::size_t i = 0; i < count; ++i) {
      std::string_view rest{static_cast<const char*>(pieces[i].iov_base), pieces[i].iov_len};
      while (!rest.empty()) {
        if (const int error = flush(descriptor); error != 0)
          return error;
        if (holds_output())
          return taken;
        const auto size = side_.write(rest.substr(0, 16 * 1024));
        if (size == 0)
          return -EIO;
        rest.remove_prefix(size);
        taken += static_cast<std::ptrdiff_t>(size);
      }
    }
    const int error = flush(descriptor);
    return error != 0 ? error : taken;
  }

  int flush(int descriptor) override {
    while (holds_output()) {
      const auto records = side_.records();
      const auto size = net::write_now(descriptor, records.data(), records.size());
      if (size < 0)
        return size == -EAGAIN ? 0 : static_cast<int>(size);
      side_.sent(static_cast<std::size_t>(size));
      wire_bytes_ += static_cast<std::size_t>(size);
      if (static_cast<std::size_t>(size) < records.size())
        return 0;
    }
    return 0;
  }

  [[nodiscard]] bool holds_output() const noexcept override { return held_bytes() > 0; }

  [[nodiscard]] std::size_t held_bytes() const noexcept override {
    return const_cast<tls_side&>(side_).records().size();
  }

  [[nodiscard]] std::size_t take_wire_bytes() noexcept override {
    return std::exchange(wire_bytes_, 0);
  }

private:
  tls_side side_;
  bool is_drained_ = true;
  std::size_t wire_bytes_ = 0;
};

/// A client's and a server's side that have shaken hands.
class tls_pair {
public:
  tls_pair() {
    const auto file = authority_.certify("server", "DNS:localhost");
    SSL_CTX_use_certificate_chain_file(context_.get(), file.c_str());
    SSL_CTX_use_PrivateKey_file(context_.get(), file.c_str(), SSL_FILETYPE_PEM);
    SSL_CTX_set_num_tickets(context_.get(), 0);
    client_.emplace(context_.get(), false);
    server_.emplace(context_.get(), true);
    for (int i = 0; i < 4; ++i) {
      client_->step();
      pass(*client_, *server_);
      server_->step();
      pass(*server_, *client_);
    }
  }

  std::unique_ptr<net::byte_layer> take_server_layer() {
    return std::make_unique<tls_layer>(std::move(*server_));
  }

  std::string encrypt(std::string_view clear) {
    client_->write(clear);
    std::string records{client_->records()};
    client_->sent(records.size());
    return records;
  }

  std::string decrypt(const std::string& records) {
    client_->feed(records);
    std::string clear;
    std::array<char, 4096> some;
    while (const auto size = client_->read(some))
      clear.append(some.data(), size);
    return clear;
  }

private:
  static void pass(tls_side& from, tls_side& to) {
    const std::string records{from.records()};
    from.sent(records.size());
    to.feed(records);
  }

  test_authority authority_;
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_{SSL_CTX_new(TLS_method()),
                                                             &SSL_CTX_free};
  std::optional<tls_side> client_;
  std::optional<tls_side> server_;
};

} // namespace canang::test
