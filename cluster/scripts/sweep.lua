-- Leaves that are overdue: whoever was to tell them is gone too.
--
-- KEYS: 1 grace, as of presence.lua
-- ARGV: 1 ms overdue
-- Answers { NODE/CONNECTION, user, ... }.

local gone = {}
local all = redis.call('HGETALL', KEYS[1])
local now = now_ms()
for i = 1, #all, 2 do
  local due, member = string.match(all[i + 1], '^(%d+):(.*)$')
  if due and tonumber(due) + ARGV[1] < now then
    redis.call('HDEL', KEYS[1], all[i])
    gone[#gone + 1] = member
    gone[#gone + 1] = string.sub(all[i], 1, 1) == '\0' and '' or all[i]
  end
end
return gone
