#include "cluster/rooms/event_arguments.hpp"

#include "cluster/epoch.hpp"
#include "cluster/recent_publications.hpp"

namespace canang::cluster {

event_arguments::event_arguments(const redis_room_services& services, std::string_view room)
  : event_arguments(services, room, services.settings->of(room)) {}

event_arguments::event_arguments(const redis_room_services& services, std::string_view room,
                                 const room_settings& settings)
  : meta_(redis_key(services.prefix, partition_of(room), "m", room)),
    stream_(redis_key(services.prefix, partition_of(room), "s", room)),
    events_(redis_key(services.prefix, partition_of(room), "v", room)),
    channel_(redis_channel(services, room)),
    epoch_(make_epoch()),
    uses_lineage_(services.options.uses_lineage),
    kept_(settings.history_size),
    events_kept_(events_kept(settings.history_size, settings.history_bytes)),
    history_ttl_(settings.history_ttl),
    meta_ttl_(meta_ttl(services.options, settings)) {}

std::vector<std::string_view> event_arguments::arguments() const {
  return {channel_,
          epoch_,
          uses_lineage_ ? "1" : "0",
          kept_.text(),
          events_kept_.text(),
          history_ttl_.text(),
          meta_ttl_.text()};
}

} // namespace canang::cluster
