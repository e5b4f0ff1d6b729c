#include "net/socket/proxy_opening.hpp"

#include "net/socket/opening.hpp"
#include "net/socket/proxy_protocol.hpp"

#include <spdlog/spdlog.h>

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

namespace canang::net {

namespace {

class proxy_opening final : public opening {
public:
  proxy_opening(loop_context& context, client_socket&& socket, proxy_header_mode mode,
                proxied_arrival&& arrived)
    : opening(context, std::move(socket)),
      is_required_(mode == proxy_header_mode::require),
      arrived_(std::move(arrived)) {}

  void start() { await(tcp_socket::wait_read); }

private:
  void on_ready() override;
  [[nodiscard]] std::ptrdiff_t take_some();
  void pass_on();
  void refuse();

  proxy_header_reader reader_;
  bool is_required_;
  proxied_arrival arrived_;
};

/// Looks at what is there, and takes out of the socket what belongs to the header: the rest is left to whoever
/// comes next.
/// @returns bytes taken, or 0 at the end of the stream, or a negative errno.
std::ptrdiff_t proxy_opening::take_some() {
  std::array<char, 256> bytes;
  const auto descriptor = socket().native_handle();
  const auto seen = ::recv(descriptor, bytes.data(), bytes.size(), MSG_PEEK | MSG_DONTWAIT);
  if (seen <= 0)
    return seen < 0 ? -errno : 0;
  const auto used = reader_.take({bytes.data(), static_cast<std::size_t>(seen)});
  if (used == 0)
    return -EAGAIN; // all of it is the client's
  return ::recv(descriptor, bytes.data(), used, MSG_DONTWAIT);
}

void proxy_opening::on_ready() {
  using state = proxy_header_reader::state;
  std::ptrdiff_t taken = 0;
  do
    taken = take_some();
  while (taken > 0 && reader_.at() == state::more);
  if (reader_.at() == state::whole || (reader_.at() == state::none && !is_required_))
    pass_on();
  else if (reader_.at() != state::more)
    refuse();
  else if (taken == -EAGAIN || taken == -EINTR)
    await(tcp_socket::wait_read);
  else
    close(false); // it left
}

void proxy_opening::pass_on() {
  context().metrics.received_bytes_total.add(reader_.taken().size());
  auto connection = hand_on();
  std::string already_read;
  if (reader_.at() == proxy_header_reader::state::none)
    already_read = reader_.taken();
  if (const auto& client = reader_.client())
    connection.tell_client(*client);
  std::exchange(arrived_, {})(std::move(connection), std::move(already_read));
}

void proxy_opening::refuse() {
  count(reject_reason::bad_request);
  if (spdlog::should_log(spdlog::level::debug)) {
    const auto peer = socket().client();
    spdlog::debug("shut peer={} reason={} text=\"{}\"", peer ? client_text(*peer) : std::string{},
                  to_string(reject_reason::bad_request),
                  reader_.at() == proxy_header_reader::state::none ? "no PROXY header"
                                                                   : "a bad PROXY header");
  }
  close(true);
}

} // namespace

void read_proxy_header(loop_context& context, client_socket&& socket, proxy_header_mode mode,
                       proxied_arrival arrived) {
  const boost::intrusive_ptr<proxy_opening> reading{
    new proxy_opening{context, std::move(socket), mode, std::move(arrived)}};
  reading->start();
}

} // namespace canang::net
