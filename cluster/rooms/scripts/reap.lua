-- A node is dead: takes its members out of a room, a page of the room's members a call.
--
-- KEYS: 1 members, 2 counts, 3 users, 4 grace, 5 the node's rooms, 6 its last call, all as of presence.lua;
--       7 leases, 8 when this node's members were taken away, as of lease.lua; 9 the room's meta
-- ARGV: 1 node, 2 room, 3 '1' where leaves are told, 4 cursor, at first '0', 5 members looked at in a page
-- Answers { next cursor, or '0' when all is done; NODE/CONNECTION, who, ... }: those whose user is not
-- there any more. Their leaves are due at once; whoever asks leave.lua for them tells them. Should nobody
-- hear the answer, they are found as any that are overdue. Of a node that has come back { 'alive' }.

local members, counts, users, grace, rooms = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local remembered_ms = 86400000 -- a node that was cut off for longer is new to those in its rooms
local prefix = ARGV[1] .. '/'
local now = now_ms()
local due = text(now) .. ':'

local lease = redis.call('ZSCORE', KEYS[7], ARGV[1])
if lease and tonumber(lease) >= now then
  return {'alive'}
end

local page = redis.call('HSCAN', members, ARGV[4], 'COUNT', ARGV[5])
local answer = {page[1]}

local function take_out(field, who)
  local user, rest = parts_of(who)
  local others = user ~= '' and redis.call('HINCRBY', users, user, -1) or 0 -- first: it may be refused
  redis.call('HDEL', members, field)
  if others > 0 then
    return
  elseif user ~= '' then
    redis.call('HDEL', users, user)
  end
  if ARGV[3] == '1' then
    redis.call('HSET', grace, user ~= '' and user or '\0' .. field, due .. field .. rest)
    answer[#answer + 1] = field
    answer[#answer + 1] = who
  end
end

local is_marked = false
for i = 1, #page[2], 2 do
  local field = page[2][i]
  -- a page may have a member twice
  if string.sub(field, 1, #prefix) == prefix and redis.call('HEXISTS', members, field) == 1 then
    if not is_marked then
      redis.call('SET', KEYS[8], text(now), 'PX', remembered_ms)
      is_marked = true
    end
    take_out(field, page[2][i + 1])
  end
end
if page[1] == '0' then
  redis.call('HDEL', counts, ARGV[1])
  redis.call('SREM', rooms, ARGV[2])
  redis.call('DEL', KEYS[6])
  pcall(release_room, KEYS[9], counts, ARGV[1]) -- else it ends by itself
end
return answer
