-- A part of a room's history for somebody who is no member: nobody holds the room for it.
--
-- KEYS: 1 meta, 2 stream, 3 stream of its joins and leaves
-- ARGV: 1 an epoch for a room whose data has come to another life, 2 '1' to look at the life of the data,
--       3 the offset behind which publications are wanted, in reverse before which, or '' for all,
--       4 how many at most, 5 '1' in reverse
-- Answers as read.lua, with no fewer than are wanted: in reverse the last ones, oldest first all the same. Of a
-- room that is not known nothing.

local meta, stream = KEYS[1], KEYS[2]
if redis.call('HEXISTS', meta, 'e') == 0 then
  return {}
end
local life = ARGV[2] == '1' and life_of_data() or ''
local epoch, top, lineage, mix = open_room(meta, stream, life, ARGV[1])
local since, limit, is_reverse = tonumber(ARGV[3]), math.max(1, tonumber(ARGV[4])), ARGV[5] == '1'

-- An entry is a batch, so as many entries as publications are enough; in reverse the first one may have
-- publications behind what is wanted.
local entries, from, last, _ = nil, '-', top
if is_reverse then
  local around = since
    and redis.call('XRANGE', stream, entry_id(math.max(since - 1, 0)), '+', 'COUNT', 1)[1]
  if around then
    _, last = offsets_of(around)
  end
  local newest = around and around[1] or '+'
  local found = redis.call('XREVRANGE', stream, newest, '-', 'COUNT', text(limit + 1))
  entries = {}
  for i = #found, 1, -1 do
    entries[#entries + 1] = found[i]
  end
  if #entries > limit then
    from = entry_id((offsets_of(entries[1])))
  end
else
  from = since and entry_id(since + 1) or '-'
  entries = redis.call('XRANGE', stream, from, '+', 'COUNT', text(limit))
  if #entries >= limit then
    _, last = offsets_of(entries[#entries])
  end
end
local answer = {epoch, text(top), lineage, text(last), entries}
if mix then
  local to = last == top and '+' or entry_id(last)
  local events = redis.pcall('XRANGE', KEYS[3], from, to)
  answer[6] = events.err and {} or events
  answer[7] = text(floor_of(mix, stream))
end
return answer
