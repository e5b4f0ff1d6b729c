-- Tells a node which acts of moderators have changed since it asked last, a page of them; or all, where that cannot be
-- told. See acts_write.lua.
--
-- KEYS: as of acts_write.lua
-- ARGV: 1 the life of the acts that the node knows, or '', 2 up to which number it knows them, 3 from which number on it
--       has to hear what was lifted (while it reads all: where that began), 4 changes of a page, 5 '1' if the life is
--       also that of the data of this Redis: where that is another one, changes may be lost that nodes have read
-- Answers { their life, the last number, 1 when the node has to begin anew: what follows is the first page of all, up to
-- which number the page goes, 1 when there is more, now in ms; key, act or if it was lifted '0 ORDERED' or '', ... }.

local now = now_ms()
local due = redis.call('ZRANGE', KEYS[4], '-inf', text(now), 'BYSCORE', 'LIMIT', 0, 128)
for _, key in ipairs(due) do
  redis.pcall('HDEL', KEYS[2], key) -- a Redis that takes no writes can be read
  redis.pcall('ZREM', KEYS[3], key)
  redis.pcall('ZREM', KEYS[4], key)
end

local known = redis.call('HMGET', KEYS[1], 'e', 'r', 'f')
local life = (known[1] or '') .. ':' .. (ARGV[5] == '1' and life_of_data() or '')
local last, forgotten = tonumber(known[2] or 0), tonumber(known[3] or 0)
local since, base, most = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local is_new = ARGV[1] ~= life or since > last or base < forgotten
if is_new then
  since = 0
end
local changes = redis.call('ZRANGE', KEYS[3], '(' .. text(since), '+inf', 'BYSCORE', 'LIMIT', 0, most, 'WITHSCORES')
local count = #changes / 2
local up_to = count == most and tonumber(changes[#changes]) or last
local answer = {life, text(last), is_new and 1 or 0, text(up_to), count == most and 1 or 0, text(now)}
for at = 1, #changes, 2 do
  answer[#answer + 1] = changes[at]
  local act = redis.call('HGET', KEYS[2], changes[at])
  local lifted = not act and redis.call('HGET', KEYS[6], changes[at])
  answer[#answer + 1] = act or lifted and '0 ' .. lifted or ''
end
return answer
