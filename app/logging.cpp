#include "app/logging.hpp"

#include "net/log_text.hpp"

#include <spdlog/async.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <memory>
#include <string_view>
#include <thread>

namespace canang::app {

namespace {

constexpr std::size_t queued_lines = 8192;

constexpr std::chrono::milliseconds drain_limit{200};

/// The message, of which parts may be the text of strangers; `Write` says how it is escaped.
template <std::string (*Write)(std::string_view)>
class escaped_message final : public spdlog::custom_flag_formatter {
public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& out) override {
    const auto text = Write({message.payload.data(), message.payload.size()});
    out.append(text.data(), text.data() + text.size());
  }

  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<escaped_message>();
  }
};

} // namespace

void set_up_logging(const std::string& level, const std::string& format) {
  spdlog::init_thread_pool(queued_lines, 1);
  auto logger = std::make_shared<spdlog::async_logger>(
    "canang", std::make_shared<spdlog::sinks::stdout_sink_mt>(), spdlog::thread_pool(),
    spdlog::async_overflow_policy::overrun_oldest);
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  formatter->add_flag<escaped_message<net::log_json>>('*');
  formatter->add_flag<escaped_message<net::log_line>>('$');
  formatter->set_pattern(format == "json"
                           ? R"({"ts":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","msg":"%*"})"
                           : "%Y-%m-%dT%H:%M:%S.%eZ %-8l %$");
  logger->set_formatter(std::move(formatter));
  logger->set_level(spdlog::level::from_str(level));
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

/// The logger outlives the thread that writes for it, which has the last lines yet to write.
void end_logging() {
  const auto logger = spdlog::default_logger();
  spdlog::shutdown();
}

void drain_logging() {
  spdlog::default_logger_raw()->flush();
  const auto writer = spdlog::thread_pool();
  const auto deadline = std::chrono::steady_clock::now() + drain_limit;
  while (writer && writer->queue_size() > 0 && std::chrono::steady_clock::now() < deadline)
    std::this_thread::yield();
}

} // namespace canang::app
