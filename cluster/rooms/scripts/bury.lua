-- All members of a node without a lease have been taken away: it is forgotten, unless it has come back.
--
-- KEYS: 1 leases, 2 what each node tells of itself, as of lease.lua
-- ARGV: 1 node

local lease = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not lease or tonumber(lease) < now_ms() then
  redis.call('ZREM', KEYS[1], ARGV[1])
  redis.call('HDEL', KEYS[2], ARGV[1])
end
