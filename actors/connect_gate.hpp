#pragma once

#include "net/frame_buffer.hpp"
#include "net/frame_source.hpp"
#include "net/loop_context.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

namespace canang::actors {

/// Holds up all that a client is sent until its `connect` can be answered: then the answer goes first. Shared by the
/// connection, which opens it, and its session's queue. Used on their loop.
class connect_gate {
public:
  explicit connect_gate(net::loop_context& context) : context_(context) {}
  connect_gate(const connect_gate&) = delete;
  connect_gate& operator=(const connect_gate&) = delete;
  ~connect_gate() { charge(0); }

  /// What the answer says of rooms, as far as it is known. Who adds to it calls `note` behind that.
  [[nodiscard]] std::string& rooms() noexcept { return rooms_; }
  void note() { charge(rooms_.capacity()); }

  /// The answer is there.
  void open(net::frame_buffer_ptr answer) {
    rooms_ = std::string{};
    answer_ = std::move(answer);
    answer_->trim();
    is_open_ = true;
    charge(answer_->capacity());
  }

  /// What stands in the session's queue.
  [[nodiscard]] static net::frame_source_ptr source_of(std::shared_ptr<connect_gate> gate) {
    return std::make_unique<source>(std::move(gate));
  }

private:
  class source final : public net::frame_source {
  public:
    explicit source(std::shared_ptr<connect_gate> gate) : gate_(std::move(gate)) {}

    [[nodiscard]] bool is_ready() const noexcept override { return gate_->is_open_; }
    [[nodiscard]] net::frame_buffer_ptr next() override {
      return std::exchange(gate_->answer_, nullptr);
    }
    [[nodiscard]] std::size_t pinned_bytes() const noexcept override { return gate_->charged_; }

  private:
    std::shared_ptr<connect_gate> gate_;
  };

  void charge(std::size_t bytes) {
    context_.metrics.outbox_memory_bytes.add(bytes);
    context_.metrics.outbox_memory_bytes.subtract(std::exchange(charged_, bytes));
  }

  net::loop_context& context_;
  std::string rooms_;
  net::frame_buffer_ptr answer_;
  std::size_t charged_ = 0;
  bool is_open_ = false;
};

} // namespace canang::actors
