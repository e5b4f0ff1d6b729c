#include "actors/first_page.hpp"

#include "actors/outgoing.hpp"
#include "net/limits.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

namespace canang::actors {

namespace {

/// One answer is one message. What is too much for that is not recovered by who resumes; who asked for history
/// gets the end of it.
void bound(cluster::history_page& page) {
  std::size_t bytes = 0;
  auto first = page.publications.end();
  while (first != page.publications.begin()) {
    bytes += cost_in_answer(**std::prev(first));
    if (bytes > net::max_recovered_in_reply_bytes)
      break;
    --first;
  }
  if (first == page.publications.begin())
    return;
  page.publications.erase(page.publications.begin(),
                          page.recovered ? page.publications.end() : first);
  page.recovered = false;
}

/// Leaves the newest message, or nothing for one that has had it.
void keep_newest(cluster::history_page& page, const std::optional<cluster::position>& had) {
  const auto all = std::move(page.publications);
  const auto newest = std::find_if(all.rbegin(), all.rend(), [](const auto& one) {
    return one->kind == cluster::publication_kind::message;
  });
  const bool is_there = newest != all.rend();
  const auto at = is_there ? (*newest)->offset : page.top.offset;
  const bool is_had = had && had->offset > 0 && had->epoch == page.top.epoch && had->offset >= at
                      && had->offset <= page.top.offset;
  page.publications.clear();
  if (is_there && !is_had)
    page.publications.push_back(*newest);
  page.recovered = is_had || is_there;
}

} // namespace

cluster::recover_request wish_of(const join_room& request) {
  if (request.newest_only)
    return {.since = {}, .limit = 1};
  return request.wanted;
}

cluster::position cut_to_wish(const join_room& request, cluster::history_page& page) {
  if (request.newest_only)
    keep_newest(page, request.wanted.since);
  if (request.format->language.place_of_recovered() == net::recovered_in::reply)
    bound(page);
  auto from = std::move(page.top);
  const auto& first = page.publications;
  if (page.recovered && (!request.newest_only || first.empty()))
    from.offset = request.wanted.since->offset; // it resumes there
  else if (!first.empty())
    from.offset = first.front()->offset - 1;
  return from;
}

} // namespace canang::actors
