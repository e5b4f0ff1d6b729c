#pragma once

#include <boost/asio/ip/tcp.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace canang::net {

/// Where the clients of a loop's sessions are, by lane, as proxies say: of those that came without one the socket
/// knows. Takes no memory while there are none. On the loop's thread only.
class lane_clients {
public:
  using endpoint = boost::asio::ip::tcp::endpoint;

  void keep(std::uint32_t lane, std::unique_ptr<endpoint> client) {
    if (!client)
      return;
    if (lane >= clients_.size())
      clients_.resize(lane + std::size_t{1});
    clients_[lane] = std::move(client);
  }

  void drop(std::uint32_t lane) noexcept {
    if (lane < clients_.size())
      clients_[lane].reset();
  }

  /// Null where no proxy has said.
  [[nodiscard]] const endpoint* find(std::uint32_t lane) const noexcept {
    return lane < clients_.size() ? clients_[lane].get() : nullptr;
  }

private:
  std::vector<std::unique_ptr<endpoint>> clients_;
};

} // namespace canang::net
