#include "app/admin/api_batch.hpp"

#include "app/admin/api_execute.hpp"
#include "app/admin/json_response.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

namespace canang::admin {

namespace {

using clock = std::chrono::steady_clock;

/// No command begins later than that after the first one: it may take 5 s, and the answer has to be there within
/// `net::late_answer_timeout`.
constexpr std::chrono::milliseconds begin_timeout{1500};

/// No command begins when the replies so far are longer than that.
constexpr std::size_t max_replies_bytes = 16 * 1024 * 1024;

/// Questions are asked together up to so many: each answer may have `max_api_history_bytes`.
constexpr std::size_t most_asked_at_once = 4;

/// Commands of one kind need not wait for each other: publishes keep their order in each room anyhow, what is
/// asked changes nothing, and what is done to users does not depend on what is done to others. But who is made a member
/// of a room may be taken out of it by the next command, and who is banned be let in again.
enum class kind : std::uint8_t { error, asks, publishes, removes, subscribes, commands, moderates };

struct kind_of_command {
  kind operator()(const api_publish& /*wanted*/) const { return kind::publishes; }
  kind operator()(const api_broadcast& /*wanted*/) const { return kind::publishes; }
  kind operator()(const api_disconnect& /*wanted*/) const { return kind::commands; }
  kind operator()(const api_history_remove& /*wanted*/) const { return kind::removes; }
  kind operator()(const api_subscribe& /*wanted*/) const { return kind::subscribes; }
  kind operator()(const api_unsubscribe& /*wanted*/) const { return kind::commands; }
  kind operator()(const api_refresh& /*wanted*/) const { return kind::commands; }
  kind operator()(const api_moderation& /*wanted*/) const { return kind::moderates; }
  template <class Question>
  kind operator()(const Question& /*wanted*/) const {
    return kind::asks;
  }
};

kind kind_of(const api_batch::entry& one) {
  const auto* const command = std::get_if<api_command>(&one.command);
  return command == nullptr ? kind::error : std::visit(kind_of_command{}, *command);
}

/// Lives until the batch is answered, on the internal loop.
class batch_run : public std::enable_shared_from_this<batch_run> {
public:
  batch_run(actors::server& node, api_batch&& batch, std::function<void(net::page_response&&)> done)
    : node_(node),
      commands_(std::move(batch.commands)),
      replies_(commands_.size()),
      done_(std::move(done)) {}

  /// Begins what comes next, until there is something to wait for.
  void go_on() {
    while (next_ < commands_.size()) {
      missing_ = 1; // this call itself: what is answered within it does not go on
      for (const auto end = end_of_row(); next_ < end; ++next_)
        begin(next_);
      if (--missing_ > 0)
        return;
    }
    done_(json_response(200, all()));
  }

private:
  /// Behind the commands that are executed together, beginning with the next one.
  [[nodiscard]] std::size_t end_of_row() const {
    const auto first = kind_of(commands_[next_]);
    auto end = next_ + 1;
    while (end < commands_.size() && kind_of(commands_[end]) == first
           && (first != kind::asks || end - next_ < most_asked_at_once) && first != kind::moderates)
      ++end;
    return end;
  }

  void begin(std::size_t at) {
    ++missing_;
    auto& command = commands_[at].command;
    const auto why_not = obstacle();
    if (auto* const error = std::get_if<api_error>(&command))
      take(at, std::move(*error));
    else if (why_not)
      take(at, *why_not);
    else
      execute(node_, std::get<api_command>(std::move(command)),
              [self = shared_from_this(), at](api_outcome&& outcome) { self->take(at, outcome); });
  }

  [[nodiscard]] std::optional<api_error> obstacle() const {
    if (clock::now() - began_at_ > begin_timeout)
      return api_error{.code = api_errc::internal,
                       .message = "internal server error: not executed, those before it took too "
                                  "long"};
    if (bytes_ > max_replies_bytes)
      return api_error{.code = api_errc::limit_exceeded,
                       .message = "limit exceeded: not executed, the replies are too long"};
    return std::nullopt;
  }

  void take(std::size_t at, const api_outcome& outcome) {
    replies_[at] = to_json(commands_[at].method, outcome);
    bytes_ += replies_[at].size();
    if (--missing_ == 0)
      go_on();
  }

  [[nodiscard]] std::string all() const {
    std::string json;
    json.reserve(bytes_ + replies_.size() + 16);
    json += R"({"replies":[)";
    for (std::size_t i = 0; i < replies_.size(); ++i)
      (json += i == 0 ? "" : ",") += replies_[i];
    return json + "]}";
  }

  actors::server& node_;
  std::vector<api_batch::entry> commands_;
  std::vector<std::string> replies_;
  std::function<void(net::page_response&&)> done_;
  clock::time_point began_at_ = clock::now();
  std::size_t next_ = 0;
  std::size_t missing_ = 0; // answers that go_on() waits for
  std::size_t bytes_ = 0;
};

} // namespace

void execute_batch(actors::server& node, api_batch&& batch,
                   std::function<void(net::page_response&&)> done) {
  std::make_shared<batch_run>(node, std::move(batch), std::move(done))->go_on();
}

} // namespace canang::admin
