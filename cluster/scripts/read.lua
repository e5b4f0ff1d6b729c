-- Where a room stands, and what is kept of it after some offset.
--
-- KEYS: 1 meta, 2 stream
-- ARGV: 1 an epoch for a room that needs a new one, 2 '1' to look at the life of the data, 3 ms to keep
--       the meta, 4 the node, 5 the offset after which publications are wanted, or '' for none
-- Answers { epoch, top offset, lineage, entries as of XRANGE }.

local meta, stream = KEYS[1], KEYS[2]
local life = ARGV[2] == '1' and life_of_data() or ''
local epoch, top, lineage = hold_room(meta, stream, life, ARGV[1], ARGV[4], ARGV[3])
local entries = {}
if ARGV[5] ~= '' then
  entries = redis.call('XRANGE', stream, string.format('%.0f-0', tonumber(ARGV[5]) + 1), '+')
end
return {epoch, string.format('%.0f', top), lineage, entries}
