-- Joins and leaves are publications of the room with offsets as its messages have, but they are kept in a
-- stream of their own, so that neither displaces the other from what is kept. Where offsets are missing
-- between two kept messages, there were joins or leaves.
--
-- A room that has any keeps a `mix` in its meta: x the offset of the last join or leave, m that of the last
-- message, f the floor: all messages behind it that there ever were are kept (as long as the stream is there),
-- k marks 'OFFSET,OFFSET,...' with p messages from one to the next at least, and c the messages behind the last
-- mark. By the marks the floor moves without a look at what is stored. The mix is dropped when its last
-- event is older than all messages that are kept.

-- Messages are kept in so many parts, and the oldest part goes as a whole.
local parts_kept = 8

local function part_of(kept)
  return math.max(1, math.ceil(kept / parts_kept))
end

-- The mix of a room that has had messages only, up to `top`.
local function begin_mix(stream, top, kept)
  local oldest = redis.pcall('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
  local part, marks = part_of(kept), {}
  for i = math.ceil(kept / part), 0, -1 do
    if top - i * part >= 0 then
      marks[#marks + 1] = text(top - i * part)
    end
  end
  return {message = top, floor = oldest and offsets_of(oldest) - 1 or top, behind = 0, part = part,
    marks = table.concat(marks, ',')}
end

-- Another number of messages is to be kept than when the marks were made. Of marks that are too near to each other
-- some go: where they are farther apart than they have to be, more is kept than has to be, and never less.
local function fit_marks(mix, part)
  local made_for = mix.part or part
  mix.part = part
  if made_for == part then
    return
  end
  local marks, fitting = {}, {}
  for mark in string.gmatch(mix.marks, '%d+') do
    marks[#marks + 1] = mark
  end
  for i = #marks, 1, -math.ceil(part / made_for) do
    table.insert(fitting, 1, marks[i])
  end
  mix.marks = table.concat(fitting, ',')
  mix.behind = math.min(mix.behind, part)
end

-- Up to where all messages of a room with a mix may be gone.
local function floor_of(mix, stream)
  return redis.call('EXISTS', stream) == 1 and mix.floor or mix.message
end

-- Messages from `first` to `top` come to the mix, of which `kept` are to be kept.
local function add_messages(mix, stream, first, top, kept)
  mix.floor, mix.message = floor_of(mix, stream), top
  local part = part_of(kept)
  fit_marks(mix, part)
  local next_mark = first - 1 + part - mix.behind
  if next_mark <= top then
    local marks = {}
    for mark in string.gmatch(mix.marks, '%d+') do
      marks[#marks + 1] = mark
    end
    while next_mark <= top do
      marks[#marks + 1] = text(next_mark)
      next_mark = next_mark + part
    end
    local oldest = #marks - math.ceil(kept / part)
    if oldest >= 1 then
      mix.floor = math.max(mix.floor, tonumber(marks[oldest]))
    end
    mix.marks = table.concat(marks, ',', math.max(1, oldest))
  end
  mix.behind = part - (next_mark - top)
end

-- Stores joins and leaves as the room's next publications and publishes them, in the same step as what else
-- the script does. Each event is { how, the member as JSON }, how one of these flags of the envelope:
local joined_flag, left_flag = 4, 8

-- KEYS: 1 meta, 2 stream, 3 stream of the events
-- ARGV: 1 channel, 2 an epoch for a room that needs a new one, 3 '1' to look at the life of the data,
--       4 messages kept, 5 events kept, 6 ms to keep them, 7 ms to keep the meta
local told_arguments = 7

local function keep_event(entry, id)
  local added = redis.pcall('XADD', KEYS[3], 'MAXLEN', ARGV[5], id, 'b', entry)
  if type(added) == 'table' and added.err then -- of an earlier life of the room, or not ours
    redis.call('DEL', KEYS[3])
    redis.call('XADD', KEYS[3], id, 'b', entry)
  end
end

local function tell(events)
  if #events == 0 then
    return
  end
  local life = ARGV[3] == '1' and life_of_data() or ''
  local epoch, top, _, mix = open_room(KEYS[1], KEYS[2], life, ARGV[2])
  local first, kept, events_kept = top + 1, tonumber(ARGV[4]), tonumber(ARGV[5])
  if not mix then
    mix = begin_mix(KEYS[2], top, kept)
    redis.call('DEL', KEYS[3])
    redis.call('HSET', KEYS[1], 'm', text(mix.message), 'f', text(mix.floor), 'c', '0',
      'k', mix.marks, 'p', text(mix.part))
  end
  local header, body = string.rep('\0', 16), {}
  for i, event in ipairs(events) do
    body[i] = struct.pack('<I1I8I4', event[1], 0, #event[2]) .. event[2]
    top = top + 1
    if #events - i < events_kept then
      keep_event(header .. body[i], entry_id(top))
    end
  end
  if events_kept > 0 then
    redis.call('PEXPIRE', KEYS[3], ARGV[6])
  end
  if first == 1 then
    redis.call('HDEL', KEYS[1], 'h') -- it is held by its history now
  end
  redis.call('HSET', KEYS[1], 'o', text(top), 'x', text(top))
  redis.call('PEXPIRE', KEYS[1], ARGV[7])
  redis.call('PUBLISH', ARGV[1], '1 ' .. epoch .. ' ' .. text(first) .. ' ' .. text(#events) .. '\n'
    .. header .. table.concat(body))
end
