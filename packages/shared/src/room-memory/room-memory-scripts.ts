/*
 * The scripts of the room memory in Redis. Their keys are: the rooms of the identity, the identities by time of last use, the
 * bytes of each identity with the sum in the field `*`, and the records of the identity's connections. The first three are
 * also those of earlier versions, which know no connections. Instances of both versions may run side by side: an earlier one
 * recalls all rooms, and when a client leaves a room there, it is forgotten for all connections.
 */
import { ENDED_RECORD_MS, ROOM_DIGEST_LENGTH } from './room-memory.js';

/**
 * Functions that the scripts share. The record of a connection is `epoch|time of last use|position|rooms`. Rooms are digests
 * of a fixed length, so that long names are stored once. With an epoch, the position is that of the epoch when it is higher.
 * Connections that have ended share a record without an epoch for each hour.
 */
const FUNCTIONS = `
local rooms, identities, bytes, connections = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local identity, now, life = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local room_bytes, identity_bytes = tonumber(ARGV[4]), tonumber(ARGV[5])
local DIGEST = ${ROOM_DIGEST_LENGTH}

local function digest_of(room) return string.sub(redis.sha1hex(room), 1, DIGEST) end

local function parse(record)
  local epoch, used, position, held = string.match(record, '^([^|]*)|(%d+)|(%d*)|(%x*)$')
  return epoch, tonumber(used), position, held
end

local function digests(held)
  local i = 1 - DIGEST
  return function()
    i = i + DIGEST
    if i < #held then return string.sub(held, i, i + DIGEST - 1) end
  end
end

local function holds(held, digest)
  for one in digests(held) do if one == digest then return true end end
  return false
end

-- Adds the digests of the second text that are not in the first one.
local function unite(held, more)
  local known, parts = {}, { held }
  for one in digests(held) do known[one] = true end
  for one in digests(more) do
    if not known[one] then
      known[one] = true
      parts[#parts + 1] = one
    end
  end
  return table.concat(parts)
end

local function write(name, epoch, position, held)
  redis.call('HSET', connections, name, table.concat({ epoch, string.format('%.0f', now), position, held }, '|'))
  redis.call('PEXPIRE', connections, life)
end

-- The position of a record now, which an epoch has renewed.
local function renewed(epoch, position, current)
  if epoch == '' or current == '' then return position end
  if position == '' or tonumber(current) > tonumber(position) then return current end
  return position
end

local function account(who, taken)
  local before = tonumber(redis.call('HGET', bytes, who) or '0')
  if taken == 0 then redis.call('HDEL', bytes, who) else redis.call('HSET', bytes, who, taken) end
  return tonumber(redis.call('HINCRBY', bytes, '*', taken - before))
end

-- Sets the account to what is stored. Without rooms, the identity is forgotten.
local function account_all()
  local taken, count = identity_bytes, 0
  for _, room in ipairs(redis.call('ZRANGE', rooms, 0, -1)) do
    count = count + 1
    taken = taken + #room + room_bytes
  end
  if count == 0 then
    redis.call('DEL', connections)
    redis.call('ZREM', identities, identity)
    return account(identity, 0)
  end
  for _, text in ipairs(redis.call('HGETALL', connections)) do taken = taken + #text + room_bytes / 2 end
  return account(identity, taken)
end
`;

/**
 * Marks rooms as joined by a connection, and as used now. Beyond the limits it removes the least recently used rooms and
 * connections of this identity, and the least recently used identities.
 *
 * Arguments of all scripts: the identity; the time; the retention; the overhead in bytes of a room and of an identity. Then:
 * the connection; its epoch; its position or an empty text; the prefixes of the keys of rooms and of connections; the maximum
 * of rooms, of bytes of names, of connections and of their bytes for one identity; the maximum of identities and of bytes in
 * total; then the rooms.
 */
