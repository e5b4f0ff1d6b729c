#include "app/admin/hour_ring.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace canang::admin {

namespace {

using samples_of_hour = std::vector<std::optional<hour_sample>>;

/// Counters only grow; if one did not, nothing is known of what it counted.
double a_second(std::uint64_t now, std::uint64_t before, double seconds) noexcept {
  return now < before ? 0 : static_cast<double>(now - before) / seconds;
}

hour_sample sample_of(const node_totals& now, const node_totals& before, double seconds) noexcept {
  return {.connections = now.connections,
          .rooms = now.rooms,
          .memory_bytes = now.memory_bytes,
          .publications = a_second(now.publications, before.publications, seconds),
          .deliveries = a_second(now.deliveries, before.deliveries, seconds),
          .sent_bytes = a_second(now.sent_bytes, before.sent_bytes, seconds),
          .cpu = std::max(now.cpu_seconds - before.cpu_seconds, 0.0) / seconds};
}

template <class Value>
void append(std::string& json, std::string_view name, const samples_of_hour& samples,
            Value hour_sample::*figure, int decimals) {
  json += fmt::format(R"(,"{}":[)", name);
  for (const auto& sample : samples) {
    if (json.back() != '[')
      json += ',';
    json +=
      sample ? fmt::format("{:.{}f}", static_cast<double>((*sample).*figure), decimals) : "null";
  }
  json += ']';
}

} // namespace

bool hour_ring::is_due(clock::time_point now) const noexcept {
  return !has_begun_ || now >= due_at_ || now < last_at_;
}

void hour_ring::note(clock::time_point now, const node_totals& totals) {
  if (!is_due(now))
    return;
  if (!has_begun_ || now < last_at_) {
    begin(now, totals);
    return;
  }
  const auto missed = static_cast<std::size_t>((now - due_at_) / interval);
  for (std::size_t i = 0; i < std::min(missed, capacity); ++i)
    push(std::nullopt);
  push(sample_of(totals, last_, std::chrono::duration<double>(now - last_at_).count()));
  due_at_ += interval * static_cast<std::int64_t>(missed + 1);
  last_at_ = now;
  last_ = totals;
}

void hour_ring::begin(clock::time_point now, const node_totals& totals) noexcept {
  has_begun_ = true;
  due_at_ = now + interval;
  last_at_ = now;
  last_ = totals;
}

void hour_ring::push(const std::optional<hour_sample>& sample) noexcept {
  ring_[next_] = sample;
  next_ = (next_ + 1) % capacity;
  size_ = std::min(size_ + 1, capacity);
}

samples_of_hour hour_ring::samples() const {
  samples_of_hour all;
  all.reserve(size_);
  for (std::size_t i = 0; i < size_; ++i)
    all.push_back(ring_[(next_ + capacity - size_ + i) % capacity]);
  return all;
}

std::string to_json(const hour_ring& ring) {
  const auto samples = ring.samples();
  auto json = fmt::format(R"({{"interval":{})", hour_ring::interval.count());
  append(json, "connections", samples, &hour_sample::connections, 0);
  append(json, "rooms", samples, &hour_sample::rooms, 0);
  append(json, "memory_bytes", samples, &hour_sample::memory_bytes, 0);
  append(json, "publications", samples, &hour_sample::publications, 1);
  append(json, "deliveries", samples, &hour_sample::deliveries, 1);
  append(json, "sent_bytes", samples, &hour_sample::sent_bytes, 0);
  append(json, "cpu", samples, &hour_sample::cpu, 3);
  return json + '}';
}

} // namespace canang::admin
