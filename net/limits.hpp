#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace canang::net {

/// Every limit of the network side, in one place, with its unit and the reason for the number.
/// What an operator may change is a member of `session_limits`; the rest is fixed.

/// Empty lines that are skipped before a request line: RFC 9112, 2.2, asks for one at least, which some
/// clients send behind a body; more than a few are no HTTP.
inline constexpr unsigned max_empty_lines = 8;

/// What a proxy may put in front of a connection: addresses take 232 bytes at most, and a client's certificate told
/// beside them seldom more than 1 KiB.
inline constexpr std::size_t max_proxy_header_bytes = 4096;

/// Proxies, one behind the other, that a request is looked through for its client.
inline constexpr std::size_t max_forwarded_hops = 32;

/// TLS handshakes take this much of a loop's time, of each period: half. Whoever is connected waits a millisecond
/// longer at most while thousands come, and one handshake (0.1 ms, or 1 ms with a key of RSA 2,048) fits in.
inline constexpr std::chrono::microseconds tls_handshake_share{1000};
inline constexpr std::chrono::microseconds tls_handshake_period{2000};

/// What one read of a TLS connection takes of its socket at most: two records. What brings no data (updates of keys)
/// is not to keep the loop.
inline constexpr std::size_t max_tls_read_bytes = 32 * 1024;

/// Records without data (updates of keys, alerts, attempts to negotiate anew) that a TLS client may send before it has
/// sent so much data: new keys cost far more than a record that is decrypted with them. Keys are good for gigabytes.
inline constexpr unsigned max_tls_control_records = 32;
inline constexpr std::size_t tls_data_between_controls = 64 * 1024;

/// Memory that OpenSSL holds for a connection in a handshake, or of which a record has not come whole: the longest one
/// with what is around it. Freed when nothing is under way.
inline constexpr std::size_t tls_input_bytes = 17 * 1024;

/// How long the keys of session tickets are used.
inline constexpr std::chrono::hours tls_ticket_key_lifetime{12};

/// Longest room name in bytes of UTF-8, as in Centrifugo's protocol.
inline constexpr std::size_t max_room_name_bytes = 255;

/// A turn's frames of one room are flushed early once they fill this many bytes, so that a burst of
/// large messages cannot make one buffer (and every slow member's hold on it) arbitrarily large.
inline constexpr std::size_t max_turn_buffer_bytes = 256 * 1024;

/// Buffers larger than this are freed instead of kept for the next turn.
inline constexpr std::size_t max_pooled_buffer_bytes = 256 * 1024;

/// Buffers kept for reuse a loop, and the memory that they may take: eight of the largest. A turn that needs
/// more asks the allocator, which keeps freed memory for a while itself.
inline constexpr std::size_t max_pooled_buffers = 64;
inline constexpr std::size_t max_pooled_bytes = 8 * max_pooled_buffer_bytes;

/// A buffer that an outbox holds gives unused memory back from this size on; below, what is saved does not
/// pay for the copy.
inline constexpr std::size_t least_trimmed_bytes = 256;

/// What a slice that waits counts for its client beside its buffer: its entry in the outbox, and the
/// buffer's own fields. Counted, or a client that never reads could make us hold half a million empty pongs in
/// one MiB.
inline constexpr std::size_t slice_overhead_bytes = 64;

/// Memory of a slice's entry in the outbox: 16 bytes, in a vector that doubles.
inline constexpr std::size_t slice_entry_bytes = 32;

/// Small pieces of other buffers are copied into one of an outbox's own, up to this size.
inline constexpr std::size_t max_tail_bytes = 4096;

/// What may stay of one that is closed for lack of memory: the frame that is written in part, and those in one
/// slice with it. With more its connection is cut.
inline constexpr std::size_t max_left_of_given_up = 16 * 1024;

/// How often a loop that holds too much for its clients looks through all of them, if nothing much has come on
/// top meanwhile, and how often it tells of it.
inline constexpr std::chrono::milliseconds budget_look_interval{100};
inline constexpr std::chrono::seconds budget_log_interval{10};

/// A slow consumer that has time left to come back below its limit is closed at once above so many times of
/// it: room for a burst, and still a bound.
inline constexpr std::size_t outbox_cap_factor = 4;

/// Bytes that a session reads in one call beyond the payload that it is in the middle of. It is what a
/// client whose reading is paused can have us hold, and enough for a message of 4 KiB with its header.
inline constexpr std::size_t read_ahead_bytes = 4096 + 128;

/// The buffer that all sessions of a loop read into: large payloads come in few calls, and what most
/// clients send at once stays in the first cache lines of it.
inline constexpr std::size_t scratch_bytes = 64 * 1024;

