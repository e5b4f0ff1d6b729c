#pragma once

#include <caf/replies_to.hpp>
#include <caf/type_erased_tuple.hpp>
#include <caf/typed_actor.hpp>

namespace canang::actors {

namespace detail {

template <class Signature>
struct mail_of;

template <class Message, class Output>
struct mail_of<caf::typed_mpi<caf::detail::type_list<Message>, Output>> {
  using type = Message;
};

template <class Signatures>
struct mail_handler;

template <class... Signatures>
struct mail_handler<caf::detail::type_list<Signatures...>> {
  template <class Handlers>
  static void run(caf::type_erased_tuple& content, Handlers& handlers) {
    static_cast<void>((try_one<typename mail_of<Signatures>::type>(content, handlers) || ...));
  }

private:
  template <class Message, class Handlers>
  static bool try_one(caf::type_erased_tuple& content, Handlers& handlers) {
    if (!content.match_elements<Message>())
      return false;
    handlers(content.get_mutable_as<Message>(0));
    return true;
  }
};

} // namespace detail

/// Several lambdas as one overloaded function.
template <class... Handlers>
struct overloaded : Handlers... {
  using Handlers::operator()...;
};
template <class... Handlers>
overloaded(Handlers...) -> overloaded<Handlers...>;

/// For actors without a `caf::behavior`: hands a message of `Interface`, a typed actor, to the one of `handlers`
/// that takes its type. Does not compile where there is none. Messages of other types are ignored. They are
/// tried in the order of the interface.
template <class Interface, class Handlers>
void handle_mail(caf::type_erased_tuple& content, Handlers&& handlers) {
  detail::mail_handler<typename Interface::signatures>::run(content, handlers);
}

} // namespace canang::actors
