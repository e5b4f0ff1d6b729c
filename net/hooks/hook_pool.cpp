#include "net/hooks/hook_pool.hpp"

#include "net/hooks/hook_limits.hpp"
#include "net/http/client.hpp"

#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <string>

namespace canang::net {

namespace {

boost::asio::ssl::context make_tls(const std::string& ca_file) {
  try {
    return make_client_tls(ca_file);
  } catch (const boost::system::system_error&) {
    throw std::runtime_error{fmt::format("--hook-ca: '{}' can't be used", ca_file)};
  }
}

bool is_same_server(const hook_endpoint& one, const hook_endpoint& other) {
  return one.uses_tls == other.uses_tls && one.host == other.host && one.port == other.port;
}

} // namespace

hook_pool::hook_pool(boost::asio::io_context& io, const hook_settings& settings,
                     hook_metrics& metrics)
  : io_(io), settings_(settings), metrics_(metrics), tls_(make_tls(settings.ca_file)), sweeps_(io) {
  for (const auto& to : settings_.endpoints)
    if (to && std::none_of(idle_.begin(), idle_.end(), [&](const auto& one) {
          return is_same_server(one.to, *to);
        }))
      idle_.push_back({*to, {}});
}

hook_pool::idle_links& hook_pool::links_to(hook_kind what) {
  const auto& to = *settings_.of(what);
  return *std::find_if(idle_.begin(), idle_.end(),
                       [&](const auto& one) { return is_same_server(one.to, to); });
}

std::shared_ptr<hook_link> hook_pool::make_new(hook_kind what) {
  metrics_.connections_total.add(1);
  return make_hook_link(io_, links_to(what).to, tls_);
}

std::shared_ptr<hook_link> hook_pool::take_old(hook_kind what) {
  auto& links = links_to(what).links;
  while (!links.empty()) {
    auto link = std::move(links.back().first);
    links.pop_back();
    if (link->is_reusable())
      return link;
    link->close();
  }
  return nullptr;
}

void hook_pool::give_back(hook_kind what, std::shared_ptr<hook_link> link) {
  if (!link->is_reusable())
    return;
  auto& links = links_to(what).links;
  links.emplace_back(std::move(link), clock::now());
  if (links.size() > max_idle_hook_links) {
    links.front().first->close();
    links.pop_front();
  }
  if (links.size() == 1)
    drop_old();
}

/// And again, as long as there are any.
void hook_pool::drop_old() {
  const auto now = clock::now();
  bool are_any = false;
  for (auto& [to, links] : idle_) {
    while (!links.empty() && now - links.front().second >= longest_idle_hook_link) {
      links.front().first->close();
      links.pop_front();
    }
    are_any = are_any || !links.empty();
  }
  if (!are_any)
    return;
  sweeps_.expires_after(longest_idle_hook_link / 3);
  sweeps_.async_wait([this](const boost::system::error_code& ec) {
    if (!ec)
      drop_old();
  });
}

} // namespace canang::net
