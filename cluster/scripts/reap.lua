-- A node is dead: takes its members out of a room.
--
-- KEYS: 1 members, 2 counts, 3 users, 4 grace, 5 the node's rooms, 6 what its calls have answered, as of
--       presence.lua
-- ARGV: 1 node, 2 room, 3 '1' where leaves are told
-- Answers { NODE/CONNECTION, user, ... }: those whose user is not there any more. Their leaves are due at
-- once; should nobody hear the answer, they are found as any that are overdue.

local members, counts, users, grace, rooms = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local prefix = ARGV[1] .. '/'
local due = string.format('%.0f:', now_ms())
local gone = {}

local function take_out(field, user)
  local others = user ~= '' and redis.call('HINCRBY', users, user, -1) or 0 -- first: it may be refused
  redis.call('HDEL', members, field)
  if others > 0 then
    return
  elseif user ~= '' then
    redis.call('HDEL', users, user)
  end
  if ARGV[3] == '1' then
    redis.call('HSET', grace, user ~= '' and user or '\0' .. field, due .. field)
    gone[#gone + 1] = field
    gone[#gone + 1] = user
  end
end

local all = redis.call('HGETALL', members)
for i = 1, #all, 2 do
  if string.sub(all[i], 1, #prefix) == prefix then
    take_out(all[i], all[i + 1])
  end
end
redis.call('HDEL', counts, ARGV[1])
redis.call('SREM', rooms, ARGV[2])
redis.call('DEL', KEYS[6])
return gone
