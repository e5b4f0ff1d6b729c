-- A node is dead: takes its members out of a room.
--
-- KEYS: 1 members, 2 counts, 3 users, 4 the node's rooms, as of presence.lua
-- ARGV: 1 node, 2 room
-- Answers { NODE/CONNECTION, user, ... }: those whose user is not there any more.

local members, counts, users, rooms = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local prefix = ARGV[1] .. '/'
local gone = {}
local all = redis.call('HGETALL', members)
for i = 1, #all, 2 do
  local field, user = all[i], all[i + 1]
  if string.sub(field, 1, #prefix) == prefix then
    redis.call('HDEL', members, field)
    local is_gone = true
    if user ~= '' then
      is_gone = redis.call('HINCRBY', users, user, -1) <= 0
      if is_gone then
        redis.call('HDEL', users, user)
      end
    end
    if is_gone then
      gone[#gone + 1] = field
      gone[#gone + 1] = user
    end
  end
end
redis.call('HDEL', counts, ARGV[1])
redis.call('SREM', rooms, ARGV[2])
return gone
