-- Publishes in a room without storing anything: it has no offset, and is in no history.
--
-- KEYS: 1 meta, for the slot alone, 2 its idempotency key, if it has one
-- ARGV: 1 channel, 2 the message, 3 ms to keep an idempotency key
-- Answers '', or where the key was used before 'EPOCH:OFFSET' of then; '-:0' is one that was not stored.

local key = KEYS[2]
local used = key and redis.call('GET', key)
if used then
  return used
end
if key then
  redis.call('SET', key, '-:0', 'PX', ARGV[3])
end
local sent = redis.pcall('PUBLISH', ARGV[1], ARGV[2])
if type(sent) == 'table' and sent.err then
  if key then
    redis.call('DEL', key)
  end
  return sent
end
return ''
