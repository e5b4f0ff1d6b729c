-- Leaves that are overdue: whoever was to tell them is gone too. They stay until somebody asks leave.lua
-- for them, which gives each to one.
--
-- KEYS: 1 grace, as of presence.lua
-- ARGV: 1 ms overdue, 2 cursor, at first '0', 3 leaves looked at in a page
-- Answers { next cursor, or '0' when all were looked at; NODE/CONNECTION, who, ... }.

local page = redis.call('HSCAN', KEYS[1], ARGV[2], 'COUNT', ARGV[3])
local answer = {page[1]}
local now = now_ms()
for i = 1, #page[2], 2 do
  local who = page[2][i]
  local due, member, rest = string.match(page[2][i + 1], '^(%d+):([^%z]*)(.*)$')
  if due and tonumber(due) + ARGV[1] < now then
    answer[#answer + 1] = member
    answer[#answer + 1] = (string.sub(who, 1, 1) == '\0' and '' or who) .. rest
  end
end
return answer
