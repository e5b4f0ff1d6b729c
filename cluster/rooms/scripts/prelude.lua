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

local function text(number)
  return string.format('%.0f', number)
end

-- Of what tells who a member is (cluster/who_text.hpp): the name of its user, and the rest from the NUL on, if any.
local function parts_of(who)
  local cut = string.find(who, '\0', 1, true)
  if not cut then
    return who, ''
  end
  return string.sub(who, 1, cut - 1), string.sub(who, cut)
end

local function entry_id(offset)
  return text(offset) .. '-0'
end

-- The first and the last offset of a stream's entry, which is a batch (cluster/envelope.hpp).
local function offsets_of(entry)
  local last, batch = tonumber(string.match(entry[1], '^%d+')), entry[2][2]
  local stored, at = 0, 17
  while at <= #batch do
    at = at + 13 + struct.unpack('<I4', batch, at + 9)
    stored = stored + 1
  end
  return last - stored + 1, last
end

-- How many ends of earlier epochs are kept.
local lineage_limit = 16

-- Where a room stands: epoch, top offset, lineage, and its `mix` (see events.lua) if it has one. The lineage
-- tells where earlier epochs ended, as 'EPOCH:LAST,EPOCH:LAST,': a client that has no more than that of an
-- earlier epoch has missed nothing of it. A room that is new, or whose data has come to another life, gets
-- `fresh_epoch`.
local function open_room(meta, stream, life, fresh_epoch)
  local known = redis.call('HMGET', meta, 'e', 'o', 'r', 'l', 'x', 'm', 'f', 'c', 'k', 'p')
  local epoch, top, lineage = known[1], tonumber(known[2] or 0), known[4] or ''
  local mix = known[5] and {
    event = tonumber(known[5]), message = tonumber(known[6]), floor = tonumber(known[7]),
    behind = tonumber(known[8]), marks = known[9], part = tonumber(known[10]),
  } or nil
  if not epoch then
    if redis.call('TYPE', stream).ok == 'stream' then
      redis.call('DEL', stream)
    end
    epoch, top, lineage = fresh_epoch, 0, ''
  elseif life == '' or known[3] == life then
    return epoch, top, lineage, mix
  else
    lineage = lineage .. epoch .. ':' .. text(top) .. ','
    local _, ends = string.gsub(lineage, ',', ',')
    for _ = lineage_limit + 1, ends do
      lineage = string.gsub(lineage, '^[^,]*,', '', 1)
    end
    epoch = fresh_epoch
  end
  redis.call('HSET', meta, 'e', epoch, 'o', text(top), 'r', life, 'l', lineage)
  return epoch, top, lineage, mix
end

-- The same for a node that has members there and only looks. As long as nothing was published, be it a join,
-- the room is held by the nodes that have looked, as 'NODE,NODE,' in its field h, and goes with the last.
local function hold_room(meta, stream, life, fresh_epoch, node, ttl)
  local epoch, top, lineage, mix = open_room(meta, stream, life, fresh_epoch)
  if top == 0 then
    local holders = redis.call('HGET', meta, 'h') or ''
    if not string.find(holders, node .. ',', 1, true) then
      redis.pcall('HSET', meta, 'h', holders .. node .. ',') -- a full Redis keeps nobody out
    end
  end
  redis.call('PEXPIRE', meta, ttl)
  return epoch, top, lineage, mix
end

-- A node has nobody in a room any more. When nothing was ever published there, and no other node holds the
-- room, it is forgotten: nobody has a position of it that could be resumed from.
local function release_room(meta, counts, node)
  local known = redis.call('HMGET', meta, 'o', 'h')
  if known[1] ~= '0' then
    return
  end
  local holders = known[2] or ''
  local from, to = string.find(holders, node .. ',', 1, true)
  if from then
    holders = string.sub(holders, 1, from - 1) .. string.sub(holders, to + 1)
  end
  -- The counts tell of nodes that hold nothing: of the version before, or whose hold was lost with the meta.
  local others = redis.call('HLEN', counts) - redis.call('HEXISTS', counts, node)
  if holders == '' and others == 0 then
    redis.call('DEL', meta)
  else
    redis.call('HSET', meta, 'h', holders)
  end
end
