-- Where a room stands, and what is kept of it after some offset.
--
-- KEYS: 1 meta, 2 stream, 3 stream of its joins and leaves
-- ARGV: 1 an epoch for a room that needs a new one, 2 '1' to look at the life of the data, 3 ms to keep
--       the meta, 4 the node, 5 the offset after which publications are wanted, or '' for none
-- Answers { epoch, top offset, lineage, the offset at which the entries end, entries as of XRANGE }; of a room that
-- has joins and leaves besides { ..., entries of theirs, offset up to which messages may be gone }.

local meta, stream = KEYS[1], KEYS[2]
local life = ARGV[2] == '1' and life_of_data() or ''
local epoch, top, lineage, mix = hold_room(meta, stream, life, ARGV[1], ARGV[4], ARGV[3])
local answer = {epoch, text(top), lineage, text(top), {}}
if ARGV[5] ~= '' then
  local from = entry_id(tonumber(ARGV[5]) + 1)
  answer[5] = redis.call('XRANGE', stream, from, '+')
  if mix then
    local events = redis.pcall('XRANGE', KEYS[3], from, '+')
    answer[6] = events.err and {} or events
    answer[7] = text(floor_of(mix, stream))
  end
end
return answer
