-- Where several rooms of one partition stand.
--
-- KEYS: meta and stream of each
-- ARGV: 1 an epoch for rooms that need a new one, 2 '1' to look at the life of the data, 3 ms to keep
--       the meta, 4 the node
-- Answers { epoch, top offset, epoch, top offset, ... }; of a room that cannot be read { '', '0' }.

local life = ARGV[2] == '1' and life_of_data() or ''
local found = {}
for i = 1, #KEYS, 2 do
  local ok, epoch, top = pcall(hold_room, KEYS[i], KEYS[i + 1], life, ARGV[1], ARGV[4], ARGV[3])
  if ok then
    found[i], found[i + 1] = epoch, text(top)
  else
    found[i], found[i + 1] = '', '0'
  end
end
return found