export const REMEMBER_ROOMS_SCRIPT = `${FUNCTIONS}
local connection, epoch, position, rooms_prefix, connections_prefix = ARGV[6], ARGV[7], ARGV[8], ARGV[9], ARGV[10]
local most_rooms, most_name_bytes = tonumber(ARGV[11]), tonumber(ARGV[12])
local most_connections, most_connection_bytes = tonumber(ARGV[13]), tonumber(ARGV[14])
local most_identities, most_bytes = tonumber(ARGV[15]), tonumber(ARGV[16])

for i = 17, #ARGV do redis.call('ZADD', rooms, now, ARGV[i]) end
redis.call('PEXPIRE', rooms, life)
redis.call('ZADD', identities, now, identity)
local kept, name_bytes = 0, 0
for _, room in ipairs(redis.call('ZREVRANGE', rooms, 0, -1)) do
  if kept >= most_rooms or name_bytes + #room > most_name_bytes then break end
  kept = kept + 1
  name_bytes = name_bytes + #room
end
redis.call('ZREMRANGEBYRANK', rooms, 0, -kept - 1)

local joined = {}
for i = 17, #ARGV do
  if redis.call('ZSCORE', rooms, ARGV[i]) then joined[#joined + 1] = digest_of(ARGV[i]) end
end
local known = redis.call('HGET', connections, connection)
local held = table.concat(joined)
if known then
  local _, _, _, before = parse(known)
  -- The most recently joined rooms are last, and are kept.
  held = string.sub(unite(before, held), -most_rooms * DIGEST)
end
write(connection, epoch, position, held)

local records = {}
local all = redis.call('HGETALL', connections)
for i = 1, #all, 2 do
  local _, used = parse(all[i + 1])
  records[#records + 1] = { name = all[i], used = used or 0, bytes = #all[i] + #all[i + 1] }
end
table.sort(records, function(a, b)
  if a.used == b.used then return a.name == connection and b.name ~= connection end
  return a.used > b.used
end)
local record_bytes = 0
for i, record in ipairs(records) do
  record_bytes = record_bytes + record.bytes
  if i > most_connections or record_bytes > most_connection_bytes or record.used < now - life then
    redis.call('HDEL', connections, record.name)
  end
end

local total = account_all()
while true do
  local oldest = redis.call('ZRANGE', identities, 0, 0, 'WITHSCORES')
  if #oldest == 0 then break end
  local is_over = tonumber(oldest[2]) < now - life
  if not is_over and total <= most_bytes and redis.call('ZCARD', identities) <= most_identities then break end
  redis.call('ZREM', identities, oldest[1])
  redis.call('DEL', rooms_prefix .. oldest[1], connections_prefix .. oldest[1])
  total = account(oldest[1], 0)
end
return total
`;

/**
 * Removes a room from the record of a connection, and forgets it when no other connection has it. Arguments after the common
 * ones: the connection; the room; its whole name, as version 0.1.0 stored it.
 */
export const FORGET_ROOM_SCRIPT = `${FUNCTIONS}
local connection, room, whole = ARGV[6], ARGV[7], ARGV[8]
local digest = digest_of(room)
local others = 0
local all = redis.call('HGETALL', connections)
for i = 1, #all, 2 do
  local epoch, used, position, held = parse(all[i + 1])
  if held and holds(held, digest) then
    if all[i] == connection then
      local kept = {}
      for one in digests(held) do if one ~= digest then kept[#kept + 1] = one end end
      if #kept == 0 then redis.call('HDEL', connections, connection)
      else redis.call('HSET', connections, connection, table.concat({ epoch, string.format('%.0f', used), position, table.concat(kept) }, '|')) end
    elseif used >= now - life then
      others = others + 1
    end
  end
end
if others == 0 then redis.call('ZREM', rooms, room, whole) end
account_all()
return others
`;

/** Keeps the position of a connection. Arguments after the common ones: the connection; the position of its process or an empty text. */
export const FREEZE_CONNECTION_SCRIPT = `${FUNCTIONS}
local connection, current = ARGV[6], ARGV[7]
local record = redis.call('HGET', connections, connection)
if not record then return 0 end
local epoch, _, position, held = parse(record)
write(connection, '', renewed(epoch, position, current), held)
return 1
`;

/**
 * Adds the record of a connection to the shared one of those that end within this hour. Arguments after the common ones: the
 * connection; the position of its process or an empty text.
 */
export const END_CONNECTION_SCRIPT = `${FUNCTIONS}
local connection, current = ARGV[6], ARGV[7]
local record = redis.call('HGET', connections, connection)
if not record then return 0 end
redis.call('HDEL', connections, connection)
local epoch, _, position, held = parse(record)
position = renewed(epoch, position, current)
local name = 'ended:' .. string.format('%.0f', math.floor(now / ${ENDED_RECORD_MS}))
local shared = redis.call('HGET', connections, name)
if shared then
  local _, _, lowest, others = parse(shared)
  held = unite(others, held)
  if position == '' or (lowest ~= '' and tonumber(lowest) < tonumber(position)) then position = lowest end
end
write(name, '', position, held)
account_all()
return 1
`;
