#include "app/token_key_source.hpp"

#include "app/admin/metric_family.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <utility>

namespace canang::app {

namespace {

/// Names of keys that are remembered as missing, and for how long: whoever makes some up displaces others, which are
/// then looked for a little longer.
constexpr std::size_t max_missing = 64;
constexpr std::chrono::minutes longest_missing{1};

} // namespace

token_key_source::token_key_source(const token_options& options, jwks_timing timing)
  : timing_(timing), url_(options.jwks), own_(options.keys()) {
  if (options.has_keys())
    published_.expect();
  publish();
}

void token_key_source::start() { poll(); }

void token_key_source::replace(const token_options& options) {
  if (options.has_keys())
    published_.expect();
  const bool is_other = url_ != options.jwks;
  url_ = options.jwks;
  std::shared_ptr<jwks_poller> former;
  {
    const std::lock_guard lock{mutex_};
    own_ = options.keys();
    if (is_other)
      former = std::move(poller_);
    else if (poller_ != nullptr)
      poller_->refresh();
  }
  former.reset(); // waits for its thread, and so not with the mutex
  if (is_other) {
    const std::lock_guard lock{mutex_};
    fetched_ = {};
  }
  publish();
  if (is_other)
    poll();
}

void token_key_source::poll() {
  if (!url_)
    return;
  auto poller = std::make_shared<jwks_poller>(
    *url_, timing_,
    [this](net::token_keys keys) {
      {
        const std::lock_guard lock{mutex_};
        fetched_ = std::move(keys);
      }
      publish();
    },
    counts_);
  const std::lock_guard lock{mutex_};
  poller_ = std::move(poller);
}

void token_key_source::publish() {
  const std::lock_guard lock{mutex_}; // so that nobody's older keys come after newer ones
  published_.set(std::make_shared<const net::token_keys>(own_.with(fetched_)));
}

bool token_key_source::wanted(std::string_view kid) {
  const auto now = jwks_poller::clock::now();
  const std::lock_guard lock{mutex_};
  if (poller_ == nullptr)
    return false;
  if (!kid.empty())
    poller_->wanted();
  std::erase_if(missing_, [now](const auto& one) { return now - one.second > longest_missing; });
  const auto found = std::find_if(missing_.begin(), missing_.end(),
                                  [kid](const auto& one) { return one.first == kid; });
  if (found != missing_.end())
    return poller_->last_good().value_or(found->second) <= found->second;
  if (missing_.size() == max_missing)
    missing_.pop_front();
  missing_.emplace_back(kid, now);
  return !kid.empty() || !poller_->last_good();
}

std::string token_key_metrics(const token_key_source& source) {
  std::string text;
  admin::metric_family keys{text, "canang_token_keys", "gauge",
                            "Keys that tokens are checked with."};
  keys.add("", static_cast<double>(source.keys().get()->size()));
  admin::metric_family fetches{text, "canang_token_jwks_fetches_total", "counter",
                               "Requests for a key set."};
  fetches.add(R"(result="ok")", static_cast<double>(source.fetches().succeeded));
  fetches.add(R"(result="failed")", static_cast<double>(source.fetches().failed));
  return text;
}

} // namespace canang::app
