-- In front of every script. Redis runs a script as one step, so what is read here
-- is still true when it is written.

-- The life of this Redis' data: a promoted replica and a restarted server have another one than the
-- server that wrote before, and may lack the end of what that one had acknowledged.
local function life_of_data()
  return string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)') or ''
end

-- Unix time in ms by Redis' clock, which is the same for all nodes.
local function now_ms()
  local clock = redis.call('TIME')
  return clock[1] * 1000 + math.floor(clock[2] / 1000)
end

-- How many ends of earlier epochs are kept.
local lineage_limit = 16

-- Where a room stands: epoch, top offset, lineage. The lineage tells where earlier epochs ended, as
-- 'EPOCH:LAST,EPOCH:LAST,': a client that has no more than that of an earlier epoch has missed nothing
-- of it. A room that is new, or whose data has come to another life, gets `fresh_epoch`.
local function open_room(meta, stream, life, fresh_epoch)
  local known = redis.call('HMGET', meta, 'e', 'o', 'r', 'l')
  local epoch, top, lineage = known[1], tonumber(known[2] or 0), known[4] or ''
  if not epoch then
    if redis.call('TYPE', stream).ok == 'stream' then
      redis.call('DEL', stream)
    end
    epoch, top, lineage = fresh_epoch, 0, ''
  elseif life == '' or known[3] == life then
    return epoch, top, lineage
  else
    lineage = lineage .. epoch .. ':' .. string.format('%.0f', top) .. ','
    local _, ends = string.gsub(lineage, ',', ',')
    for _ = lineage_limit + 1, ends do
      lineage = string.gsub(lineage, '^[^,]*,', '', 1)
    end
    epoch = fresh_epoch
  end
  redis.call('HSET', meta, 'e', epoch, 'o', string.format('%.0f', top), 'r', life, 'l', lineage)
  return epoch, top, lineage
end

-- The same for a node that has members there and only looks. As long as nothing was published the room is
-- held by the nodes that have looked, as 'NODE,NODE,' in its field h, and goes with the last: release.lua.
local function hold_room(meta, stream, life, fresh_epoch, node, ttl)
  local epoch, top, lineage = open_room(meta, stream, life, fresh_epoch)
  if top == 0 then
    local holders = redis.call('HGET', meta, 'h') or ''
    if not string.find(holders, node .. ',', 1, true) then
      redis.pcall('HSET', meta, 'h', holders .. node .. ',') -- a full Redis keeps nobody out
    end
  end
  redis.call('PEXPIRE', meta, ttl)
  return epoch, top, lineage
end
