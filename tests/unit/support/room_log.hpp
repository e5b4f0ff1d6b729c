#pragma once

#include "cluster/broker.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace canang::test {

/// A room that notes what its broker tells it.
struct room_log final : cluster::room_subscriber {
  std::vector<cluster::publication_ptr> publications;
  std::vector<cluster::publish_outcome> outcomes;
  std::vector<std::pair<cluster::position, bool>> breaks;
  std::string calls; ///< `m` a publication, `o` an outcome, in the order of the calls
  std::function<void()> on_each_publication;

  void on_publication(const cluster::publication_ptr& message) override {
    publications.push_back(message);
    calls += 'm';
    if (on_each_publication)
      on_each_publication();
  }

  void on_published(const cluster::publish_outcome& outcome) override {
    outcomes.push_back(outcome);
    calls += 'o';
  }

  void on_break(const cluster::position& from, bool is_lost) override {
    breaks.emplace_back(from, is_lost);
    calls += 'b';
  }
};

inline std::shared_ptr<cluster::publication> publication_of(std::string data) {
  auto message = std::make_shared<cluster::publication>();
  message->data = std::move(data);
  return message;
}

/// The last `limit` publications of a room; the memory broker answers at once.
inline cluster::history_answer history_of(cluster::broker& broker, std::string_view room,
                                          std::size_t limit) {
  cluster::history_answer result;
  broker.history(room, {.limit = limit, .is_reverse = true},
                 [&](cluster::history_answer&& answer) { result = std::move(answer); });
  std::reverse(result.publications.begin(), result.publications.end());
  return result;
}

/// The same as a member gets it that joins.
inline cluster::history_page recovered(cluster::room_channel& channel,
                                       const cluster::recover_request& request) {
  cluster::history_page result;
  channel.recover(request, [&](cluster::history_page&& page) { result = std::move(page); });
  return result;
}

/// What became of a publish from outside; the memory broker answers at once.
inline cluster::publish_outcome publish_in(cluster::broker& broker, std::string_view room,
                                           std::string data, std::string_view key = {},
                                           bool skip_history = false) {
  cluster::publish_outcome result;
  broker.publish(room, publication_of(std::move(data)),
                 {.idempotency_key = key, .skip_history = skip_history},
                 [&](cluster::publish_outcome&& outcome) { result = outcome; });
  return result;
}

/// The payloads of a page, one after the other.
template <class Page>
std::string texts(const Page& page) {
  std::string all;
  for (const auto& message : page.publications)
    all += message->data;
  return all;
}

} // namespace canang::test