/// What one session may read in a turn: as many frames as there may be unanswered publishes of one
/// client, and as many bytes as a room's frames of a turn may fill. It goes on in the next turn.
inline constexpr std::size_t max_frames_a_turn = 256;
inline constexpr std::size_t max_read_bytes_a_turn = max_turn_buffer_bytes;

/// What all sessions of a loop may read in a turn, so that a flood of input cannot put off the writes:
/// each byte costs 1; a frame, a record of TLS, an event and the end of a connection more, for what is done
/// with them. These are 4,096 small messages, a megabyte, or 64 connections that end (32 with a close frame:
/// those are charged when it is answered and when the socket is closed): a few milliseconds.
inline constexpr std::size_t max_cost_a_turn = 1024 * 1024;
inline constexpr std::size_t cost_of_frame = 256;
inline constexpr std::size_t cost_of_event = 64;
inline constexpr std::size_t cost_of_tls_record = 256; // to decrypt it, whatever is in it
inline constexpr std::size_t cost_of_end = 16 * 1024;

/// What compressing costs of a turn, a byte of payload: four times as much as reading it (60 to 100 MB a second).
inline constexpr std::size_t cost_of_deflated_byte = 4;

/// A message that is larger is not compressed: some ten milliseconds' work.
inline constexpr std::size_t max_deflated_bytes = 1024 * 1024;

/// Payload that a loop tries to compress in a turn, and one message more: some ten milliseconds' work.
inline constexpr std::size_t max_compressed_bytes_a_turn = 256 * 1024;

/// What the compressed messages of one session may become in a turn: as much as it may read in one. It goes on in the
/// next turn.
inline constexpr std::size_t max_inflated_bytes_a_turn = max_read_bytes_a_turn;

/// What a compressed message may become at most, also where larger ones are allowed that are not compressed: it is
/// inflated in one go, some ten milliseconds' work.
inline constexpr std::size_t max_inflated_bytes = 4 * 1024 * 1024;

/// Of a compressed message: what is read of it before it is looked at what came of it.
inline constexpr std::size_t inflated_slice_bytes = 4 * 1024;

/// What a message of `made` bytes may take at most. What takes more is none that somebody has compressed: it is made of
/// the heads of blocks, of which a MiB says nothing and takes a tenth of a second. The simplest encoders need an eighth
/// more than the text has (RFC 1951, 3.2.6), and one head with its tables has some 300 bytes.
constexpr std::size_t max_packed_bytes(std::size_t made) noexcept { return made + made / 4 + 512; }

/// Memory that a loop keeps for the next message to inflate.
inline constexpr std::size_t max_kept_inflated_bytes = max_turn_buffer_bytes;

/// Clients that a loop closes in one turn because it holds too much for them; the next ones in the next turn. As
/// many as may end in a turn anyway, see `max_cost_a_turn`.
inline constexpr std::size_t max_given_up_a_turn = max_cost_a_turn / cost_of_end;

/// Connections of disconnected users that a hub closes at once; the next ones a tick later. Each is a write and the end
/// of an actor: some milliseconds in all.
inline constexpr std::size_t max_disconnected_a_turn = 256;

/// Connections that a hub makes members of a room at once, because a command wants it; the next ones a tick later. Each
/// is a join. And those that may wait for that: some 1.5 MiB.
inline constexpr std::size_t max_invited_a_turn = 256;
inline constexpr std::size_t max_invited = 32 * 1024;

/// Rooms with members that a loop looks up anew in a tick of 100 ms after the settings were replaced: 16,384 a second,
/// some hundred microseconds each time.
inline constexpr std::size_t max_rooms_heeded_a_tick = 1638;

/// Things that the kernel is asked for at once.
inline constexpr std::size_t max_events_a_poll = 1024;

/// The history that a joining member gets is encoded in pieces of so many bytes, or of one publication: what
/// a member that does not read can have us hold, and enough that a write is not dear.
inline constexpr std::size_t join_piece_bytes = 64 * 1024;

/// What one member is written of it in a turn. It goes on in the next turn; all of them together are charged
/// as reading is.
inline constexpr std::size_t max_join_bytes_a_turn = max_turn_buffer_bytes;

/// The same of a session whose bytes grow on their way to the socket, as the ids of a stream of many rooms do.
inline constexpr std::size_t max_layered_join_bytes_a_turn = max_join_bytes_a_turn / 8;

/// Encoded pieces that a loop keeps for members who join at the same place, besides those that somebody is
/// being sent: more than the history of a room, so a thousand that come back cost one encoding.
inline constexpr std::size_t max_join_pieces_bytes = 4 * 1024 * 1024;

/// How long they are kept when nobody asks for them: those who lost a node come back within seconds.
inline constexpr std::chrono::milliseconds join_piece_ttl{1000};

/// Places in rooms' histories for which a loop knows what it has encoded.
inline constexpr std::size_t max_join_pages = 64;

