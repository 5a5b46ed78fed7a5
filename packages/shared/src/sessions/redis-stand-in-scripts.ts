/*
 * The scripts of the stand-in sessions in Redis. A session is a hash with its client nonce, whether it is proven, its end, the
 * number of its claims, and one field for each claim. Two sorted sets hold the sessions by their end, for the limits. The
 * scripts use only commands that docs/runbook.md allows.
 */

/** Ends what has expired, and what would end first, until a sorted set has no more than `most` sessions. */
const TRIM = `
local function trim(index, prefix, now, most)
  while true do
    local first = redis.call('ZRANGE', index, 0, 0, 'WITHSCORES')
    if #first == 0 then return end
    if tonumber(first[2]) > now and redis.call('ZCARD', index) <= most then return end
    redis.call('ZREM', index, first[1])
    redis.call('DEL', prefix .. first[1])
  end
end
`;

/**
 * Keeps a new session. Keys: the session; the unproven ones. Arguments: the handle; the prefix of sessions' keys; the time;
 * the session's end; the maximum of unproven sessions; the client nonce.
 */
export const INSERT_STAND_IN_SCRIPT = `${TRIM}
local now, ends = tonumber(ARGV[3]), tonumber(ARGV[4])
redis.call('HSET', KEYS[1], 'nonce', ARGV[6], 'proven', '0', 'ends', ARGV[4])
redis.call('PEXPIRE', KEYS[1], math.max(1, ends - now))
redis.call('ZADD', KEYS[2], ends, ARGV[1])
trim(KEYS[2], ARGV[2], now, tonumber(ARGV[5]))
return 1
`;

/** Key: the session. @returns client nonce, whether it is proven, and its end; or nothing */
export const FIND_STAND_IN_SCRIPT = `
local nonce = redis.call('HGET', KEYS[1], 'nonce')
if not nonce then return false end
return {nonce, redis.call('HGET', KEYS[1], 'proven'), redis.call('HGET', KEYS[1], 'ends')}
`;

/**
 * Marks a session as proven. Keys: the session; the unproven ones; the proven ones. Arguments: the handle; the prefix; the
 * time; the session's end; the maximum of proven sessions. @returns whether this call has changed it
 */
export const PROVE_STAND_IN_SCRIPT = `${TRIM}
if redis.call('HGET', KEYS[1], 'proven') ~= '0' then return 0 end
local now, ends = tonumber(ARGV[3]), tonumber(ARGV[4])
redis.call('HSET', KEYS[1], 'proven', '1', 'ends', ARGV[4])
redis.call('PEXPIRE', KEYS[1], math.max(1, ends - now))
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZADD', KEYS[3], ends, ARGV[1])
trim(KEYS[3], ARGV[2], now, tonumber(ARGV[5]))
return 1
`;

/**
 * Claims a request. Keys: the session; the unproven ones; the proven ones. Arguments: the handle; the claim; the maximum of
 * claims. @returns 1: first, 0: repeated, -1: gone
 */
export const CLAIM_STAND_IN_SCRIPT = `
if redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
if redis.call('HSET', KEYS[1], 'claim:' .. ARGV[2], '') == 0 then return 0 end
if redis.call('HINCRBY', KEYS[1], 'claims', 1) <= tonumber(ARGV[3]) then return 1 end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
return -1
`;
