-- A node has nobody in a room any more, and says so itself.
--
-- KEYS: 1 meta, 2 counts, as of presence.lua
-- ARGV: 1 node

release_room(KEYS[1], KEYS[2], ARGV[1])
