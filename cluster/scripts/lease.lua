-- A node says that it lives, and sees who else does.
--
-- KEYS: 1 leases (node -> ms of its end, sorted), 2 what each node tells of itself, 3 there when others
--       took this node for dead
-- ARGV: 1 node, 2 ms that the lease lasts, 3 what it tells of itself
-- Answers { 1 when it had a lease until now, 0 when not, 2 when not and its members were taken away; now
-- in ms, node, end, what it tells, ... }.

local now = now_ms()
local before = redis.call('ZSCORE', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[2]), ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
local had = (before and tonumber(before) >= now) and 1 or 0
if had == 0 and redis.call('DEL', KEYS[3]) == 1 then
  had = 2
end
local answer = {had, string.format('%.0f', now)}
local leases = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
for i = 1, #leases, 2 do
  answer[#answer + 1] = leases[i]
  answer[#answer + 1] = leases[i + 1]
  answer[#answer + 1] = redis.call('HGET', KEYS[2], leases[i]) or '{}'
end
return answer
