-- Stores a batch of publications of one room as one entry, and publishes it.
--
-- KEYS: 1 meta, 2 stream, then the idempotency key of each publication that has one
-- ARGV: 1 channel, 2 an epoch for a room that needs a new one, 3 publications to keep, 4 offset up to
--       which nothing is kept (or 0), 5 ms to keep the history, 6 ms to keep the meta, 7 ms to keep an
--       idempotency key, 8 '1' to look at the life of the data, 9 of a second try: the top offset that
--       the first one met at least, else '', 10 header of the batch, 11 publications in the batch,
--       12 their bytes, all of them; or, where there are idempotency keys: 12.. the bytes of each, then
--       for each the index of its key among the idempotency keys, or 0
-- Answers { epoch, first offset, 'EPOCH:OFFSET' or '' for each idempotency key }: the latter where the
-- key was used before, be it in this batch. With 'UNKNOWN' where it cannot be told whether a first try was stored.

local meta, stream = KEYS[1], KEYS[2]
local kept, ttl, meta_ttl = tonumber(ARGV[3]), ARGV[5], ARGV[6]
local header, count = ARGV[10], tonumber(ARGV[11])
local key_count = #KEYS - 2
local life = ARGV[8] == '1' and life_of_data() or ''
local epoch, top, _, mix = open_room(meta, stream, life, ARGV[2])

local used = {}
for k = 1, key_count do
  used[k] = redis.call('GET', KEYS[2 + k]) or ''
end

-- A second try: was the first one stored? Its entry begins with the same header.
local seen = tonumber(ARGV[9])
if seen and top > 0 then
  local from = seen < top and seen or 0 -- beyond the top: of a history that has lost its end
  for _, entry in ipairs(redis.call('XRANGE', stream, entry_id(from + 1), '+')) do
    if string.sub(entry[2][2], 1, 16) == header then
      local first, last = offsets_of(entry)
      local is_known = {}
      for k = 1, key_count do
        local offset = tonumber(string.match(used[k], ':(%d+)$') or 0)
        if offset >= first and offset <= last and not is_known[KEYS[2 + k]] then
          used[k] = ''
          is_known[KEYS[2 + k]] = true -- another publication with it was a duplicate then too
        end
      end
      return {epoch, text(first), unpack(used)}
    end
  end
  local floor
  if mix then
    floor = floor_of(mix, stream)
  else
    local oldest = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
    floor = oldest and offsets_of(oldest) - 1 or top
  end
  if seen < floor and key_count < count then -- else the idempotency keys tell
    return {'UNKNOWN'} -- it may have been stored, and be gone
  end
end

local body
local fresh = count
local places = {} -- of what is stored now, by idempotency key
if key_count == 0 then
  body = header .. ARGV[12]
else
  local pieces = {header}
  fresh = 0
  for i = 1, count do
    local k = tonumber(ARGV[11 + count + i])
    local key = KEYS[2 + k]
    if k ~= 0 and used[k] == '' then
      used[k] = places[key] or ''
    end
    if k == 0 or used[k] == '' then
      fresh = fresh + 1
      pieces[#pieces + 1] = ARGV[11 + i]
      if k ~= 0 then
        places[key] = epoch .. ':' .. text(top + fresh)
      end
    end
  end
  body = table.concat(pieces)
end

local first = top + 1
if fresh > 0 then
  top = top + fresh
  local is_mix_over = mix and mix.event < top - kept
  if is_mix_over then
    mix = nil
  elseif mix then
    add_messages(mix, stream, first, top, kept)
  end
  if kept > 0 then
    local trim = tonumber(ARGV[4])
    if trim >= first then
      trim = 0 -- an offset of a history that ended before
    end
    local floor = math.max(mix and mix.floor or top - kept, trim)
    local added = redis.pcall('XADD', stream, 'MINID', entry_id(floor + 1), entry_id(top), 'b', body)
    if type(added) == 'table' and added.err then
      if not string.find(added.err, 'equal or smaller', 1, true) then
        return added
      end
      redis.call('DEL', stream) -- of an earlier life of the room
      redis.call('XADD', stream, entry_id(top), 'b', body)
      floor = first - 1
    end
    if mix then
      mix.floor = floor
    end
    redis.call('PEXPIRE', stream, ttl)
  else
    redis.call('DEL', stream) -- of when something was kept: what came since is missing in it
  end
  for key, place in pairs(places) do -- now that it is stored
    redis.call('SET', key, place, 'PX', ARGV[7])
  end
  if first == 1 then
    redis.call('HDEL', meta, 'h') -- it is held by its history now
  end
  if mix then
    redis.call('HSET', meta, 'o', text(top), 'm', text(mix.message), 'f', text(mix.floor),
      'c', text(mix.behind), 'k', mix.marks, 'p', text(mix.part))
  else
    redis.call('HSET', meta, 'o', text(top))
  end
  if is_mix_over then
    redis.call('HDEL', meta, 'x', 'm', 'f', 'c', 'k', 'p')
  end
  redis.call('PUBLISH', ARGV[1],
    '1 ' .. epoch .. ' ' .. text(first) .. ' ' .. text(fresh) .. '\n' .. body)
end
redis.call('PEXPIRE', meta, meta_ttl)
return {epoch, text(first), unpack(used)}