/// How long an answer may take that somebody else has to give: longer than any of those takes to say that it has none,
/// of which a command to all nodes takes longest (5 s).
inline constexpr std::chrono::milliseconds late_answer_timeout{7000};

/// The line of a chunk of a request's body, with its extensions, which mean nothing here; and all trailers of a
/// body, in bytes. Clients send neither; those that are generous send a checksum.
inline constexpr std::size_t max_chunk_line_bytes = 1024;

/// Memory of all requests' bodies of a loop that have not come whole, and of those whose handler is asked: what
/// comes on top gets 503. It is 16 of the largest bodies that any route takes.
inline constexpr std::size_t max_bodies_bytes = 16 * 1024 * 1024;

/// The largest body that a route may take.
inline constexpr std::size_t max_body_limit = 1024 * 1024;

/// What a protocol may put of a room's history into the answer to a join, in payload: one answer is one message,
/// so it can't be sent in pieces. As much as a room keeps by default, twice.
inline constexpr std::size_t max_recovered_in_reply_bytes = 1024 * 1024;

/// The largest payload that is told as what it changes of the one before, or that others are told so of; in JSON its
/// text too, which may be longer. Half a millisecond's work at most for each format, also of what was made for that.
inline constexpr std::size_t max_change_bytes = 16 * 1024;

/// Memory of the publications that a loop holds since others are told as what they change of them: one a room, of a
/// thousand rooms with 16 KiB each.
inline constexpr std::size_t max_change_bases_bytes = 16 * 1024 * 1024;

/// Members that a client is told of in one answer: some 80 bytes each.
inline constexpr std::size_t max_members_in_reply = 10'000;

/// Of what their tokens say to others, in one answer with members: as much as one may have of a history.
inline constexpr std::size_t max_info_in_reply_bytes = 1024 * 1024;

