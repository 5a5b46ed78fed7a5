import type { Redis } from 'ioredis';

/** The unchanged Redis scripts of the room memory of the version before. */
export function createEarlierRoomMemory(commands: Redis, prefix: string) {
  const toKeys = (identity: string) => [
    `${prefix}:joined:${identity}`,
    `${prefix}:joined-identities`,
    `${prefix}:joined-bytes`,
  ];
  const toSuffix = (identity: string, room: string) => room.slice(identity.length);
  return {
    remember: (identity: string, rooms: readonly string[]) =>
      commands.eval(
        REMEMBER_ROOMS_SCRIPT,
        3,
        ...toKeys(identity),
        identity,
        `${prefix}:joined:`,
        Date.now(),
        RETENTION_MS,
        500,
        8_192,
        20_000,
        67_108_864,
        100,
        500,
        ...rooms.map((room) => toSuffix(identity, room)),
      ),
    forget: (identity: string, room: string) =>
      commands.eval(FORGET_ROOM_SCRIPT, 3, ...toKeys(identity), identity, toSuffix(identity, room), room, 100),
    recall: async (identity: string) => {
      const [roomsKey = ''] = toKeys(identity);
      const members = await commands.zrevrangebyscore(roomsKey, '+inf', Date.now() - RETENTION_MS);
      return members.map((member) => `${identity}${member}`);
    },
  };
}

const RETENTION_MS = 24 * 3_600_000;

/**
 * Marks rooms as used now. Beyond the limits it removes the least recently used rooms of this identity, and the least recently
 * used identities.
 *
 * Arguments: the identity; the prefix of the keys of rooms; the time; the retention; the maximum of rooms and of bytes of
 * names for one identity; the maximum of identities and of bytes in total; the overhead in bytes of a room and of an
 * identity; then the rooms.
 */
const REMEMBER_ROOMS_SCRIPT = `
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

/** Removes a room. Arguments: the identity; the room; its whole name, as version 0.1.0 stored it; the overhead of a room. */
const FORGET_ROOM_SCRIPT = `
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
