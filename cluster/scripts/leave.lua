-- The graces of connections that left a room are over: which leaves are to be told?
--
-- KEYS: 1 grace, 2 users, as of presence.lua, 3 what an earlier try of this call has answered
-- ARGV: 1 'first' or, when the answer to an earlier try was not heard, 'again', then for each leave: user,
--       or '\0NODE/CONNECTION' of one without, and NODE/CONNECTION
-- Answers the places (from 0) of those to be told. Not of others: the user is back, or has left again
-- since by another connection, or somebody else has told it. Whoever asks has waited for the grace by
-- its own clock.

local grace, users, answered = KEYS[1], KEYS[2], KEYS[3]
local remembered_ms = 60000

local function who(place)
  return ARGV[2 + 2 * place]
end

local due = {}
local before = ARGV[1] == 'again' and redis.call('GET', answered)
if before then
  for _, place in ipairs(cmsgpack.unpack(before)) do
    if redis.call('HEXISTS', users, who(place)) == 0 then -- else it has come back meanwhile
      due[#due + 1] = place
    end
  end
  return due
end
for place = 0, (#ARGV - 1) / 2 - 1 do
  local waits = redis.call('HGET', grace, who(place))
  if waits and string.match(waits, '^%d+:(.*)$') == ARGV[3 + 2 * place] then
    redis.call('HDEL', grace, who(place))
    due[#due + 1] = place
  end
end
if #due > 0 then
  redis.call('SET', answered, cmsgpack.pack(due), 'PX', remembered_ms)
end
return due
