#pragma once

#include "cluster/publication.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace canang::cluster {

enum class broker_errc : std::uint8_t {
  none,
  unavailable, ///< try again later; nothing was stored
};

/// What became of a publish.
struct publish_outcome {
  broker_errc error = broker_errc::none;
  position at;            ///< where the publication is stored
  bool duplicate = false; ///< stored before under the same idempotency key; not delivered again
};

/// A piece of a room's history, oldest first, and where the room stands.
struct history_page {
  broker_errc error = broker_errc::none;
  position top;
  std::vector<publication_ptr> publications;
};

/// Who hears of a room: its room actor. All calls come on the broker's thread.
class room_subscriber {
public:
  /// The room's next publication, in order of offsets.
  virtual void on_publication(const publication_ptr& message) = 0;

  /// The answer to the oldest publish that has none yet: answers come in the order of the publishes.
  virtual void on_published(const publish_outcome& outcome) = 0;

protected:
  ~room_subscriber() = default;
};

/// Stores and hands out the publications of rooms: what makes one order of many publishers.
///
/// The embedded `memory_broker` serves a single node; a bridge to Redis serves many. A broker belongs
/// to one loop and is called on its thread only; answers may come at once, from inside the call, or
/// later.
class broker {
public:
  using history_handler = std::function<void(const history_page&)>;

  virtual ~broker() = default;

  /// Begins to tell `subscriber` of `room`'s publications. One subscriber a room.
  virtual void subscribe(std::string_view room, room_subscriber& subscriber) = 0;

  /// Ends it. Outstanding answers are not delivered any more.
  virtual void unsubscribe(std::string_view room) = 0;

  /// Stores `message` as the room's next publication, which the subscriber gets as all others do,
  /// and then the outcome. A non-empty `idempotency_key` that was used in the room within the last
  /// 5 minutes stores nothing: the outcome is that of the first time.
  virtual void publish(std::string_view room, std::shared_ptr<publication> message,
                       std::string_view idempotency_key) = 0;

  /// The last `limit` publications that are kept.
  virtual void history(std::string_view room, std::size_t limit, history_handler handler) = 0;
};

} // namespace canang::cluster
