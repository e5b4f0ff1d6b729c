#include "net/tls/tls_layer.hpp"

#include "net/limits.hpp"
#include "net/send_lanes.hpp"
#include "net/tls/piece_reader.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <utility>

namespace canang::net {

namespace {

/// Whoever has more than this waiting asks for answers of TLS (updates of keys, alerts) and does not read them: the
/// most of a record is there without that.
constexpr std::size_t max_answers_bytes = 2 * tls_record_bytes;

} // namespace

/// OpenSSL's way to the socket. It never hears that a write did not fit: what it once has made a record of must go
/// out as it is, while whoever wrote it may not come again with the same bytes.
struct tls_layer::socket_bio {
  static tls_layer& layer_of(BIO* bio) { return *static_cast<tls_layer*>(BIO_get_data(bio)); }

  static int read(BIO* bio, char* into, int size) {
    return layer_of(bio).take_in(bio, {into, static_cast<std::size_t>(size)});
  }

  static int write(BIO* bio, const char* bytes, int size) {
    BIO_clear_retry_flags(bio);
    return layer_of(bio).put_out({bytes, static_cast<std::size_t>(size)});
  }

  static long control(BIO*, int what, long, void*) { return what == BIO_CTRL_FLUSH ? 1 : 0; }

  static const BIO_METHOD* method() {
    static const auto made = [] {
      auto* const method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "canang");
      BIO_meth_set_read(method, read);
      BIO_meth_set_write(method, write);
      BIO_meth_set_ctrl(method, control);
      return method;
    }();
    return made;
  }
};

/// Counts what a call has changed.
struct tls_layer::counted_call {
  explicit counted_call(tls_layer& of_layer) noexcept : layer(of_layer) {}
  counted_call(const counted_call&) = delete;
  counted_call& operator=(const counted_call&) = delete;
  ~counted_call() { layer.recount(); }

  tls_layer& layer;
};

tls_layer::tls_layer(SSL_CTX* context, loop_metrics* metrics)
  : ssl_(SSL_new(context), &SSL_free), metrics_(metrics) {
  auto* const bio = ssl_ ? BIO_new(socket_bio::method()) : nullptr;
  if (bio == nullptr)
    throw std::bad_alloc{};
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_accept_state(ssl_.get());
  SSL_set_msg_callback(ssl_.get(), on_part);
  SSL_set_msg_callback_arg(ssl_.get(), this);
}

void tls_layer::begin(int descriptor) noexcept {
  ERR_clear_error(); // the queue is the thread's
  descriptor_ = descriptor;
  read_error_ = 0;
  may_take_ = max_tls_read_bytes;
  records_ = 0;
  is_drained_ = false;
  is_cut_ = false;
}

int tls_layer::take_in(BIO* bio, std::span<char> into) noexcept {
  BIO_clear_retry_flags(bio);
  if (may_take_ == 0) {
    is_cut_ = true;
    BIO_set_retry_read(bio);
    return -1;
  }
  const auto got = read_now(descriptor_, into.first(std::min(into.size(), may_take_)));
  if (got.size > 0) {
    may_take_ -= static_cast<std::size_t>(got.size);
    unframed_ += got.size;
    is_drained_ = got.is_drained;
    return static_cast<int>(got.size);
  }
  if (got.size == 0) {
    is_at_end_ = true;
    return 0;
  }
  read_error_ = static_cast<int>(-got.size);
  if (read_error_ == EAGAIN)
    BIO_set_retry_read(bio);
  return -1;
}

int tls_layer::put_out(std::span<const char> bytes) {
  const auto size = static_cast<int>(bytes.size());
  if (write_error_ != 0)
    return size; // there is nobody left to get it
  if (output_.empty()) {
    const auto written = write_now(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && written != -EAGAIN) {
      write_error_ = static_cast<int>(-written);
      return size;
    }
    if (written > 0) {
      wire_bytes_ += static_cast<std::size_t>(written);
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
  }
  output_.append(bytes.data(), bytes.size());
  return size;
}

tls_layer::step tls_layer::shake(int descriptor) {
  const counted_call counted{*this};
  begin(descriptor);
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) {
    is_shaken_ = true;
    return step::done;
  }
  const int error = SSL_get_error(ssl_.get(), result);
  if (error == SSL_ERROR_WANT_READ)
    return is_greeted_ ? step::more : step::hello;
  is_broken_ = true;
  fault_ = ERR_peek_error();
  ERR_clear_error();
  return is_at_end_ || (read_error_ != 0 && read_error_ != EAGAIN) ? step::over : step::failed;
}

