-- The grace of a connection that left a room is over: is its leave to be told?
--
-- KEYS: 1 grace, as of presence.lua
-- ARGV: 1 user, or '\0NODE/CONNECTION' of one without, 2 NODE/CONNECTION
-- Answers 1 when it is, else 0: the user is back, or has left again since by another connection, or
-- somebody else has told it. Whoever asks has waited for the grace by its own clock.

local waits = redis.call('HGET', KEYS[1], ARGV[1])
if not waits or string.match(waits, '^%d+:(.*)$') ~= ARGV[2] then
  return 0
end
redis.call('HDEL', KEYS[1], ARGV[1])
return 1
