-- Local members of one node came to a room or left it.
--
-- KEYS: 1 members (NODE/CONNECTION -> user), 2 counts (node -> members), 3 users (user -> connections),
--       4 grace (user, or '\0NODE/CONNECTION' of one without -> 'MS:NODE/CONNECTION': when its leave is
--       due, and which), 5 the node's rooms
-- ARGV: 1 node, 2 room, 3 'full' when what follows are all members of the node, else 'delta',
--       4 members of the node, 5 ms of grace, or '' where leaves are not told, then for each change:
--       connection, user, and '+' for one that came, '?' for one that came and may have been added by an
--       earlier try, '=' for one whose coming is dealt with, '-' for one that went
-- Answers { connection, user, ... }: of those that came, who was not there before in any way.

local members, counts, users, grace, rooms = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local node = ARGV[1]
local joined = {}
local now = now_ms()

local function add(connection, user, how)
  local is_added = redis.call('HSET', members, node .. '/' .. connection, user) == 1
  if is_added and user ~= '' then
    redis.call('HINCRBY', users, user, 1)
    if redis.call('HDEL', grace, user) == 1 then
      return -- it is back in time
    end
  end
  if how == '=' or not (is_added or how == '?') then
    return
  end
  if user ~= '' and tonumber(redis.call('HGET', users, user)) > 1 then
    return
  end
  joined[#joined + 1] = connection
  joined[#joined + 1] = user
end

local function remove(connection)
  local field = node .. '/' .. connection
  local user = redis.call('HGET', members, field)
  if not user then
    return
  end
  redis.call('HDEL', members, field)
  if user ~= '' then
    if redis.call('HINCRBY', users, user, -1) > 0 then
      return
    end
    redis.call('HDEL', users, user)
  end
  if ARGV[5] ~= '' then
    redis.call('HSET', grace, user ~= '' and user or '\0' .. field,
      string.format('%.0f:', now + ARGV[5]) .. field)
  end
end

if ARGV[3] == 'full' then
  local here = {}
  for i = 6, #ARGV, 3 do
    here[ARGV[i]] = true
  end
  for _, field in ipairs(redis.call('HKEYS', members)) do
    local connection = string.match(field, '^' .. node .. '/(%d+)$')
    if connection and not here[connection] then
      remove(connection)
    end
  end
end
for i = 6, #ARGV, 3 do
  if ARGV[i + 2] == '-' then
    remove(ARGV[i])
  else
    add(ARGV[i], ARGV[i + 1], ARGV[i + 2])
  end
end
if ARGV[4] == '0' then
  redis.call('HDEL', counts, node)
  redis.call('SREM', rooms, ARGV[2])
else
  redis.call('HSET', counts, node, ARGV[4])
  redis.call('SADD', rooms, ARGV[2])
end
return joined