/// How long a client may be connected without having said who it is, where its protocol has a word for
/// that: whoever has an SDK says it in its first message.
inline constexpr std::chrono::milliseconds identify_timeout{10'000};

/// How much longer than its token says a client may stay, or be in a room, that can refresh it: what Centrifugo's
/// server gives its clients.
inline constexpr std::chrono::seconds longest_refresh{25};

/// Slices of rooms' frames that wait for the end of a turn, since their sessions are in several rooms: 2 MiB of
/// them. With more, those sessions are written more than once in the turn.
inline constexpr std::size_t max_slices_a_turn = 64 * 1024;

/// Pieces that one write to a session is made of: a turn's frames of as many rooms as one may be in.
inline constexpr std::size_t max_pieces_a_write = 128;

/// Connections of a loop that are not WebSocket sessions, at most: those that have made no request yet,
/// that are being answered, or that are kept for further requests. Some clients connect thousands of times
/// before they send the first request. Fewer where the limit of open files is low.
inline constexpr std::size_t max_http_connections_a_loop = 4096;

/// Of those, the ones that have been without a request for longer than a newcomer should need. A crowd of
/// silent connections is held to that: they cost 6 MB, most of it the kernel's.
inline constexpr std::size_t max_silent_connections_a_loop = 1024;
inline constexpr std::chrono::milliseconds newcomer_time{1000};

/// The same for the internal port: probes, scrapes, balancers' checks and operators are a few at a time.
inline constexpr std::size_t max_internal_connections = 64;

/// HTTP requests served on one connection before it is closed, so that a balancer's long-lived
/// connections get spread again.
inline constexpr unsigned max_requests_a_connection = 1000;

/// Pause of a listener that ran out of descriptors or memory, before it accepts again.
inline constexpr std::chrono::milliseconds accept_backoff{100};

/// How long a closed connection is read and discarded, waiting for the peer's FIN, before its socket
/// is closed for good: an immediate close could destroy the close frame on its way (RFC 9293 3.10.7).
inline constexpr std::chrono::milliseconds linger_timeout{2000};

/// Between these, at random.
struct time_range {
  std::chrono::milliseconds least;
  std::chrono::milliseconds most;
};

/// How long a client of an event stream is to wait before it comes back when its connection breaks off: about as
/// long as browsers do by themselves (3 s), but not all at once.
inline constexpr time_range stream_retry{std::chrono::milliseconds{1000},
                                         std::chrono::milliseconds{3000}};

/// The same when a node that is well sends it away, at an even pace already.
inline constexpr time_range stream_return{std::chrono::milliseconds{100},
                                          std::chrono::milliseconds{1000}};

/// Longest id of an event, which a client sends back in a header line: proxies let lines of 8 KiB through, nginx no
/// longer ones. With it the position in each of 128 rooms whose names take 30 bytes fits.
inline constexpr std::size_t max_event_id_bytes = 7680;

/// What an event stream of several rooms makes of the shared bytes before it writes it, at most.
inline constexpr std::size_t max_stream_piece_bytes = 16 * 1024;

/// What one client may have said in requests of its own that its session has not been read of yet: as many as it may
/// have unanswered publishes, and as many bytes as a session may read in a turn, or one message. Each counts its
/// memory, with that of its answer.
inline constexpr std::size_t max_emulated_messages = 256;
inline constexpr std::size_t max_emulated_bytes = max_read_bytes_a_turn;
inline constexpr std::size_t emulated_overhead_bytes = 256;

/// What the requests of a loop may have on the way to sessions of other loops and nodes: beyond it they get 503.
inline constexpr std::size_t max_emulated_bytes_on_the_way = 4 * 1024 * 1024;

/// What stands around the message in the body of such a request: two names and punctuation.
inline constexpr std::size_t emulation_wrapper_bytes = 1024;

/// What may be published at once of what a rate allows: half a second's worth. With the default rate that is half
/// of what may wait for a member by default, and it is several of the ticks by which those are woken who had
/// used up all.
inline constexpr std::chrono::milliseconds publish_burst{500};

/// What is let pass beyond a rate, as a part of it: clocks differ, and whoever sends at exactly the rate by its
/// own must not pile up a debt over the days.
inline constexpr double publish_tolerance = 0.05;

/// The most that one message costs of a rate: for so long its sender is not read at most, much less than it
/// takes to be given up for silence.
inline constexpr std::chrono::milliseconds longest_price{10'000};

/// Whoever has had more to send than its rate allows for so long, on end, is closed: a burst is over by then.
inline constexpr std::chrono::milliseconds longest_overuse{10'000};

/// Publishes that may wait in a room that is over its rate: the windows of 16 clients that all publish as fast as
/// they can, so that its members get them at that rate and not at once.
inline constexpr std::size_t max_waiting_in_room_bytes = 16 * 1024 * 1024;

/// And in all rooms of a loop.
inline constexpr std::size_t max_waiting_in_rooms_bytes = 64 * 1024 * 1024;

/// How far what goes on above a room's rate, since too much waits, may put off what comes later: whoever comes to a
/// room after a crowd of flooders has left is not to wait for minutes.
inline constexpr std::chrono::milliseconds longest_debt_of_room{10'000};

/// Publications that may be on their way to a loop before those who publish them have to wait: some hundred
/// milliseconds' work, more than a loop that is well is ever behind.
inline constexpr std::size_t max_backlog_bytes = 8 * 1024 * 1024;

/// What a publication takes besides its payload while it waits: itself, its shared count, the message
/// that carries it and the mailbox's element. So 16,384 small ones make the limit above.
inline constexpr std::size_t overhead_in_flight_bytes = 512;

/// How much may be published in a second; 0 is no limit.
struct publish_rate {
  std::uint64_t messages_a_second = 0;
  std::size_t bytes_a_second = 0; ///< of payloads
};

/// Limits of a session that an operator may set.
struct session_limits {
  /// Largest message a client may send, in bytes, over all its fragments.
  std::size_t max_message_bytes = 64 * 1024;
  /// Bytes that may wait for one client, behind the slice that is first, before it counts as a slow
  /// consumer.
  std::size_t max_outbox_bytes = 1024 * 1024;
  /// Time from accept to the end of the request's headers.
  std::chrono::milliseconds handshake_timeout{10'000};
  /// Time from our close frame to the end of the connection, answered or not.
  std::chrono::milliseconds close_timeout{5'000};
  /// Longest request line plus headers, in bytes: cookies of a site's other services come along, and
  /// balancers in front let 8 to 64 KiB through.
  std::size_t max_header_bytes = 16 * 1024;
  /// Connections of a loop that are not WebSocket sessions, at most; see above.
  std::size_t max_http_connections = max_http_connections_a_loop;
  /// What one client may publish: far above any chat, and less than half of what a member at 20 Mbit/s reads.
  publish_rate publishing{1'000, 1024 * 1024};
  /// What the clients of this node may publish in one room together: a member at 20 Mbit/s still reads more.
  publish_rate publishing_in_room{2'000, 2 * 1024 * 1024};
  /// How long more than `max_outbox_bytes` may wait for a client before it is closed; 0: not at all. Two
  /// seconds are a lost packet's retransmissions, or a phone between two masts.
  std::chrono::milliseconds slow_consumer_grace{2'000};
  /// Time from a request's headers to the end of its body: 1 MiB at 1 Mbit/s. Not an option, since bodies
  /// come from servers.
  std::chrono::milliseconds body_timeout{10'000};
  /// Rooms that one connection may be in, or be joining: as Centrifugo has it, and a member costs memory in each.
  std::uint32_t max_rooms_per_connection = 128;
};

} // namespace canang::net
