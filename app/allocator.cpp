// How the allocator is to work. Part of the program and of no library, which would leave it out.

/// jemalloc reads this before anything is allocated. What a crowd took is given back within two seconds
/// or so, by a thread of jemalloc's own, so that no loop waits for it.
extern "C" {
extern const char* malloc_conf; // NOLINT(readability-identifier-naming): jemalloc's name
const char* malloc_conf = "background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:0";
}
