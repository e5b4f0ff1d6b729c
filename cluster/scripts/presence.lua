-- Local members of one node came to a room or left it.
--
-- KEYS: 1 members (NODE/CONNECTION -> user), 2 counts (node -> members), 3 users (user -> connections),
--       4 grace (user, or '\0NODE/CONNECTION' of one without -> 'MS:NODE/CONNECTION': when its leave is
--       due, and which), 5 the node's rooms, 6 what a call of the node's has answered: { call, joined }
-- ARGV: 1 node, 2 room, 3 'full' when what follows are all members of the node, else 'delta',
--       4 members of the node, 5 ms of grace, or '' where leaves are not told, 6 number of this call of
--       the node's, 7 number of the first call whose answer it has not heard, else of this one, then for
--       each change: connection, user, and '+' for one that came, '=' for one whose coming is dealt with,
--       '!' for one that comes anew, since others have told that it left, '-' for one that went
-- Answers { connection, user, ... }: of those that came, who was not there before in any way; also what
-- the calls before have answered that the node has not heard. That cannot be found out a second time:
-- who is in the room already, or is not in its grace any more, may be so by the first try.

local members, counts, users, grace, rooms = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local node = ARGV[1]
local call, unheard = tonumber(ARGV[6]), tonumber(ARGV[7])
local first_change = 8
local remembered_ms = 600000 -- no node is away for longer and not taken for dead

local joined, is_told = {}, {}
local past = redis.call('GET', KEYS[6])
if past then
  past = cmsgpack.unpack(past)
  if past[1] >= call then
    return {} -- the node has given up this call and made it anew: it comes late, by an old link
  elseif past[1] >= unheard then
    joined = past[2]
  end
end
for i = 1, #joined, 2 do
  is_told[joined[i]] = true
end
local told_before = #joined

local function field_of(connection)
  return node .. '/' .. connection
end

local function add(connection, user, how)
  if redis.call('HSET', members, field_of(connection), user) == 0 then
    return
  end
  if user ~= '' then
    local connections = redis.call('HINCRBY', users, user, 1)
    if redis.call('HDEL', grace, user) == 1 or connections > 1 then
      return -- it is back in time, or was there
    end
  end
  if how ~= '=' then
    joined[#joined + 1] = connection
    joined[#joined + 1] = user
  end
end

-- Whether there was such a member, and that was the last of its user.
local function take_out(connection)
  local field = field_of(connection)
  local user = redis.call('HGET', members, field)
  if not user then
    return false
  end
  redis.call('HDEL', members, field)
  if user ~= '' then
    if redis.call('HINCRBY', users, user, -1) > 0 then
      return false
    end
    redis.call('HDEL', users, user)
  end
  return true, user
end

local function remove(connection)
  local is_gone, user = take_out(connection)
  if is_gone and ARGV[5] ~= '' then
    local field = field_of(connection)
    redis.call('HSET', grace, user ~= '' and user or '\0' .. field,
      string.format('%.0f:', now_ms() + ARGV[5]) .. field)
  end
end

if ARGV[3] == 'full' then
  local here = {}
  for i = first_change, #ARGV, 3 do
    here[ARGV[i]] = true
  end
  for _, field in ipairs(redis.call('HKEYS', members)) do
    local connection = string.match(field, '^' .. node .. '/(%d+)$')
    if connection and not here[connection] then
      remove(connection)
    end
  end
end
for i = first_change, #ARGV, 3 do
  if ARGV[i + 2] == '!' and not is_told[ARGV[i]] then
    take_out(ARGV[i]) -- all of these before any comes back
  end
end
for i = first_change, #ARGV, 3 do
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
if (#joined > told_before and ARGV[5] ~= '') or unheard < call then -- nobody asks where nothing is told
  redis.call('SET', KEYS[6], cmsgpack.pack({call, joined}), 'PX', remembered_ms)
end
return joined
