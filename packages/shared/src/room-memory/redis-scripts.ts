/*
 * Scripts of the room memory in Redis. Their keys: the rooms of the identity, the identities by their last use, and the
 * bytes that each of them takes, with their sum in the field `*`.
 */

/**
 * Notes rooms as used now, and forgets what is beyond the limits: of this identity the rooms that were used longest ago, of
 * all identities those.
 *
 * Arguments: the identity, what begins the keys of rooms, the time, how long it is remembered, rooms and bytes of names of
 * one identity, identities and bytes in all, bytes beside each name and beside each identity; then the rooms.
 */
export const REMEMBER_ROOMS = `
local rooms, identities, bytes = KEYS[1], KEYS[2], KEYS[3]
local identity, prefix, now, life = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local most_rooms, most_name_bytes = tonumber(ARGV[5]), tonumber(ARGV[6])
local most_identities, most_bytes = tonumber(ARGV[7]), tonumber(ARGV[8])
local room_bytes, identity_bytes = tonumber(ARGV[9]), tonumber(ARGV[10])

local function account(who, taken)
  local before = tonumber(redis.call('HGET', bytes, who) or '0')
  if taken == 0 then redis.call('HDEL', bytes, who) else redis.call('HSET', bytes, who, taken) end
  return tonumber(redis.call('HINCRBY', bytes, '*', taken - before))
end

local added = 0
for i = 11, #ARGV do added = added + redis.call('ZADD', rooms, now, ARGV[i]) end
redis.call('PEXPIRE', rooms, life)
redis.call('ZADD', identities, now, identity)
if added > 0 then
  local kept, name_bytes = 0, 0
  for _, room in ipairs(redis.call('ZREVRANGE', rooms, 0, -1)) do
    if kept >= most_rooms or name_bytes + #room > most_name_bytes then break end
    kept = kept + 1
    name_bytes = name_bytes + #room
  end
  redis.call('ZREMRANGEBYRANK', rooms, 0, -kept - 1)
  account(identity, kept == 0 and 0 or identity_bytes + name_bytes + kept * room_bytes)
  if kept == 0 then redis.call('ZREM', identities, identity) end
end

local total = tonumber(redis.call('HGET', bytes, '*') or '0')
while true do
  local oldest = redis.call('ZRANGE', identities, 0, 0, 'WITHSCORES')
  if #oldest == 0 then break end
  local is_over = tonumber(oldest[2]) < now - life
  if not is_over and total <= most_bytes and redis.call('ZCARD', identities) <= most_identities then break end
  redis.call('ZREM', identities, oldest[1])
  redis.call('DEL', prefix .. oldest[1])
  total = account(oldest[1], 0)
end
return total
`;

/** Forgets a room. Arguments: the identity, the room, the room's whole name as 0.1.0 wrote it, bytes beside each name. */
export const FORGET_ROOM = `
local rooms, identities, bytes = KEYS[1], KEYS[2], KEYS[3]
local identity, room, whole, room_bytes = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local freed = redis.call('ZREM', rooms, room) * (#room + room_bytes) + redis.call('ZREM', rooms, whole) * (#whole + room_bytes)
if freed == 0 then return 0 end
local known = tonumber(redis.call('HGET', bytes, identity) or '0')
if redis.call('EXISTS', rooms) == 0 then
  redis.call('ZREM', identities, identity)
  redis.call('HDEL', bytes, identity)
  freed = known
else
  freed = math.min(freed, known)
  redis.call('HINCRBY', bytes, identity, -freed)
end
redis.call('HINCRBY', bytes, '*', -freed)
return freed
`;
