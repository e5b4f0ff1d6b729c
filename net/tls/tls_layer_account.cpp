#include "net/limits.hpp"
#include "net/tls/tls_layer.hpp"

// What a layer keeps account of: the records that come, and the memory that it holds.

namespace canang::net {

/// What OpenSSL tells of all that it sees. TLS 1.3 says what is in a record behind the encryption, 1.2 in front of it.
void tls_layer::on_part(int is_ours, int, int kind, const void* part, std::size_t size, SSL*,
                        void* layer) {
  auto& self = *static_cast<tls_layer*>(layer);
  const std::span bytes{static_cast<const unsigned char*>(part), size};
  if (bytes.empty())
    return;
  if (is_ours != 0) {
    if (kind == SSL3_RT_HANDSHAKE)
      self.note_answer(bytes.front());
    return;
  }
  if (kind != SSL3_RT_HEADER && kind != SSL3_RT_INNER_CONTENT_TYPE)
    return;
  if (kind == SSL3_RT_HEADER)
    self.note_record(bytes);
  if (self.is_shaken_ && bytes.front() != SSL3_RT_APPLICATION_DATA)
    self.note_control_record();
}

/// A hello of ours with which the flight ends asks for another one (RFC 8446, 4.1.4). Else more follows at once.
void tls_layer::note_answer(unsigned char message) noexcept {
  is_greeted_ = message != SSL3_MT_SERVER_HELLO;
}

/// Of a record, which may not have come whole.
void tls_layer::note_record(std::span<const unsigned char> header) noexcept {
  ++records_;
  if (header.size() == SSL3_RT_HEADER_LENGTH)
    unframed_ -= SSL3_RT_HEADER_LENGTH + (header[3] << 8) + header[4];
}

/// One too many ends it here, not when all that came with it is done: OpenSSL drops what follows the end.
void tls_layer::note_control_record() noexcept {
  if (++controls_ > max_tls_control_records)
    SSL_set_shutdown(ssl_.get(), SSL_RECEIVED_SHUTDOWN);
}

void tls_layer::note_data(std::size_t size) noexcept {
  if (controls_ == 0)
    return;
  data_ += size;
  if (data_ < tls_data_between_controls)
    return;
  controls_ = 0;
  data_ = 0;
}

tls_layer::~tls_layer() {
  if (metrics_ == nullptr)
    return;
  metrics_->outbox_memory_bytes.subtract(counted_output_);
  metrics_->inbox_bytes.subtract(counted_input_);
}

void tls_layer::recount() noexcept {
  if (metrics_ == nullptr)
    return;
  const auto output = output_memory();
  const auto input = input_memory();
  // modulo 2^64, where it has become less
  metrics_->outbox_memory_bytes.add(output - counted_output_);
  metrics_->inbox_bytes.add(input - counted_input_);
  counted_output_ = output;
  counted_input_ = input;
}

/// OpenSSL does not tell of a record whose header alone has come, though it has memory for all of it.
std::size_t tls_layer::input_memory() const noexcept {
  const bool is_under_way = !is_shaken_ || unframed_ != 0 || SSL_has_pending(ssl_.get()) == 1;
  return is_under_way ? tls_input_bytes : 0;
}

} // namespace canang::net
