#include "bench/load/plan.hpp"

#include "bench/load/url.hpp"

namespace canang::load {

namespace {

void add_room(plan& p, const options& o, std::uint32_t number, std::uint32_t size) {
  room_plan room;
  if (!o.no_room)
    room.name = o.room_prefix + std::to_string(number);
  room.rules = {p.run, number, o.publishers, o.size_bytes, o.full_checks};
  room.readers = size;
  p.rooms.push_back(std::move(room));
  const auto urls = static_cast<std::uint32_t>(o.urls.size());
  const bool apart = !o.publish_url.empty();
  for (std::uint32_t m = 0; m < size; ++m) {
    member_plan member;
    member.room = number;
    member.server = (number + m) % urls;
    const auto left = size - m;
    if (left <= o.publishers)
      member.publisher = static_cast<std::int32_t>(o.publishers - left);
    if (apart && left <= o.publishers) {
      member.server = urls;
      member.measured = false;
    }
    member.witness = apart && left == o.publishers + 1;
    p.members.push_back(member);
  }
}

/// Spreads the wanted share over the members that don't publish.
void stall_some(plan& p, double percent) {
  const auto wanted =
    static_cast<std::uint64_t>(static_cast<double>(p.members.size()) * percent / 100.0);
  std::uint64_t candidates = 0;
  for (const auto& m : p.members)
    candidates += m.publisher < 0 ? 1U : 0U;
  std::uint64_t seen = 0;
  for (auto& m : p.members) {
    if (m.publisher >= 0)
      continue;
    // Bresenham: the k-th candidate is taken when the running share passes the next whole number.
    m.stalled = (seen + 1) * wanted / candidates > seen * wanted / candidates;
    ++seen;
    if (!m.stalled)
      continue;
    ++p.stalled;
    --p.rooms[m.room].readers;
  }
}

} // namespace

plan make_plan(const options& o, std::uint32_t run) {
  plan p;
  p.run = run;
  p.publishers = o.publishers;
  auto urls = o.urls;
  if (!o.publish_url.empty())
    urls.push_back(o.publish_url);
  for (const auto& text : urls) {
    const auto u = parse_url(text);
    p.servers.push_back({resolve(u.host, u.port), u.authority(), u.path, u.query});
  }
  for (const auto& address : o.sources)
    p.sources.push_back(resolve(address, "0"));
  p.rooms.reserve(o.rooms); // checkers point to the rules
  p.members.reserve(o.connections);
  const std::uint32_t each = o.connections / o.rooms;
  const std::uint32_t one_more = o.connections % o.rooms;
  for (std::uint32_t r = 0; r < o.rooms; ++r)
    add_room(p, o, r, each + (r < one_more ? 1 : 0));
  if (o.stalled_percent > 0)
    stall_some(p, o.stalled_percent);
  return p;
}

} // namespace canang::load
