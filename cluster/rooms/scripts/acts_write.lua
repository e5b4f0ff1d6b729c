-- Changes the acts of moderators that this Redis has.
--
-- Each change has a number: Redis' time in us, or the next one. So a Redis whose data has gone back does not use numbers
-- again that nodes have seen. What was lifted keeps its number for some time, so that a node that knows what was up to
-- a number need not read everything to learn the rest (acts_read.lua); and when that was ordered, so that a node that
-- gives back what another Redis knew (a replica that lagged has its place, say) does not undo what came later. It keeps
-- that also where there was nothing to lift: maybe this Redis has lost it.
--
-- KEYS: 1 what is known of all (e: the life of these acts, r: the last number, f: up to which number it is forgotten
--       what was lifted, g: how much of that is remembered), 2 acts (key -> act), 3 numbers (key -> number, of those
--       that were lifted too), 4 ends (key -> ms), 5 dropped (key -> number, of those that were lifted), 6 lifted (key ->
--       when that was ordered, of the same)
-- ARGV: 1 a name for the life of these acts if there are none, 2 most acts, 3 most that is remembered of what was lifted,
--       then for each act: 'put', 'drop', or 'restore' and 'redrop' (the same, unless this Redis knows something of that
--       key that was ordered then or later), its key, when it was ordered, ms that it lasts or 0, its reason
-- Answers for each 1: done, 0: it was not there, or need not be done again, -1: there are too many.

local now = now_ms()
local clock = redis.call('TIME')
local now_us = clock[1] * 1000000 + clock[2]
local known = redis.call('HMGET', KEYS[1], 'e', 'r', 'f', 'g')
local life = known[1] or ARGV[1]
local last, forgotten, dropped = tonumber(known[2] or 0), tonumber(known[3] or 0), tonumber(known[4] or 0)
local most, most_dropped = tonumber(ARGV[2]), tonumber(ARGV[3])

local due = redis.call('ZRANGE', KEYS[4], '-inf', text(now), 'BYSCORE', 'LIMIT', 0, 128)
for _, key in ipairs(due) do
  redis.call('HDEL', KEYS[2], key)
  redis.call('ZREM', KEYS[3], key)
  redis.call('ZREM', KEYS[4], key)
end

local function number(key)
  last = math.max(last + 1, now_us)
  redis.call('ZADD', KEYS[3], text(last), key)
end

local function put(key, made, lasts, reason)
  if redis.call('HEXISTS', KEYS[2], key) == 0 and redis.call('HLEN', KEYS[2]) >= most then
    return -1
  end
  local ends = tonumber(lasts) > 0 and now + tonumber(lasts) or 0
  redis.call('HSET', KEYS[2], key, '1 ' .. made .. ' ' .. text(ends) .. ' ' .. reason)
  if ends > 0 then
    redis.call('ZADD', KEYS[4], text(ends), key)
  else
    redis.call('ZREM', KEYS[4], key)
  end
  dropped = dropped - redis.call('ZREM', KEYS[5], key)
  redis.call('HDEL', KEYS[6], key)
  number(key)
  return 1
end

local function drop(key, made)
  local was_there = redis.call('HDEL', KEYS[2], key)
  redis.call('ZREM', KEYS[4], key)
  number(key)
  dropped = dropped + redis.call('ZADD', KEYS[5], text(last), key)
  redis.call('HSET', KEYS[6], key, made)
  if dropped > most_dropped then
    local oldest = redis.call('ZRANGE', KEYS[5], 0, 0, 'WITHSCORES')
    redis.call('ZREM', KEYS[5], oldest[1])
    redis.call('ZREM', KEYS[3], oldest[1])
    redis.call('HDEL', KEYS[6], oldest[1])
    forgotten = tonumber(oldest[2])
    dropped = dropped - 1
  end
  return was_there
end

-- Whether it was ordered after all that is known here of its key. What cannot be read may be of a newer version.
local function is_later(key, made)
  local act = redis.call('HGET', KEYS[2], key)
  if act then
    return tonumber(made) > tonumber(string.match(act, '^1 (%d+) ') or math.huge)
  end
  local lifted = redis.call('HGET', KEYS[6], key)
  return not lifted or tonumber(made) > tonumber(lifted)
end

local answer = {}
for at = 4, #ARGV, 5 do
  local what, key, made = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local came = 0
  if what == 'drop' then
    came = drop(key, made)
  elseif what == 'put' then
    came = put(key, made, ARGV[at + 3], ARGV[at + 4])
  elseif is_later(key, made) then
    if what == 'redrop' then
      drop(key, made)
      came = 1
    else
      came = put(key, made, ARGV[at + 3], ARGV[at + 4])
    end
  end
  answer[#answer + 1] = came
end
redis.call('HSET', KEYS[1], 'e', life, 'r', text(last), 'f', text(forgotten), 'g', text(dropped))
return answer
