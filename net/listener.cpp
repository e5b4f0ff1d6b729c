#include "net/listener.hpp"

#include "net/http/session.hpp"
#include "net/socket/proxy_opening.hpp"
#include "net/tls/tls_opening.hpp"

#include <spdlog/spdlog.h>

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace canang::net {

namespace {

/// Connections that wait for accept, a loop; a burst of reconnecting clients must fit.
constexpr int backlog = 4096;

boost::system::error_code last_error() { return {errno, boost::system::system_category()}; }

/// One bound socket, not listening yet, or -1 with `ec`.
int bind_socket(const tcp_endpoint& endpoint, bool share_port, boost::system::error_code& ec) {
  const int fd =
    ::socket(endpoint.protocol().family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
  if (fd < 0) {
    ec = last_error();
    return -1;
  }
  const int on = 1;
  const bool bound =
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0
    && (!share_port || ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0)
    && ::bind(fd, endpoint.data(), static_cast<socklen_t>(endpoint.size())) == 0;
  if (!bound) {
    ec = last_error();
    ::close(fd);
    return -1;
  }
  return fd;
}

tcp_endpoint local_endpoint(int fd) {
  tcp_endpoint endpoint;
  auto size = static_cast<socklen_t>(endpoint.capacity());
  if (::getsockname(fd, endpoint.data(), &size) == 0)
    endpoint.resize(size);
  return endpoint;
}

/// Closes a connection of which nothing is to be left in the kernel either.
void reset(tcp_socket& socket) {
  boost::system::error_code ignored;
  socket.set_option(boost::asio::socket_base::linger{true, 0}, ignored);
  socket.close(ignored);
}

const arrival_rules no_rules{};

} // namespace

std::string to_text(const tcp_endpoint& endpoint) {
  const auto address = endpoint.address().to_string();
  const auto host = endpoint.address().is_v6() ? '[' + address + ']' : address;
  return host + ':' + std::to_string(endpoint.port());
}

listening_sockets listen_on(const tcp_endpoint& endpoint, std::size_t count,
                            boost::system::error_code& ec) {
  listening_sockets result;
  ec.clear();
  if (endpoint.port() != 0) { // a probe without SO_REUSEPORT finds any listener
    const int probe = bind_socket(endpoint, false, ec);
    if (ec)
      return result;
    ::close(probe);
  }
  result.endpoint = endpoint;
  for (std::size_t i = 0; i < count && !ec; ++i) {
    const int fd = bind_socket(result.endpoint, true, ec);
    if (ec)
      break;
    result.descriptors.push_back(fd);
    if (i == 0)
      result.endpoint = local_endpoint(fd);
    if (::listen(fd, backlog) != 0)
      ec = last_error();
  }
  if (ec) {
    for (const int fd : result.descriptors)
      ::close(fd);
    result.descriptors.clear();
  }
  return result;
}

listener::listener(loop_context& context, const router& paths, int descriptor, bool is_ipv6,
                   const arrival_rules* rules)
  : context_(context),
    paths_(paths),
    rules_(rules == nullptr ? no_rules : *rules),
    acceptor_(context.io.get_executor(),
              is_ipv6 ? boost::asio::ip::tcp::v6() : boost::asio::ip::tcp::v4(), descriptor),
    retry_(*this) {}

listener::~listener() = default;

void listener::start() { accept(); }

void listener::stop() {
  retry_.cancel();
  boost::system::error_code ec;
  acceptor_.non_blocking(true, ec);
  for (std::size_t i = 0; i < context_.http.limit() && !ec; ++i) {
    tcp_socket socket{context_.io.get_executor()};
    acceptor_.accept(socket, ec);
    if (!ec)
      take(std::move(socket));
  }
  acceptor_.close(ec);
}

void listener::accept() {
  acceptor_.async_accept(context_.io.get_executor(),
                         [this](boost::system::error_code ec, tcp_socket socket) {
                           if (ec != boost::asio::error::operation_aborted)
                             on_accept(ec, std::move(socket));
                         });
}

void listener::on_accept(const boost::system::error_code& ec, tcp_socket&& socket) {
  if (!acceptor_.is_open())
    return;
  if (ec) {
    context_.metrics.accept_errors_total.add(1);
    retry_later(); // out of descriptors or memory: the socket stays ready, so trying on would spin
    return;
  }
  take(std::move(socket));
  accept();
}

void listener::take(tcp_socket&& socket) {
  context_.metrics.accepted_total.add(1);
  client_socket client{std::move(socket)};
  if (rules_.proxies == nullptr || rules_.proxies->header == proxy_header_mode::off) {
    admit(std::move(client), {});
    return;
  }
  const auto peer = client.client();
  if (!peer) // it has been reset already
    return;
  const auto mode = rules_.proxies->header;
  if (rules_.trust(*peer))
    read_proxy_header(context_, std::move(client), mode,
                      [this](client_socket&& proxied, const std::string& already_read) {
                        admit(std::move(proxied), already_read);
                      });
  else if (mode == proxy_header_mode::accept)
    admit(std::move(client), {});
  else
    shut(client, reject_reason::forbidden);
}

/// It is known who it is of: counts it, and serves it.
void listener::admit(client_socket&& client, std::string_view already_read) {
  address_counts::arrival from;
  if (rules_.addresses != nullptr) {
    const auto whose = client.client();
    if (!whose)
      return;
    from = rules_.arrive(*whose);
    if (from.what == address_counts::verdict::shut) {
      shut(client, reject_reason::address);
      return;
    }
  }
  boost::system::error_code ignored;
  client.set_option(boost::asio::ip::tcp::no_delay(true), ignored);
  if (rules_.tls == nullptr)
    serve_http(context_, paths_, std::move(client), std::move(from), &rules_, already_read);
  else if (!already_read.empty()) // neither a header nor TLS
    shut(client, reject_reason::bad_request);
  else
    begin_tls(context_, std::move(client), *rules_.tls, std::move(from),
              [this](client_socket&& secured, address_counts::arrival&& whose) {
                serve_http(context_, paths_, std::move(secured), std::move(whose), &rules_);
              });
}

void listener::shut(client_socket& client, reject_reason reason) {
  context_.metrics.rejected_total[static_cast<std::size_t>(reason)].add(1);
  if (spdlog::should_log(spdlog::level::debug)) {
    const auto whose = client.client();
    spdlog::debug("shut peer={} reason={}", whose ? client_text(*whose) : std::string{},
                  to_string(reason));
  }
  reset(client);
}

void listener::retry_later() {
  context_.deadlines.schedule(retry_, context_.now() + accept_backoff);
}

} // namespace canang::net
