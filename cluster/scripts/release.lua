-- A node has nobody in a room any more. When nothing was ever published there, and no other node holds the
-- room, it is forgotten: nobody has a position of it that could be resumed from.
--
-- KEYS: 1 meta, 2 counts, as of presence.lua
-- ARGV: 1 node

local known = redis.call('HMGET', KEYS[1], 'o', 'h')
if known[1] ~= '0' then
  return 0
end
local holders = known[2] or ''
local from, to = string.find(holders, ARGV[1] .. ',', 1, true)
if from then
  holders = string.sub(holders, 1, from - 1) .. string.sub(holders, to + 1)
end
-- The counts tell of nodes that hold nothing: of the version before, or whose hold was lost with the meta.
local others = redis.call('HLEN', KEYS[2]) - redis.call('HEXISTS', KEYS[2], ARGV[1])
if holders == '' and others == 0 then
  return redis.call('DEL', KEYS[1])
end
redis.call('HSET', KEYS[1], 'h', holders)
return 0
