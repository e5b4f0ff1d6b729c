-- Local members of one node came to a room or left it. Who comes is told in the same step.
--
-- Of each user (or connection without one) a room knows one of three things: it is there (users), it has
-- left and its grace is not over (grace), or it is not there. Members of the room have been told the same,
-- but for those in their grace, whose leave is told by the step that takes them out of it (leave.lua).
-- So a call that is made again, since its answer was lost, changes nothing and tells nothing.
--
-- KEYS: 1 to 3 of the room, as of events.lua; 4 members (NODE/CONNECTION -> who, as of parts_of), 5 counts (node ->
--       members), 6 users (user -> connections), 7 grace (user, or '\0NODE/CONNECTION' of one without ->
--       'MS:NODE/CONNECTION' and the rest of who it was: when its leave is due, and which), 8 the node's rooms, 9 number of the node's
--       last call that followed a lost answer, 10 leases, 11 when the node's members were taken away, as of
--       lease.lua
-- ARGV: 1 to 7 as of events.lua; 8 node, 9 room, 10 members of the node, 11 ms of grace, or '' where nothing
--       is told, 12 number of this call of the node's, 13 number of the first call whose answer it has not
--       heard, else of this one, 14 cursor, or '' for no look at who is there, 15 members looked at in a
--       page, 16 what the node knows of KEYS[11], then for each change: connection, who, how, the member as
--       JSON. How: '+' for one that came, '=' for one that came before, which is missing only if Redis has
--       forgotten it, '-' for one that went
-- Answers { 'done', next cursor or '0', connections of the node that were found there, ... }, { 'late' } for
-- a call that an old link brings after a later one, or { 'lease' }: without a lease, others may be about
-- to take the node's members away, or have done so, and a node that does not know changes nothing.

local members, counts, users, grace, rooms = KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local node, room, count, grace_ms = ARGV[8], ARGV[9], ARGV[10], ARGV[11]
local call, unheard, cursor = tonumber(ARGV[12]), tonumber(ARGV[13]), ARGV[14]
local first_change = 17
local remembered_ms = 600000 -- no link carries anything for longer
local prefix = node .. '/'
local now = now_ms()
local events = {}

local function add(connection, who, how, json)
  local field, user = prefix .. connection, parts_of(who)
  if redis.call('HSET', members, field, who) == 0 then
    return -- an earlier try has added it
  end
  local is_back = redis.call('HDEL', grace, user ~= '' and user or '\0' .. field) == 1
  local connections = user ~= '' and redis.call('HINCRBY', users, user, 1) or 1
  if how == '+' and grace_ms ~= '' and not is_back and connections == 1 then
    events[#events + 1] = {joined_flag, json}
  end
end

local function remove(connection)
  local field = prefix .. connection
  local who = redis.call('HGET', members, field)
  if not who then
    return
  end
  local user, rest = parts_of(who)
  redis.call('HDEL', members, field)
  if user ~= '' then
    if redis.call('HINCRBY', users, user, -1) > 0 then
      return
    end
    redis.call('HDEL', users, user)
  end
  if grace_ms ~= '' then
    redis.call('HSET', grace, user ~= '' and user or '\0' .. field,
      text(now + grace_ms) .. ':' .. field .. rest)
  end
end

local lease = redis.call('ZSCORE', KEYS[10], node)
if not lease or tonumber(lease) < now or (redis.call('GET', KEYS[11]) or '') ~= ARGV[16] then
  return {'lease'}
end
local last = tonumber(redis.call('GET', KEYS[9]) or 0)
if last >= call then
  return {'late'}
end
if grace_ms ~= '' then
  redis.call('HEXISTS', KEYS[1], 'e') -- if nothing can be told, everything stays as it is
end
if unheard < call then
  redis.call('SET', KEYS[9], ARGV[12], 'PX', remembered_ms)
end
for i = first_change, #ARGV, 4 do
  if ARGV[i + 2] == '-' then
    remove(ARGV[i])
  else
    add(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3])
  end
end
if count == '0' then
  redis.call('HDEL', counts, node)
  redis.call('SREM', rooms, room)
else
  redis.call('HSET', counts, node, count)
  redis.call('SADD', rooms, room)
end
tell(events)

local answer = {'done', '0'}
if cursor ~= '' then
  local page = redis.call('HSCAN', members, cursor, 'COUNT', ARGV[15])
  answer[2] = page[1]
  for i = 1, #page[2], 2 do
    if string.sub(page[2][i], 1, #prefix) == prefix then
      answer[#answer + 1] = string.sub(page[2][i], #prefix + 1)
    end
  end
end
return answer