bool tls_layer::is_resumed() const noexcept { return SSL_session_reused(ssl_.get()) == 1; }

/// Charged is what was taken of the socket, and each record: with a byte in each, or none, there may be thousands.
read_result tls_layer::read(int descriptor, std::span<char> into) {
  const counted_call counted{*this};
  begin(descriptor);
  auto got = decrypt(into);
  got.cost = max_tls_read_bytes - may_take_ + std::max(records_, 1U) * cost_of_tls_record;
  return got;
}

read_result tls_layer::decrypt(std::span<char> into) {
  if (output_.size() > max_answers_bytes)
    is_broken_ = true;
  if (is_broken_)
    return {.size = -EPROTO};
  std::size_t size = 0;
  const int result = SSL_read_ex(ssl_.get(), into.data(), into.size(), &size);
  if (controls_ > max_tls_control_records) {
    is_broken_ = true;
    return {.size = -EPROTO};
  }
  if (result == 1) {
    note_data(size);
    return {.size = static_cast<std::ptrdiff_t>(size),
            .is_drained = is_drained_ && SSL_has_pending(ssl_.get()) == 0};
  }
  switch (SSL_get_error(ssl_.get(), result)) {
  case SSL_ERROR_WANT_READ: return {.size = -EAGAIN, .is_drained = !is_cut_};
  case SSL_ERROR_ZERO_RETURN: return {.size = 0};
  default: return fail_to_read();
  }
}

read_result tls_layer::fail_to_read() {
  fault_ = ERR_peek_error();
  ERR_clear_error();
  is_broken_ = true;
  if (is_at_end_) // without a word; whether something is missing the protocol above knows
    return {.size = 0};
  return {.size = read_error_ != 0 && read_error_ != EAGAIN ? -read_error_ : -EPROTO};
}

bool tls_layer::write_record(std::span<const char> bytes) {
  std::size_t taken = 0;
  if (SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &taken) == 1 && taken == bytes.size())
    return true;
  is_broken_ = true;
  ERR_clear_error();
  return false;
}

/// Takes more only when all before it is with the socket: so it holds little, and the limits of the outbox hold.
std::ptrdiff_t tls_layer::write(int descriptor, const iovec* pieces, std::size_t count) {
  const counted_call counted{*this};
  if (const int fault = flush(descriptor); fault != 0)
    return fault;
  begin(descriptor);
  std::ptrdiff_t taken = 0;
  piece_reader rest{pieces, count};
  std::array<char, tls_record_bytes> joined;
  while (output_.empty()) {
    const auto bytes = rest.take(joined);
    if (bytes.empty())
      break;
    if (is_broken_ || !write_record(bytes))
      return -EPROTO;
    if (write_error_ != 0)
      return -write_error_;
    taken += static_cast<std::ptrdiff_t>(bytes.size());
  }
  return taken;
}

int tls_layer::flush(int descriptor) {
  const counted_call counted{*this};
  if (write_error_ != 0)
    return -write_error_;
  std::size_t gone = 0;
  while (gone < output_.size()) {
    const auto written = write_now(descriptor, output_.data() + gone, output_.size() - gone);
    if (written == -EAGAIN || written == 0)
      break;
    if (written < 0) {
      write_error_ = static_cast<int>(-written);
      output_ = std::string{};
      return -write_error_;
    }
    wire_bytes_ += static_cast<std::size_t>(written);
    gone += static_cast<std::size_t>(written);
  }
  if (gone == output_.size())
    output_ = std::string{};
  else
    output_.erase(0, gone);
  return 0;
}

void tls_layer::end(int descriptor) {
  const counted_call counted{*this};
  if (std::exchange(has_ended_, true) || is_broken_ || write_error_ != 0
      || SSL_is_init_finished(ssl_.get()) != 1)
    return;
  begin(descriptor);
  SSL_shutdown(ssl_.get()); // close_notify; the client's is not waited for (RFC 8446, 6.1)
  ERR_clear_error();
}

std::size_t tls_layer::take_wire_bytes() noexcept { return std::exchange(wire_bytes_, 0); }

} // namespace canang::net
