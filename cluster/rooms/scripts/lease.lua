-- A node says that it lives, and sees who else does.
--
-- A lease is held until its end; then it has lapsed, and others may take the node's members away; when that
-- is done it is gone. Time in which Redis could not be used (memory full, replicas away, down, cut off) is
-- not held against anybody: when no node has renewed for longer than nodes take, the leases that were held
-- until then go on.
--
-- KEYS: 1 leases (node -> ms of its end, sorted), 2 what each node tells of itself, 3 there when others
--       took this node's members away, and when they did, 4 there for some time after one in which nobody
--       renewed
-- ARGV: 1 node, 2 ms that a lease lasts, 3 what it tells of itself, 4 ms from one renewal to the next
-- Answers { 1 when it had a lease until now, else 0; now in ms; when its members were taken away or '';
-- node, end, what it tells, ... }.

local now, lasts, interval = now_ms(), tonumber(ARGV[2]), tonumber(ARGV[4])
local leases = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
local last_renewal = -math.huge
for i = 2, #leases, 2 do
  leases[i] = tonumber(leases[i])
  last_renewal = math.max(last_renewal, leases[i] - lasts)
end
last_renewal = math.min(last_renewal, now) -- a clock that was set back

-- How long nobody could renew. Nodes find their way back at moments that are the farther apart the longer it
-- was: after a long pause they all get a whole lease. For as long nobody tells leaves, since who has come back
-- meanwhile is not known yet.
local pause = now - last_renewal - interval
if #leases == 0 or pause < interval / 4 then
  pause = 0
elseif pause + interval > lasts / 2 then
  pause = lasts
end

local function end_of(lease)
  if lease < last_renewal then
    return lease -- it had lapsed before
  end
  return pause == lasts and now + lasts or math.min(lease + pause, now + lasts)
end

local had = 0
for i = 1, #leases, 2 do
  local moved = end_of(leases[i + 1])
  if leases[i] == ARGV[1] then
    had = moved >= now and 1 or 0
  elseif moved ~= leases[i + 1] then
    redis.call('ZADD', KEYS[1], text(moved), leases[i])
    leases[i + 1] = moved
  end
end
redis.call('ZADD', KEYS[1], text(now + lasts), ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
if pause > 0 then
  redis.call('SET', KEYS[4], '', 'PX', text(pause))
end
local answer = {had, text(now), redis.call('GET', KEYS[3]) or '', ARGV[1], text(now + lasts), ARGV[3]}
for i = 1, #leases, 2 do
  if leases[i] ~= ARGV[1] then
    answer[#answer + 1] = leases[i]
    answer[#answer + 1] = text(leases[i + 1])
    answer[#answer + 1] = redis.call('HGET', KEYS[2], leases[i]) or '{}'
  end
end
return answer
