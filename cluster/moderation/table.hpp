#pragma once

#include "cluster/moderation/act.hpp"

#include <boost/asio/ip/address.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace canang::cluster {

/// Of whom it is asked whether an act concerns it.
struct act_question {
  std::string_view user{}; ///< empty: it has no name
  std::optional<boost::asio::ip::address>
    address{};             ///< none: it has none, as over a Unix-domain socket
  std::string_view room{}; ///< empty: what holds everywhere alone
};

/// An act that is in force from now on, or with null is not any more.
struct act_change {
  std::string key; ///< its text
  act_ptr act;
  std::uint64_t lifted_ms =
    0; ///< of null: when that was ordered, Unix time by who did; 0: nobody says
};

/// All acts in force at one moment, to be asked quickly. Never changed once it is shared; from any thread. What
/// follows it shares most of its memory: of 256 buckets those that changed are copied.
class moderation_table {
public:
  using clock = moderation_act::clock;

  moderation_table() = default;

  /// The one that follows.
  [[nodiscard]] std::shared_ptr<const moderation_table>
  with(std::span<const act_change> changes) const;

  /// An act of that kind that concerns it: everywhere, in the room's namespace, or in the room. Null: none.
  [[nodiscard]] act_ptr find(act_kind kind, const act_question& asked, clock::time_point now) const;

  /// The lockdown of a room.
  [[nodiscard]] act_ptr find_lockdown(std::string_view room, clock::time_point now) const;

  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  /// Whether there are acts about addresses: else nobody has to look what an address is.
  [[nodiscard]] bool has_addresses() const noexcept { return address_count_ != 0; }

private:
  static constexpr std::size_t bucket_count = 256;

  /// By the hash of the text of its key; in the order of the hashes.
  using bucket = std::vector<std::pair<std::uint64_t, act_ptr>>;

  void change(bucket& in, std::uint64_t hash, const act_change& what);
  void count(const moderation_act& act, int by) noexcept;
  [[nodiscard]] act_ptr get(const act_key& key, clock::time_point now) const;
  [[nodiscard]] act_ptr find_in(act_key& key, const act_question& asked,
                                clock::time_point now) const;

  std::array<std::shared_ptr<const bucket>, bucket_count> buckets_;
  std::array<std::uint32_t, 129> lengths_{}; // of prefixes, how often each is there
  std::array<std::uint32_t, 9> kinds_{};     // how many there are by kind and scope
  std::size_t size_ = 0;
  std::size_t address_count_ = 0;
};

} // namespace canang::cluster
