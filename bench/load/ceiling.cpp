#include "bench/load/ceiling.hpp"

#include "bench/load/blaster.hpp"
#include "bench/load/progress.hpp"
#include "bench/load/report.hpp"

#include <fmt/format.h>

#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <new>
#include <random>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace canang::load {

namespace {

void pin_to(int cpu) {
  if (cpu < 0)
    return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<unsigned>(cpu), &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0)
    throw std::system_error(errno, std::generic_category(),
                            "can't pin to core " + std::to_string(cpu));
}

blaster_state* make_shared_state() {
  void* memory =
    mmap(nullptr, sizeof(blaster_state), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    throw std::system_error(errno, std::generic_category(), "mmap");
  return new (memory) blaster_state;
}

pid_t fork_blaster(const ceiling_options& o, descriptor& listener, std::uint32_t run,
                   blaster_state& shared) {
  const pid_t child = fork();
  if (child < 0)
    throw std::system_error(errno, std::generic_category(), "fork");
  if (child > 0)
    return child;
  int code = 0;
  try {
    pin_to(o.server_cpu);
    run_blaster(o, std::move(listener), run, shared);
  } catch (const std::exception& e) {
    fmt::print(stderr, "byte server: {}\n", e.what());
    code = 1;
  }
  shared.done = true;
  _exit(code);
}

double process_cpu_s() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

void wait_for(const auto& condition, milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition() && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(milliseconds{1});
}

/// Connects, lets the byte server blast for the duration, and drains what is under way.
results measure(const options& o, const ceiling_options& c, std::uint32_t run,
                blaster_state& shared) {
  const auto layout = make_plan(o, run);
  const auto language = make_dialect(o.dialect);
  run_state state{o, layout, *language};
  state.sent.resize(1);
  std::vector<std::unique_ptr<worker>> workers;
  workers.push_back(std::make_unique<worker>(state, 0, 1));
  std::thread thread{[&] { workers[0]->run(); }};
  const auto now = [&] { return add_up(state.clock, workers); };

  results r;
  r.wanted_connections = o.connections;
  wait_for([&] { return now().connected == o.connections || now().failed > 0; },
           milliseconds{30'000});
  r.connected = now().connected;
  state.now_in = phase::waiting;
  shared.go = true;
  std::this_thread::sleep_for(milliseconds{500}); // warm-up
  const auto from = now();
  const double cpu_from = process_cpu_s();
  std::this_thread::sleep_for(c.duration);
  const auto to = now();
  r.cpu_s = process_cpu_s() - cpu_from;
  shared.stop = true;
  wait_for([&] { return shared.done.load(); }, milliseconds{10'000});
  const std::uint64_t expected = std::uint64_t{shared.sent} * o.connections;
  wait_for([&] { return now().deliveries >= expected; }, milliseconds{10'000});
  state.sent[0] = shared.sent;
  state.now_in = phase::closing;
  thread.join();
  judge(state, workers, r);
  r.closes.clear(); // the byte server ends without a close frame
  r.measured_s = static_cast<double>(to.time_ns - from.time_ns) / 1e9;
  r.deliveries = to.deliveries - from.deliveries;
  r.bytes = to.bytes - from.bytes;
  return r;
}

/// Of an unmasked frame (RFC 6455, section 5.2).
std::size_t frame_header_size(std::size_t payload_size) {
  if (payload_size < 126)
    return 2;
  return payload_size <= 0xFFFF ? 4 : 10;
}

} // namespace

int measure_ceiling(const ceiling_options& c) {
  std::uint16_t port = 0;
  auto listener = listen_on_loopback(port);
  std::random_device entropy;
  const std::uint32_t run = entropy() % (1U << 24);
  payload::reserve_filler(c.size_bytes);
  auto* const shared = make_shared_state();
  const pid_t child = fork_blaster(c, listener, run, *shared);
  listener.close();
  pin_to(c.client_cpu);

  options o;
  o.urls = {fmt::format("ws://127.0.0.1:{}/", port)};
  o.rooms = 1;
  o.connections = o.members = c.connections;
  o.size_bytes = c.size_bytes;
  o.full_checks = c.full_checks;
  const auto r = measure(o, c, run, *shared);
  int status = 0;
  waitpid(child, &status, 0);

  const double frames_per_s = static_cast<double>(r.deliveries) / r.measured_s;
  // The byte server is usually the slower side: what the client's core had left counts too.
  const double client_cpu = r.cpu_s / r.measured_s;
  const double whole_core_per_s = client_cpu > 0 ? frames_per_s / client_cpu : 0;
  if (c.json != "-" && c.is_floor)
    fmt::print("sends            {:.0f}/s, one frame of {} B each, to {} sockets in turn\n"
               "reader's CPU     {:.0f} % of a core\n",
               frames_per_s, c.size_bytes + frame_header_size(c.size_bytes), c.connections,
               100 * client_cpu);
  else if (c.json != "-")
    fmt::print("received and checked   {:.2f} M frames/s, {:.0f} MB/s\n"
               "client's CPU           {:.0f} % of a core: {:.0f} ns a frame, {:.1f} M frames/s on "
               "a whole core\n"
               "with                   {} connections, {} B, batches of {}, checks {}\n"
               "lost {}  doubled {}  reordered {}\n",
               frames_per_s / 1e6, static_cast<double>(r.bytes) / r.measured_s / 1e6,
               100 * client_cpu, whole_core_per_s > 0 ? 1e9 / whole_core_per_s : 0,
               whole_core_per_s / 1e6, c.connections, c.size_bytes, c.batch,
               c.full_checks ? "full" : "count", r.lost, r.odd.doubled, r.odd.reordered);
  if (!c.json.empty())
    write_file(c.json,
               fmt::format("{{\"frames_per_s\": {:.0f}, \"frames_per_s_whole_core\": {:.0f}, "
                           "\"bytes_per_s\": {:.0f}, \"connections\": {}, \"size_bytes\": {}, "
                           "\"batch\": {}, \"checks\": \"{}\", \"client_cpu\": {:.3f}, "
                           "\"seconds\": {:.3f}, \"lost\": {}}}\n",
                           frames_per_s, whole_core_per_s,
                           static_cast<double>(r.bytes) / r.measured_s, c.connections, c.size_bytes,
                           c.batch, c.full_checks ? "full" : "count", client_cpu, r.measured_s,
                           r.lost));
  return r.exit_code();
}

} // namespace canang::load
