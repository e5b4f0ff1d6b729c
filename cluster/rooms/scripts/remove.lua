-- Removes what is kept of a room, joins and leaves too. Where the room stands stays: its next publication has the next
-- offset of the same epoch, and who comes back from an earlier place is told that it has missed something.
--
-- KEYS: 1 meta, 2 stream, 3 stream of its joins and leaves
-- ARGV: 1 channel
--
-- Nodes with members of the room hear of it, since they remember recent publications: 'VERSION EPOCH OFFSET', all
-- up to there.

redis.call('DEL', KEYS[2], KEYS[3])
local known = redis.call('HMGET', KEYS[1], 'e', 'o')
if known[1] and known[2] and known[2] ~= '0' then
  redis.call('PUBLISH', ARGV[1], '3 ' .. known[1] .. ' ' .. known[2] .. '\n')
end
