#pragma once

#include "actors/join_pages.hpp"

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

/// Private to the files of `join_pages`.

namespace canang::actors {

/// The publications between two positions of a room, in one wire format. Shared by the members that
/// are being sent it, each at its own piece, and by `join_pages` for whoever joins next.
class join_page : public boost::intrusive_ref_counter<join_page, boost::thread_unsafe_counter> {
public:
  /// A run of publications. Encoded while somebody is being sent it, and idle for a while after that.
  struct piece {
    std::size_t end = 0;           // of the run
    std::uint64_t frames = 0;      // as many, less those that the protocol has no word for
    std::size_t users = 0;         // members that are being sent it
    net::frame_buffer_ptr bytes;   // null: let go
    join_pages::idle_place idle{}; // where it has bytes and no users
  };

  join_page(boost::intrusive_ptr<join_pages> owner, const add_member& request);
  join_page(const join_page&) = delete;
  join_page& operator=(const join_page&) = delete;
  ~join_page();

  /// Whether the member of `request` gets the same bytes.
  [[nodiscard]] bool is_for(const add_member& request) const;

  /// Piece `number`, encoded, which is not let go before it is put back; null behind the last one. Those
  /// before it must have been taken once. Valid until the next call.
  [[nodiscard]] const piece* take(std::size_t number);
  void put_back(std::size_t number) noexcept;

  /// Lets go of a piece that is idle.
  void let_go(std::size_t number) noexcept;

  /// Appends the answer to a join with all publications inside; `reply` is without them, its room and epoch
  /// are the page's.
  /// @returns how many these are.
  std::size_t encode_reply(net::join_reply reply, std::string& out);

  /// Bytes that are kept for this page, however many members and other pages share the publications.
  [[nodiscard]] std::size_t pinned_bytes() const noexcept { return own_bytes_ + pinned_bytes_; }

private:
  void encode(piece& into, std::size_t begin);
  void find_changes();
  [[nodiscard]] net::outgoing_publication outgoing_of(std::size_t number) const;

  boost::intrusive_ptr<join_pages> owner_;
  const net::wire_format* format_;
  std::string room_;
  std::string epoch_;
  std::vector<cluster::publication_ptr> messages_;
  std::vector<piece> pieces_; // those that were taken once
  std::vector<std::string>
    changes_; // of each one, where members are told these; empty: it is told whole
  std::size_t own_bytes_;
  std::size_t pinned_bytes_ = 0; // of the publications
};

} // namespace canang::actors
