// How long to wait before the next attempt.

const firstDelayMs = 500;
const maxDelayMs = 15_000;
export const stableMs = 5000; // what lived this long starts the backoff anew

// Exponential with full jitter, so that the clients of a lost server don't return all at once.
export function backoffMs(attempt, { random = Math.random, first = firstDelayMs, most = maxDelayMs } = {}) {
  return random() * Math.min(most, first * 2 ** attempt);
}
