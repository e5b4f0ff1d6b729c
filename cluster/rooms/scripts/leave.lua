-- The graces of connections that left a room are over: tells the leaves of those who are not back.
--
-- KEYS: 1 to 3 of the room, as of events.lua; 4 grace, as of presence.lua; 5 there while nodes find their way
--       back after a pause, as of lease.lua
-- ARGV: 1 to 7 as of events.lua, then for each leave: user, or '\0NODE/CONNECTION' of one without;
--       NODE/CONNECTION; the member as JSON
-- Not told are others: the user is back, or has left again since by another connection, or somebody else
-- has told it, be it an earlier try of this call. Whoever asks has waited for the grace by its own clock.
-- Answers how many were told, or 'later'.

if redis.call('EXISTS', KEYS[5]) == 1 then
  return 'later'
end
local grace = KEYS[4]
local events = {}
redis.call('HEXISTS', KEYS[1], 'e') -- if nothing can be told, everything stays as it is
for i = told_arguments + 1, #ARGV, 3 do
  local waits = redis.call('HGET', grace, ARGV[i])
  if waits and string.match(waits, '^%d+:([^%z]*)') == ARGV[i + 1] then
    redis.call('HDEL', grace, ARGV[i])
    events[#events + 1] = {left_flag, ARGV[i + 2]}
  end
end
tell(events)
return #events
