-- Leaves that are overdue: whoever was to tell them is gone too. They stay until somebody asks leave.lua
-- for them, which gives each to one.
--
-- KEYS: 1 grace, as of presence.lua
-- ARGV: 1 ms overdue
-- Answers { NODE/CONNECTION, user, ... }.

local overdue = {}
local all = redis.call('HGETALL', KEYS[1])
local now = now_ms()
for i = 1, #all, 2 do
  local due, member = string.match(all[i + 1], '^(%d+):(.*)$')
  if due and tonumber(due) + ARGV[1] < now then
    overdue[#overdue + 1] = member
    overdue[#overdue + 1] = string.sub(all[i], 1, 1) == '\0' and '' or all[i]
  end
end
return overdue
