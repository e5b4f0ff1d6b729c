#include "cluster/history.hpp"

#include <algorithm>
#include <iterator>
#include <vector>

namespace canang::cluster {

bool is_of_history(const position& at, const position& top,
                   std::span<const epoch_end> lineage) noexcept {
  if (at.epoch == top.epoch)
    return at.offset <= top.offset;
  return std::any_of(lineage.begin(), lineage.end(), [&](const epoch_end& end) {
    return end.epoch == at.epoch && at.offset <= end.last;
  });
}

history_answer answer_of(const history_request& request, stored_page&& page) {
  history_answer answer;
  const auto begin = page.begin();
  if (request.messages_only)
    std::erase_if(page.publications,
                  [](const auto& one) { return one->kind != publication_kind::message; });
  const auto& kept = page.publications;
  auto from = kept.begin();
  auto to = kept.end();
  if (const auto& since = request.since) {
    answer.is_unrecoverable = !is_of_history(*since, page.top, page.lineage)
                              || (!request.is_reverse && since->offset < begin);
    const auto at = std::partition_point(kept.begin(), kept.end(), [&](const auto& message) {
      return request.is_reverse ? message->offset < since->offset
                                : message->offset <= since->offset;
    });
    (request.is_reverse ? to : from) = at;
  }
  if (!answer.is_unrecoverable) {
    const auto count =
      static_cast<std::ptrdiff_t>(std::min(request.limit, static_cast<std::size_t>(to - from)));
    if (request.is_reverse)
      answer.publications.assign(std::make_reverse_iterator(to),
                                 std::make_reverse_iterator(to - count));
    else
      answer.publications.assign(from, from + count);
  }
  answer.top = std::move(page.top);
  return answer;
}

} // namespace canang::cluster
