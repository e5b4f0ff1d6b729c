-- A node says that it lives, and sees who else does.
--
-- A lease is held until its end; then it has lapsed, and others may take the node's members away; when that
-- is done it is gone. Time in which Redis could not be used (memory full, replicas away, down, cut off) is
-- not held against anybody: when no node has renewed for longer than nodes take, the leases that were held
-- until then go on.
--
-- Each partition has leases of its own, so that whatever looks at them finds them in the slot of its room. Those of
-- one partition of a shard tell besides which nodes there are.
--
-- KEYS: 1 leases (node -> ms of its end, sorted), 2 what each node tells of itself, 3 there when others
--       took this node's members away, and when they did, 4 there for some time after one in which nobody
--       renewed
-- ARGV: 1 node, 2 ms that a lease lasts, 3 what it tells of itself, or '' in all partitions but one, 4 ms from one
--       renewal to the next
-- Answers { 1 when it had a lease until now, else 0; now in ms; when its members were taken away or '';
-- node, end, what it tells, ... }: of all nodes; where they tell nothing, of those whose lease has lapsed.

local now, lasts, interval = now_ms(), tonumber(ARGV[2]), tonumber(ARGV[4])
local newest = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
local last_end = newest[2] and tonumber(newest[2]) or -math.huge
local last_renewal = math.min(last_end - lasts, now) -- a clock may have been set back

-- How long nobody could renew. Nodes find their way back at moments that are the farther apart the longer it
-- was: after a long pause they all get a whole lease. For as long nobody tells leaves, since who has come back
-- meanwhile is not known yet.
local pause = now - last_renewal - interval
if not newest[1] or pause < interval / 4 then
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

local own = redis.call('ZSCORE', KEYS[1], ARGV[1])
local had = own and end_of(tonumber(own)) >= now and 1 or 0
if pause > 0 or last_end > now + lasts then
  local leases = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
  for i = 1, #leases, 2 do
    local ends = tonumber(leases[i + 1])
    local moved = end_of(ends)
    if moved ~= ends then
      redis.call('ZADD', KEYS[1], text(moved), leases[i])
    end
  end
end
redis.call('ZADD', KEYS[1], text(now + lasts), ARGV[1])
if pause > 0 then
  redis.call('SET', KEYS[4], '', 'PX', text(pause))
end
local answer = {had, text(now), redis.call('GET', KEYS[3]) or ''}
local tells = ARGV[3] ~= ''
if tells then
  redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
end
local latest = tells and '+inf' or '(' .. text(now)
local told = redis.call('ZRANGE', KEYS[1], '-inf', latest, 'BYSCORE', 'WITHSCORES')
for i = 1, #told, 2 do
  answer[#answer + 1] = told[i]
  answer[#answer + 1] = text(tonumber(told[i + 1]))
  answer[#answer + 1] = tells and (redis.call('HGET', KEYS[2], told[i]) or '{}') or ''
end
return answer
