#pragma once

#include "net/metrics.hpp"
#include "net/socket/byte_layer.hpp"

#include <openssl/ssl.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace canang::net {

/// The server's side of TLS between a socket and its connection's bytes, from the handshake to the end. Records go
/// from the socket to OpenSSL and back without another buffer between them; what the socket does not take at once is
/// kept here, a record at most beyond what a handshake answers. While nothing is under way OpenSSL holds no buffers
/// either. A client that sends record after record without data is taken for one that does not speak TLS. Of one
/// connection, on its loop.
class tls_layer final : public byte_layer {
public:
  enum class step : std::uint8_t {
    done,   ///< it can be read and written
    more,   ///< something has to come first
    hello,  ///< so too: a hello, maybe a second one, and answering it is what costs most
    over,   ///< the client has gone
    failed, ///< the client has been told why, if it can be
  };

  /// Takes part in the ownership of `context`. What it holds for its client is in `metrics`, if there are any, as
  /// memory of the outbox and the inbox.
  explicit tls_layer(SSL_CTX* context, loop_metrics* metrics = nullptr);
  tls_layer(const tls_layer&) = delete;
  tls_layer& operator=(const tls_layer&) = delete;
  ~tls_layer() override;

  /// Goes on with the handshake as far as it gets with what has come. Until it is done nothing else is called but
  /// `flush`, `holds_output`.
  [[nodiscard]] step shake(int descriptor);

  /// After the handshake: whether it went on with an earlier session.
  [[nodiscard]] bool is_resumed() const noexcept;

  /// Why it failed, as OpenSSL calls it: 0 where that is not known.
  [[nodiscard]] unsigned long fault() const noexcept { return fault_; }

  // byte_layer
  read_result read(int descriptor, std::span<char> into) override;
  std::ptrdiff_t write(int descriptor, const iovec* pieces, std::size_t count) override;
  int flush(int descriptor) override;
  void end(int descriptor) override;
  [[nodiscard]] bool holds_output() const noexcept override { return !output_.empty(); }
  [[nodiscard]] std::size_t held_bytes() const noexcept override {
    return output_memory() + input_memory();
  }
  [[nodiscard]] std::size_t take_wire_bytes() noexcept override;

private:
  struct socket_bio;
  struct counted_call;

  static void on_part(int is_ours, int version, int kind, const void* part, std::size_t size, SSL*,
                      void* layer);
  void note_answer(unsigned char message) noexcept;
  void begin(int descriptor) noexcept;
  [[nodiscard]] int take_in(BIO* bio, std::span<char> into) noexcept;
  [[nodiscard]] int put_out(std::span<const char> bytes);
  [[nodiscard]] read_result decrypt(std::span<char> into);
  [[nodiscard]] read_result fail_to_read();
  void note_record(std::span<const unsigned char> header) noexcept;
  void note_control_record() noexcept;
  void note_data(std::size_t size) noexcept;
  [[nodiscard]] bool write_record(std::span<const char> bytes);
  [[nodiscard]] std::size_t output_memory() const noexcept {
    return output_.empty() ? 0 : output_.capacity();
  }
  [[nodiscard]] std::size_t input_memory() const noexcept;
  void recount() noexcept;

  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
  int descriptor_ = -1;      // of the call that is being made
  int read_error_ = 0;       // errno
  int write_error_ = 0;      // errno, for good
  std::size_t may_take_ = 0; // bytes of the socket, in this call
  unsigned records_ = 0;     // that this call has begun to decrypt
  bool is_drained_ = false;  // a read of this call came back short
  bool is_cut_ = false;      // it took all that it may
  bool is_at_end_ = false;   // FIN has come
  bool is_broken_ = false;   // OpenSSL has given up
  bool has_ended_ = false;   // our last word is said
  bool is_greeted_ = false;  // a hello is answered, and not with the wish for another one
  bool is_shaken_ = false;   // the handshake is done
  unsigned controls_ = 0;    // records without data, since there was enough of that
  std::size_t data_ = 0;     // since the first of them
  unsigned long fault_ = 0;
  std::ptrdiff_t unframed_ = 0; // bytes that came, less the length of all records that were begun
  std::string output_;          // records that the socket did not take
  loop_metrics* metrics_;       // may be null
  std::size_t counted_output_ = 0;
  std::size_t counted_input_ = 0;
  std::size_t wire_bytes_ = 0;
};

} // namespace canang::net
